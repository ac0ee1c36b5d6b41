/**
 * The gripper's own channel: a key moves it from one end to the other, and no axis does.
 *
 * @import { Channel } from "./types.js"
 */

/**
 * Its place among the action's channels; -1 where the robot has none.
 * @param {Channel[]} channels
 */
export function gripperOf(channels) {
  return channels.findIndex((channel) => /grip/i.test(channel.name));
}

/**
 * @param {number[]} action
 * @param {Channel[]} channels
 * @param {number} side -1, 1, or 0 before its key was pressed
 * @returns {number[]} the action, with the gripper where its key put it
 */
export function withGripper(action, channels, side) {
  const place = gripperOf(channels);
  return place < 0 ? action : action.map((value, channel) => (channel === place ? side : value));
}
