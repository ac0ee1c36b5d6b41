/**
 * The first screen of a shift: device, picture, stop; twenty seconds, remembered until the shift is over.
 */

import { signal } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { nowMs } from "../../core/clock.js";
import { DeviceStep, PictureStep, StopStep } from "../drive/check_steps.js";
import { Hands } from "../drive/hands.js";
import { ownKeys } from "../drive/own.js";
import { may } from "../permission.js";
import { go } from "../router.js";
import { leases, robots, roster, session } from "../store.js";

const STORED = "touchline.shift";
/** A shift, and a check, last this long. */
const SHIFT_MS = 10 * 3_600_000;

/** When this person's shift began on this browser; 0 while none runs. */
export const shiftStartedMs = signal(0);

/** Find out whether a shift runs; call once the session is known. */
export function readShift() {
  try {
    const { name, startedMs } = JSON.parse(localStorage.getItem(STORED) ?? "{}");
    const isOurs = name === session.value?.name && nowMs() - startedMs < SHIFT_MS;
    shiftStartedMs.value = isOurs ? startedMs : 0;
  } catch {
    shiftStartedMs.value = 0;
  }
}

function startShift() {
  shiftStartedMs.value = nowMs();
  try {
    localStorage.setItem(STORED, JSON.stringify({ name: session.value?.name, startedMs: shiftStartedMs.value }));
  } catch {
    // A browser that keeps nothing asks again after a reload.
  }
  go("/queue");
}

/** @typedef {{device: boolean, picture: boolean, stop: boolean}} Done */

/** Device check. */
export function DeviceCheck() {
  const [done, setDone] = useState(/** @type {Done} */ ({ device: false, picture: false, stop: false }));
  const hands = useMemo(() => new Hands(ownKeys.value, { polled: () => {}, press: () => {}, lost: () => {}, found: () => {} }), []);
  useEffect(() => {
    readShift();
    hands.start();
    return () => hands.stop();
  }, [hands]);
  const finish = (/** @type {keyof Done} */ step) => setDone((before) => (before[step] ? before : { ...before, [step]: true }));
  const isReady = done.device && done.picture && done.stop;
  const keyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    // Keys that press the focused button, or scroll, keep their meaning here.
    if (event.code === "Space" || event.code === "Enter" || event.code === "Escape") return;
    hands.keyboard.down(event, nowMs());
    if (hands.keyboard.knows(event.code)) event.preventDefault();
  };
  return html`<section
    class="device-check"
    tabindex="0"
    aria-label="Device check"
    onKeyDown=${keyDown}
    onKeyUp=${(/** @type {KeyboardEvent} */ event) => hands.keyboard.up(event, nowMs())}
    onFocusOut=${() => hands.clear()}
  >
    <h1>Check your device</h1>
    <p class="check-lead">Three things before a shift: your hands reach the robots, you see them in time, and you can stop them. Click here first if you use the keyboard.</p>
    <div class="check-steps">
      <${DeviceStep} hands=${hands} isDone=${done.device} onDone=${() => finish("device")} />
      <${PictureStep} robot=${robotToSee()} isDone=${done.picture} onDone=${() => finish("picture")} />
      <${StopStep} robot=${useRobotToStop()} mayClear=${may("operator")} isDone=${done.stop} onDone=${() => finish("stop")} />
    </div>
    <div class="check-end">
      <button type="button" class="primary big" disabled=${!isReady} onClick=${startShift}>Start shift</button>
      ${!isReady && html`<span class="row-note">${missing(done)}</span>`}
      ${shiftStartedMs.value > 0 && html`<span class="row-note">Your last check on this browser still counts.</span>`}
      <p class="not-a-safety-device">Software is not a safety device. Know where the hard-wired stop is.</p>
    </div>
  </section>`;
}

/** @param {Done} done */
function missing(done) {
  const names = Object.entries(done).filter(([, isDone]) => !isDone);
  return `Still to do: ${names.map(([name]) => name).join(", ")}.`;
}

/** Any robot with a camera, simulated ones first. */
function robotToSee() {
  const seen = (roster.value ?? []).filter((robot) => robot.spec?.cameras.length);
  return seen.find((robot) => robot.is_simulated) ?? seen[0] ?? null;
}

/** A simulated robot that nobody holds and that is not stopped already; the same one for as long as it is there. */
function useRobotToStop() {
  const [chosen, choose] = useState("");
  const free = (roster.value ?? []).find(
    ({ robot_id, is_simulated }) =>
      is_simulated && !leases.value.get(robot_id)?.is_held && robots.value.get(robot_id)?.mode === "autonomous",
  );
  useEffect(() => {
    if (!chosen && free) choose(free.robot_id);
  }, [chosen, free?.robot_id]);
  return (roster.value ?? []).find((robot) => robot.robot_id === chosen) ?? null;
}
