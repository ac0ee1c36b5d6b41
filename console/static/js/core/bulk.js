/**
 * What became of a deed that was asked of several robots at once, by each robot's own report.
 *
 * @import { RobotState } from "./types.js"
 * @typedef {"stop" | "clear_stop" | "instruct"} Deed
 * @typedef {{state: "done" | "refused" | "waiting" | "silent", words: string}} Result
 */

/** A robot that has not done it by then is shown as one to look at. */
export const ANSWER_WITHIN_MS = 5000;

/**
 * The message that asks one robot; the same as from its own screen.
 * @param {Deed} deed
 * @param {string} robotId
 * @param {string} words the reason, or the instruction
 * @returns {{type: string, [field: string]: unknown}}
 */
export function messageOf(deed, robotId, words) {
  if (deed === "instruct") return { type: deed, robot_id: robotId, instruction: words };
  if (deed === "clear_stop") return { type: deed, robot_id: robotId, confirm: robotId, reason: words };
  return { type: deed, robot_id: robotId, reason: words };
}

/**
 * @param {Deed} deed
 * @param {string} words the instruction, where it is one
 * @param {Pick<RobotState, "mode" | "instruction"> | undefined} robot its newest report; undefined where it sends none
 * @param {string} refusal why the gateway or the console refused; empty where neither did
 * @param {number} waitedMs
 * @returns {Result}
 */
export function resultOf(deed, words, robot, refusal, waitedMs) {
  if (refusal) return { state: "refused", words: `refused: ${refusal}` };
  if (robot && deed === "stop" && robot.mode === "stopped") return { state: "done", words: "stopped" };
  if (robot && deed === "clear_stop" && robot.mode !== "stopped") return { state: "done", words: `cleared, now ${robot.mode}` };
  if (robot && deed === "instruct" && robot.instruction === words) return { state: "done", words: "told, until its episode ends" };
  if (waitedMs < ANSWER_WITHIN_MS) return { state: "waiting", words: "asked" };
  return { state: "silent", words: robot ? "asked, but its report does not show it: look at it" : "it does not report: look at it" };
}
