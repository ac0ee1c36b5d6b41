/**
 * Who drives, and the way in and out: take control, answer a colleague, hand back.
 *
 * @import { AskedMessage, ControlState, LeaseMessage } from "../../core/types.js"
 * @import { Keymap } from "../../core/keymap.js"
 */

import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { nowMs } from "../../core/clock.js";
import { countdown, duration } from "../../core/format.js";
import { keyHint } from "../../core/keymap.js";
import { STILL } from "./words.js";

/**
 * @typedef {object} ControlProps
 * @property {Keymap} keymap
 * @property {string} name of this person
 * @property {ControlState} control
 * @property {string} robotId
 * @property {LeaseMessage | undefined} lease
 * @property {(AskedMessage & {heard_ms: number}) | null} asked
 * @property {boolean} isBetweenEpisodes a robot begins none while somebody holds it
 * @property {boolean} mayDrive
 * @property {boolean} mayForce
 * @property {(options?: {ask?: boolean, force?: boolean, reason?: string}) => void} onTake
 * @property {() => void} onHandBack
 * @property {(give: boolean) => void} onAnswer
 * @property {() => void} onGoOn without the device that was unplugged
 */

/** @param {ControlProps} props */
export function ControlPanel(props) {
  const { control, robotId, lease, name, mayDrive } = props;
  const isHeld = control.phase === "held" && control.robotId === robotId;
  if (isHeld) return html`<${Held} ...${props} />`;
  const elsewhere = control.phase === "held" ? control.robotId : "";
  const isAsking = control.phase === "asking" && control.robotId === robotId;
  const ended = control.robotId === robotId && (control.phase === "lost" || control.phase === "denied");
  let words = "Nobody drives this robot.";
  if (lease?.is_held) words = lease.operator_id === name ? "You hold this robot in another window." : `${lease.operator_id} drives this robot.`;
  return html`<section class="control" aria-label="Control">
    ${ended && html`<p class="control-ended" role="alert">${control.reason}</p>`}
    <p class="control-words">${isAsking ? "Asking …" : words}</p>
    ${!mayDrive && html`<p class="control-words">Your role lets you watch and stop, not drive. An admin can change that.</p>`}
    ${mayDrive && elsewhere && html`<p class="control-words">Hand back <b>${elsewhere}</b> first.</p>`}
    ${mayDrive && !elsewhere && (lease?.is_held ? html`<${AskFor} ...${props} />` : html`<${Take} ...${props} />`)}
  </section>`;
}

/** @param {ControlProps} props */
function Take({ keymap, onTake }) {
  return html`<button type="button" class="primary big" onClick=${() => onTake()}>Take control <kbd>${keyHint(keymap, "take")}</kbd></button>`;
}

/** @param {ControlProps} props */
function AskFor({ keymap, lease, name, mayForce, onTake }) {
  const [reason, setReason] = useState("");
  const isMine = lease?.operator_id === name;
  return html`<button type="button" class="primary big" onClick=${() => onTake({ ask: true })}>
      ${isMine ? "Move control here" : `Ask ${lease?.operator_id} for control`} <kbd>${keyHint(keymap, "take")}</kbd>
    </button>
    ${mayForce &&
    html`<details class="force">
      <summary>Take it without asking</summary>
      <label>Reason, for the log <input value=${reason} maxlength="500" onInput=${(/** @type {any} */ event) => setReason(event.currentTarget.value)} /></label>
      <button type="button" disabled=${!reason.trim()} onClick=${() => onTake({ force: true, reason: reason.trim() })}>Take it now</button>
    </details>`}`;
}

/** @param {ControlProps} props */
function Held({ keymap, control, asked, isBetweenEpisodes, onHandBack, onAnswer, onGoOn }) {
  const [cause] = control.stillCauses;
  return html`<section class="control is-held" aria-label="Control">
    <p class="control-words">
      <b>You drive.</b> ${duration((nowMs() - control.heldSinceMs) / 1000)}${control.isArmed ? ", armed" : ", hold the dead-man to move"}
    </p>
    ${isBetweenEpisodes && html`<p class="control-words" role="status">No episode runs. Hand it back, and the next one begins.</p>`}
    ${cause &&
    html`<p class="control-ended" role="alert">
      ${STILL[cause]}: the robot holds still.
      ${cause === "unplugged" && html`<button type="button" onClick=${onGoOn}>Go on without it</button>`}
    </p>`}
    ${asked && html`<${Asked} asked=${asked} onAnswer=${onAnswer} />`}
    <button type="button" class="big" onClick=${onHandBack}>Hand back to the policy <kbd>${keyHint(keymap, "hand_back")}</kbd></button>
  </section>`;
}

/** @param {{asked: AskedMessage & {heard_ms: number}, onAnswer: (give: boolean) => void}} props */
function Asked({ asked, onAnswer }) {
  const left = asked.answer_within_s - (nowMs() - asked.heard_ms) / 1000;
  if (left <= 0) return null;
  return html`<div class="asked" role="alertdialog" aria-label="A colleague asks for this robot">
    <p><b>${asked.operator_id}</b> asks for this robot${asked.reason ? `: ${asked.reason}` : ""}. Without an answer you keep it, in ${countdown(left)}.</p>
    <button type="button" onClick=${() => onAnswer(true)}>Give it</button>
    <button type="button" onClick=${() => onAnswer(false)}>Keep it</button>
  </div>`;
}
