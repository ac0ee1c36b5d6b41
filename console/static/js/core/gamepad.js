/**
 * A gamepad, by the *position* of its controls; the same as corrections/gamepad.py.
 *
 *     left stick   x y        left shoulder    take control     right shoulder   dead-man (hold)
 *     right stick  yaw z      lower button     success          right button     stop
 *     pad up/down  faster,    upper button     hand back        left button      failure
 *                  slower     start            leave            right trigger    gripper
 *
 * @import { Button, DeviceState } from "./types.js"
 */

import { atRest, clipped } from "./device.js";

/** By place in the browser's "standard" mapping. @type {Record<number, Button>} */
const STANDARD = {
  0: "success",
  1: "stop",
  2: "failure",
  3: "hand_back",
  4: "take",
  5: "deadman",
  7: "gripper",
  9: "leave",
  12: "faster",
  13: "slower",
};
/** A pad that the browser does not know comes as the system numbers it. @type {Record<number, Button>} */
const UNKNOWN = { 0: "success", 1: "stop", 2: "failure", 3: "hand_back", 4: "take", 5: "deadman", 7: "leave" };
const FEW_AXES = 4;

/**
 * What we use of the browser's `Gamepad`.
 * @typedef {{mapping: string, axes: readonly number[], buttons: readonly {pressed: boolean}[]}} Pad
 */

/**
 * @param {Pad} pad the newest snapshot
 * @returns {DeviceState}
 */
export function readGamepad(pad) {
  const isStandard = pad.mapping === "standard";
  /** @type {Set<Button>} */
  const buttons = new Set();
  for (const [place, button] of Object.entries(isStandard ? STANDARD : UNKNOWN)) {
    if (pad.buttons[Number(place)]?.pressed) buttons.add(button);
  }
  // Pads with analogue triggers among their axes have the right stick one place further on.
  const right = isStandard || pad.axes.length <= FEW_AXES ? 2 : 3;
  const axis = (/** @type {number} */ i) => clipped(pad.axes[i] ?? 0);
  const axes = [axis(0), -axis(1), -axis(right + 1), 0, 0, -axis(right)].map(clipped);
  return { ...atRest(), axes, buttons };
}
