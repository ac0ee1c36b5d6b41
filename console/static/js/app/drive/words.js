/**
 * States of a robot as a person reads them: a word and a sentence; the shape is in widgets/state-badge.js.
 *
 * @import { ControlMode } from "../../core/types.js"
 */

/** @type {Record<ControlMode, {word: string, sentence: string}>} */
export const MODES = {
  autonomous: { word: "Autonomous", sentence: "The policy drives." },
  paused: { word: "Paused", sentence: "A person holds it; it stands still." },
  correcting: { word: "Correcting", sentence: "A person drives." },
  lost: { word: "Lost", sentence: "The link to its person went away; it holds still until somebody takes it." },
  stopped: { word: "Stopped", sentence: "It is latched; somebody must look and clear it." },
};

/** @type {Record<string, string>} */
export const OUTCOMES = { success: "Success", failure: "Failure", timed_out: "Timed out", unlabelled: "Not labelled" };

/** @type {Record<string, string>} */
export const STILL = {
  hidden: "This page was hidden",
  blurred: "This window is not in front",
  frozen: "The browser put this page to sleep",
  unplugged: "The device was unplugged",
  left: "You left the drive screen",
};
