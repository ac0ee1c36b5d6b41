/**
 * The three steps of the device check, each with what it found in plain words.
 *
 * @import { Hands } from "./hands.js"
 * @import { LiveRobot, RosterRobot } from "../store.js"
 */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { nowMs } from "../../core/clock.js";
import { AXES, atRest } from "../../core/device.js";
import { chipText, tierOf } from "../../core/delay.js";
import { milliseconds } from "../../core/format.js";
import { connection, now, refused, robotNow, send } from "../store.js";
import { Picture, pictureHealth, pictureProblem } from "../widgets/picture.js";
import { DevicePicture } from "./device_picture.js";
import { Pads } from "./pads.js";
import { hidProblem } from "./spacemouse_hid.js";

const SHOWN_MS = 100;
const MOVED = 0.3;
const CHECK_VIEW = "check-picture";
const DRAWN_ENOUGH = 5;
const STOP_WITHIN_MS = 5000;

/**
 * Move something and hold the dead-man.
 * @param {{hands: Hands, isDone: boolean, onDone: () => void}} props
 */
export function DeviceStep({ hands, isDone, onDone }) {
  const [state, setState] = useState(atRest());
  const [problem, setProblem] = useState("");
  const [movesPointer, setMovesPointer] = useState(false);
  const seen = useRef({ hasMoved: false, hasArmed: false });
  useEffect(() => {
    const timer = setInterval(() => {
      setState(hands.state);
      seen.current.hasMoved ||= hands.state.axes.some((value) => Math.abs(value) > MOVED);
      seen.current.hasArmed ||= hands.state.buttons.has("deadman");
      if (seen.current.hasMoved && seen.current.hasArmed) onDone();
    }, SHOWN_MS);
    // Some desktops let the cap move the mouse pointer too: nobody can drive like that.
    const pointer = (/** @type {PointerEvent} */ event) => {
      const cap = hands.spacemouse.mouse?.read(nowMs());
      const isPushed = cap?.axes.some((value) => Math.abs(value) > MOVED);
      if (isPushed && event.pointerType === "mouse" && !event.buttons) setMovesPointer(true);
    };
    window.addEventListener("pointermove", pointer);
    return () => {
      clearInterval(timer);
      window.removeEventListener("pointermove", pointer);
    };
  }, [hands]);
  const { hasMoved, hasArmed } = seen.current;
  const moving = AXES.filter((_, i) => Math.abs(state.axes[i] ?? 0) > MOVED);
  return html`<${Step} number=${1} title="Device" isDone=${isDone}>
    <p>Push in any direction, and hold the dead-man: the left button of a SpaceMouse, the right shoulder of a gamepad, or <kbd>J</kbd>.</p>
    <div class="row">
      <button type="button" class="primary" disabled=${Boolean(hidProblem())} onClick=${async () => setProblem(await hands.spacemouse.ask())}>Connect a SpaceMouse</button>
      <span class="row-note">A gamepad shows up when you press a button on it. The keyboard works at once.</span>
    </div>
    ${(problem || hidProblem()) && html`<p class="device-problem" role="status">${problem || hidProblem()}</p>`}
    ${movesPointer &&
    html`<p class="device-problem" role="status">Pushing the cap also moves the mouse pointer. Let the desktop ignore the device: infra/deploy/browser/README.md says how.</p>`}
    <${DevicePicture} state=${state} names=${hands.names} />
    <details><summary>On-screen pads</summary><${Pads} hands=${hands} /></details>
    <p class="check-found" role="status">${hasMoved ? "✓ moves" : "… push"} · ${hasArmed ? "✓ dead-man" : "… hold the dead-man"}${moving.length ? ` · ${moving.join(", ")}` : ""}</p>
  <//>`;
}

/**
 * A live picture, and how late it is.
 * @param {{robot: RosterRobot | null, isDone: boolean, onDone: () => void}} props
 */
