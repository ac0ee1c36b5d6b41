/**
 * What every input device is to us: six axes, a few named buttons, and how old they are.
 *
 * Axes are x right, y away from the person, z up, then rotation about each, right-handed; all in [-1, 1].
 * The same convention as corrections/device.py.
 *
 * @import { Button, DeviceState } from "./types.js"
 */

export const AXES = Object.freeze(["x", "y", "z", "roll", "pitch", "yaw"]);
export const NUM_AXES = AXES.length;

/** @returns {DeviceState} a device that nobody touches */
export function atRest(ageMs = 0) {
  return { axes: new Array(NUM_AXES).fill(0), buttons: new Set(), ageMs };
}

/**
 * One axis in [-1, 1]; 0 for what is not a number.
 * @param {number} value
 */
export function clipped(value) {
  // Adding 0 turns -0 into 0: a rest is a rest on the wire too.
  return Number.isFinite(value) ? Math.max(-1, Math.min(1, value)) + 0 : 0;
}

/**
 * Several devices in one pair of hands: deflections add up, a button held anywhere is held.
 * So a pedal can be the dead-man of a SpaceMouse.
 * @param {DeviceState[]} states
 * @returns {DeviceState}
 */
export function together(states) {
  const merged = atRest(states.length ? Math.min(...states.map((state) => state.ageMs)) : 0);
  for (const state of states) {
    merged.axes = merged.axes.map((value, i) => clipped(value + (state.axes[i] ?? 0)));
    for (const button of state.buttons) merged.buttons.add(button);
  }
  return merged;
}

/**
 * Buttons that went down since the last look.
 * @param {Set<Button>} now
 * @param {Set<Button>} before
 * @returns {Button[]}
 */
export function pressed(now, before) {
  return [...now].filter((button) => !before.has(button));
}
