/**
 * States of a robot as a person reads them: a word, a shape and a colour, always all three.
 *
 * @import { ControlMode } from "../../core/types.js"
 */

/** @type {Record<ControlMode, {word: string, shape: string, sentence: string}>} */
export const MODES = {
  autonomous: { word: "Autonomous", shape: "▶", sentence: "The policy drives." },
  paused: { word: "Paused", shape: "❚❚", sentence: "A person holds it; it stands still." },
  correcting: { word: "Correcting", shape: "◆", sentence: "A person drives." },
  lost: { word: "Lost", shape: "?", sentence: "The link to its person went away; it holds still until somebody takes it." },
  stopped: { word: "Stopped", shape: "■", sentence: "It is latched; somebody must look and clear it." },
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
