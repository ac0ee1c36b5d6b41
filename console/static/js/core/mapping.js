/**
 * From a device's axes to a robot's action: corrections/mapping.py, line for line; both are tested on the
 * same table of numbers (tests/fixtures/mapping_cases.json).
 *
 *     axis -> dead-zone -> curve -> speed -> the action channel it is mapped to
 *
 * @import { Mapping } from "./types.js"
 */

import { AXES } from "./device.js";

/**
 * One axis after dead-zone and curve: 0 at the edge of the dead-zone, continuous, odd, +-1 at the end.
 * @param {number} value
 * @param {Mapping} mapping
 */
export function shape(value, mapping) {
  const beyond = Math.max(0, Math.min(1, Math.abs(value)) - mapping.dead_zone) / (1 - mapping.dead_zone);
  return beyond === 0 ? 0 : beyond ** mapping.curve * Math.sign(value);
}

/**
 * The action, one number in [-1, 1] per channel.
 * @param {number[]} axes six, of the device
 * @param {Mapping} mapping channels beyond its axes stay at rest
 * @param {{speedLevel: number, numAction: number}} how
 * @returns {number[]}
 */
export function actionOf(axes, mapping, { speedLevel, numAction }) {
  const speed = mapping.speeds[speedLevel] ?? 0;
  const action = new Array(numAction).fill(0);
  mapping.axes.slice(0, numAction).forEach((name, channel) => {
    const isTurned = name.startsWith("-");
    const axis = AXES.indexOf(isTurned ? name.slice(1) : name);
    action[channel] = speed * shape(axes[axis] ?? 0, mapping) * (isTurned ? -1 : 1) + 0;
  });
  return action;
}

/**
 * Where a person starts: the middle of the speeds, as in the terminal.
 * @param {Mapping} mapping
 */
export function firstSpeedLevel(mapping) {
  return Math.floor((mapping.speeds.length - 1) / 2);
}

/**
 * What a person may set for their own device; the words say what is wrong, empty if nothing is.
 * @param {Mapping} mapping
 */
export function mappingProblem(mapping) {
  if (!(mapping.dead_zone >= 0 && mapping.dead_zone < 1)) return "The dead-zone must be at least 0 and below 1.";
  if (!(mapping.curve > 0)) return "The curve must be above 0.";
  if (!mapping.speeds.length || !mapping.speeds.every((speed) => speed > 0 && speed <= 1)) {
    return "Each speed must be above 0 and at most 1.";
  }
  const wrong = mapping.axes.find((axis) => !AXES.includes(axis.replace(/^-/, "")));
  return wrong === undefined ? "" : `"${wrong}" is not an axis: ${AXES.join(", ")}, each with or without a -.`;
}
