/**
 * STOP, and the way out of it. Anyone signed in may stop; clearing takes an engineer (an operator, if the robot is simulated), the robot's
 * name and a reason.
 *
 * @import { Keymap } from "../../core/keymap.js"
 */

import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { keyHint } from "../../core/keymap.js";

/**
 * @param {object} props
 * @param {Keymap} props.keymap
 * @param {string} props.robotId
 * @param {boolean} props.isStopped the robot says so
 * @param {boolean} props.mayClear
 * @param {() => void} props.onStop
 * @param {(reason: string) => void} props.onClear
 */
export function StopPanel({ keymap, robotId, isStopped, mayClear, onStop, onClear }) {
  return html`<section class="stop-panel" aria-label="Stop">
    ${isStopped && html`<${Clear} robotId=${robotId} mayClear=${mayClear} onClear=${onClear} />`}
    <button type="button" class="stop-button" onClick=${onStop}>STOP <kbd>${keyHint(keymap, "stop")}</kbd></button>
    <p class="not-a-safety-device">Software is not a safety device. Keep a hard-wired stop within reach.</p>
  </section>`;
}

/** @param {{robotId: string, mayClear: boolean, onClear: (reason: string) => void}} props */
function Clear({ robotId, mayClear, onClear }) {
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  if (!mayClear) return html`<p class="stopped-words">Stopped. An engineer looks at the robot and clears the stop.</p>`;
  return html`<details class="clear-stop">
    <summary>Stopped. Clear it, having looked</summary>
    <label>Type ${robotId} <input value=${typed} autocomplete="off" onInput=${(/** @type {any} */ event) => setTyped(event.currentTarget.value)} /></label>
    <label>Reason, for the log <input value=${reason} maxlength="500" onInput=${(/** @type {any} */ event) => setReason(event.currentTarget.value)} /></label>
    <button type="button" disabled=${typed !== robotId || !reason.trim()} onClick=${() => onClear(reason.trim())}>Clear the stop</button>
  </details>`;
}
