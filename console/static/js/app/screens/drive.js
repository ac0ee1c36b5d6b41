/**
 * Drive one robot, or watch it: console.md 9.3. What the robot does is shown from its own reports, never from
 * what this page wished. Keys act only while this surface, and nothing that is typed into, has the focus.
 */

import { html } from "htm/preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { nowMs } from "../../core/clock.js";
import { duration } from "../../core/format.js";
import { keyHint } from "../../core/keymap.js";
import { ControlPanel } from "../drive/control_panel.js";
import { Feel } from "../drive/feel.js";
import { Instruction } from "../drive/instruction.js";
import { OutcomeKeys, OutcomeMore } from "../drive/outcome.js";
import { ownKeys } from "../drive/own.js";
import { DriveSession } from "../drive/session.js";
import { Stage } from "../drive/stage.js";
import { StopPanel } from "../drive/stop_panel.js";
import { TimelineView } from "../drive/timeline_view.js";
import { OUTCOMES } from "../drive/words.js";
import { may } from "../permission.js";
import { link } from "../router.js";
import { asked, control, leases, now, robotNow, roster, rosterOf, send, session, tell } from "../store.js";

/** @typedef {{drive: DriveSession}} Props */

/** @param {{id: string}} props name of the robot */
export function Drive({ id: robotId }) {
  const robot = rosterOf(robotId);
  if (!session.value || roster.value === null) return html`<p class="empty">Connecting to the robots …</p>`;
  if (!robot) return html`<p class="empty">No robot of the name ${robotId} is connected. <a ...${link("/wall")}>See all robots</a></p>`;
  if (!robot.spec) return html`<p class="empty">${robotId} describes itself in a way that this console does not know. Update the console.</p>`;
  return html`<${Cockpit} key=${robotId} robotId=${robotId} spec=${robot.spec} />`;
}

/** @param {{robotId: string, spec: import("../../core/types.js").Spec}} props */
function Cockpit({ robotId, spec }) {
  const drive = useMemo(() => new DriveSession(robotId), [robotId]);
  const surface = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    drive.start();
    surface.current?.focus({ preventScroll: true });
    return () => drive.stop();
  }, [drive]);
  const refocus = (/** @type {MouseEvent} */ event) => {
    // A pointer's click gives the keys back to driving; a keyboard's press of a button keeps its place.
    const target = /** @type {Element} */ (event.target);
    if (event.detail > 0 && !target.closest("input, textarea, select, summary, label")) surface.current?.focus({ preventScroll: true });
  };
  return html`<section
    ref=${surface}
    class="drive"
    tabindex="0"
    aria-label=${`Drive ${robotId}`}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => keyDown(event, drive, surface.current)}
    onKeyUp=${(/** @type {KeyboardEvent} */ event) => drive.hands.keyboard.up(event, nowMs())}
    onFocusOut=${(/** @type {FocusEvent} */ event) => !surface.current?.contains(/** @type {Node} */ (event.relatedTarget)) && drive.hands.clear()}
    onClick=${refocus}
  >
    <${Stage} drive=${drive} spec=${spec} />
    <div class="drive-column">
      <div class="drive-scroll">
        <${Title} robotId=${robotId} />
        <${Control} drive=${drive} />
        <${Receipt} drive=${drive} />
        <${More} drive=${drive} />
        <${Feel} drive=${drive} spec=${spec} />
      </div>
      <${Stop} drive=${drive} />
    </div>
    <div class="drive-below">
      <${Instruction} drive=${drive} />
      <div class="row">
        <${Outcome} drive=${drive} />
        <${Marks} drive=${drive} />
      </div>
      <${TimelineView} timeline=${drive.timeline} cursorMs=${drive.cursorMs.value} onPoint=${(/** @type {number | null} */ timeMs) => (drive.cursorMs.value = timeMs)} />
    </div>
  </section>`;
}

/**
 * @param {KeyboardEvent} event
 * @param {DriveSession} drive
 * @param {HTMLElement | null} surface
 */
function keyDown(event, drive, surface) {
  const target = /** @type {Element} */ (event.target);
  if (event.ctrlKey || event.altKey || event.metaKey || target.closest("input, textarea, select")) return;
  // Enter presses the button that has the focus; every other key drives, Space above all: it stops.
  const isPressing = event.code === "Enter" && target !== surface && target.closest("button, a, summary");
  if (isPressing) return;
  const action = drive.hands.keyboard.down(event, nowMs());
  if (drive.hands.keyboard.knows(event.code)) event.preventDefault();
  if (action) drive.act(action);
  if (action === "leave") surface?.blur();
}