export function PictureStep({ robot, isDone, onDone }) {
  const health = pictureHealth.value.get(CHECK_VIEW);
  const roundTripMs = connection.value.round_trip_ms;
  const hasPicture = (health?.numDrawn ?? 0) >= DRAWN_ENOUGH && !health?.isFrozen;
  const delayMs = health && health.drawnAgeMs >= 0 && roundTripMs >= 0 ? health.drawnAgeMs + roundTripMs : -1;
  const isGood = hasPicture && delayMs >= 0 && tierOf(delayMs).speedCap > 0;
  useEffect(() => {
    if (isGood) onDone();
  }, [isGood]);
  return html`<${Step} number=${2} title="Picture" isDone=${isDone}>
    ${!robot && html`<p>No robot with a camera is connected; this step waits for one.</p>`}
    ${robot && html`<${Picture} key=${robot.robot_id} viewId=${CHECK_VIEW} robotId=${robot.robot_id} camera=${0} fps=${10} width=${480} label=${`Test picture of ${robot.robot_id}`} />`}
    <p class="check-found" role="status">
      ${hasPicture ? `✓ ${health?.fps} pictures a second` : pictureProblem.value || "… waiting for pictures"} ·
      ${delayMs < 0 ? " delay not measured yet" : ` from hand to picture about ${chipText(tierOf(delayMs).tier, delayMs)}`}
    </p>
  <//>`;
}

/**
 * Stop a simulated robot for real, and see how long it took.
 * @param {{robot: RosterRobot | null, mayClear: boolean, isDone: boolean, onDone: () => void}} props
 */
export function StopStep({ robot, mayClear, isDone, onDone }) {
  const [sentMs, setSentMs] = useState(0);
  const [tookMs, setTookMs] = useState(-1);
  const state = robot ? robotNow(robot.robot_id).value : null;
  const isStopped = state?.mode === "stopped";
  useEffect(() => {
    if (!sentMs || !isStopped || tookMs >= 0) return;
    setTookMs(state.received_ms - sentMs);
    onDone();
  }, [isStopped, sentMs]);
  const stop = () => {
    if (!robot) return;
    setTookMs(-1);
    setSentMs(nowMs());
    send({ type: "stop", robot_id: robot.robot_id, reason: "device check" });
  };
  const clear = () => robot && send({ type: "clear_stop", robot_id: robot.robot_id, confirm: robot.robot_id, reason: "device check" });
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.code !== "Space") return;
    event.preventDefault();
    if (!event.repeat) stop();
  };
  const isLate = sentMs > 0 && tookMs < 0 && now.value - sentMs > STOP_WITHIN_MS;
  const problem = isLate ? refused.value?.reason || "The robot did not report that it stopped." : "";
  return html`<${Step} number=${3} title="Stop" isDone=${isDone}>
    ${!robot
      ? html`<p>No simulated robot stands free, and a working one is not stopped for a test.</p>
          <button type="button" onClick=${onDone}>I know where STOP is: red, on the drive screen, Space; Ctrl + . anywhere</button>`
      : html`<p>Press <kbd>Space</kbd> on the button, or click it: the simulated robot <b>${robot.robot_id}</b> stops.</p>
          <button type="button" class="stop-button" onClick=${stop} onKeyDown=${onKey}>STOP ${robot.robot_id} <kbd>Space</kbd></button>`}
    <p class="check-found" role="status">${tookMs >= 0 ? `✓ stopped after ${milliseconds(tookMs)}` : sentMs ? "… waiting for its report" : ""}</p>
    ${problem && html`<p class="device-problem" role="alert">${problem}</p>`}
    ${isStopped &&
    (mayClear
      ? html`<button type="button" onClick=${clear}>Clear the stop of ${robot?.robot_id}</button>`
      : html`<p>${robot?.robot_id} stays stopped until an operator clears it.</p>`)}
  <//>`;
}

/**
 * @param {{number: number, title: string, isDone: boolean, children?: import("preact").ComponentChildren}} props
 */
function Step({ number, title, isDone, children }) {
  return html`<section class="check-step ${isDone ? "is-done" : ""}" aria-label=${title}>
    <h2><span class="check-number" aria-hidden="true">${isDone ? "✓" : number}</span> ${title} ${isDone && html`<small>done</small>`}</h2>
    ${children}
  </section>`;
}
