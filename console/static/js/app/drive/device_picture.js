/**
 * What the hands do, drawn: six axes with a sign, and which buttons are down.
 *
 * @import { DeviceState } from "../../core/types.js"
 */

import { html } from "htm/preact";
import { AXES } from "../../core/device.js";

/** @type {Record<string, string>} */
const AXIS_WORDS = { x: "right", y: "away", z: "up", roll: "tilt right", pitch: "tilt nearer", yaw: "twist left" };
/** @type {Record<string, string>} */
const BUTTON_WORDS = {
  deadman: "dead-man",
  take: "take",
  hand_back: "hand back",
  stop: "stop",
  success: "success",
  failure: "failure",
  slower: "slower",
  faster: "faster",
  gripper: "gripper",
  leave: "leave",
};

/**
 * @param {{state: DeviceState, names: string[]}} props
 */
export function DevicePicture({ state, names }) {
  const down = [...state.buttons].map((button) => BUTTON_WORDS[button]);
  return html`<div class="device-picture">
    <p class="device-names">${names.join(", ")}</p>
    <dl class="axes">
      ${AXES.map((axis, i) => html`<${Axis} key=${axis} axis=${axis} value=${state.axes[i] ?? 0} />`)}
    </dl>
    <p class="device-buttons ${state.buttons.has("deadman") ? "is-armed" : ""}">
      ${down.length ? `Held: ${down.join(", ")}` : "No button held"}
    </p>
  </div>`;
}

/** @param {{axis: string, value: number}} props */
function Axis({ axis, value }) {
  const share = Math.round(Math.abs(value) * 50);
  return html`<div class="axis" title=${AXIS_WORDS[axis]}>
    <dt>${axis}</dt>
    <dd>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="axis-track" width="100" height="8" />
        <rect class="axis-bar" x=${value < 0 ? 50 - share : 50} width=${share} height="8" />
        <rect class="axis-rest" x="49.5" width="1" height="8" />
      </svg>
      <span class="axis-number">${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(2)}</span>
    </dd>
  </div>`;
}