/** @param {{robotId: string}} props */
function Title({ robotId }) {
  const robot = robotNow(robotId).value;
  const facts = [robot?.task_id, robot?.policy_version && `weights ${robot.policy_version}`].filter(Boolean);
  return html`<h1 class="drive-title">${robotId} <small>${facts.join(", ")}</small></h1>`;
}

/** @param {Props} props */
function Control({ drive }) {
  const me = session.value;
  const state = control.value;
  if (!me || !state) return html`<p class="control-words">Connecting …</p>`;
  const question = asked.value?.robot_id === drive.robotId ? asked.value : null;
  return html`<${ControlPanel}
    keymap=${ownKeys.value}
    name=${me.name}
    control=${state}
    robotId=${drive.robotId}
    lease=${leases.value.get(drive.robotId)}
    asked=${question}
    tick=${now.value}
    isBetweenEpisodes=${robotNow(drive.robotId).value?.episode_id === ""}
    mayDrive=${drive.mayDrive}
    mayForce=${may("engineer")}
    onTake=${(/** @type {object | undefined} */ options) => drive.take(options)}
    onHandBack=${() => drive.handBack()}
    onAnswer=${(/** @type {boolean} */ give) => {
      tell({ type: "answer", robotId: drive.robotId, give });
      asked.value = null;
    }}
    onGoOn=${() => drive.goOn()}
  />`;
}

/** What was saved, after control ended. @param {Props} props */
function Receipt({ drive }) {
  const receipt = drive.receipt.value;
  if (!receipt) return null;
  const waiting = drive.waiting.value;
  return html`<div class="drive-receipt" role="status" onPointerMove=${() => drive.extend()} onFocusIn=${() => drive.extend()}>
    <span><b>${duration(receipt.correctingMs / 1000)} of correction saved</b>${waiting ? `, ${OUTCOMES[waiting.outcome]?.toLowerCase()}.` : ". How did it go?"}</span>
  </div>`;
}

/** @param {Props} props */
function Outcome({ drive }) {
  return html`<${OutcomeKeys}
    keymap=${ownKeys.value}
    target=${drive.target.value}
    waiting=${drive.waiting.value}
    isAllowed=${drive.mayDrive}
    onSay=${(/** @type {import("../../core/types.js").Outcome} */ outcome) => drive.judge(outcome)}
  />`;
}

/** @param {Props} props */
function More({ drive }) {
  const waiting = drive.waiting.value;
  if (!waiting) return null;
  return html`<${OutcomeMore}
    keymap=${ownKeys.value}
    waiting=${waiting}
    leftMs=${drive.leftMs.value}
    onAdd=${(/** @type {object} */ more) => drive.judgeMore(more)}
    onUndo=${() => drive.undo()}
    onExtend=${() => drive.extend()}
  />`;
}

/** @param {Props} props */
function Stop({ drive }) {
  return html`<${StopPanel}
    keymap=${ownKeys.value}
    robotId=${drive.robotId}
    isStopped=${robotNow(drive.robotId).value?.mode === "stopped"}
    mayClear=${may(rosterOf(drive.robotId)?.is_simulated ? "operator" : "engineer")}
    onStop=${() => drive.stopRobot()}
    onClear=${(/** @type {string} */ reason) => send({ type: "clear_stop", robot_id: drive.robotId, confirm: drive.robotId, reason })}
  />`;
}

/** @param {Props} props */
function Marks({ drive }) {
  const cursorMs = drive.cursorMs.value;
  const when = cursorMs === null ? "" : `, ${duration((nowMs() - cursorMs) / 1000)} ago`;
  return html`<div class="row marks">
    <button type="button" class="chip" disabled=${!drive.mayDrive} onClick=${() => drive.mark("moment")}>Went wrong here${when} <kbd>${keyHint(ownKeys.value, "mark")}</kbd></button>
    <button type="button" class="chip" disabled=${!drive.mayDrive} onClick=${() => drive.mark("recovered")}>Good again${when} <kbd>${keyHint(ownKeys.value, "recovered")}</kbd></button>
    ${cursorMs !== null && html`<button type="button" class="chip" onClick=${() => (drive.cursorMs.value = null)}>Back to now</button>`}
    <span class="row-note" role="status">${drive.note.value}</span>
  </div>`;
}
