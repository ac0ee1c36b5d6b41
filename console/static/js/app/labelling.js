// Labels given on a review screen: each waits 5 s, in which it can be taken back, and is then sent.

import { signal } from "@preact/signals";

import { api } from "./api.js";
import { inWords } from "./resource.js";

export const UNDO_S = 5;

/**
 * @typedef {object} PendingLabel
 * @property {string} episodeId
 * @property {string} outcome
 * @property {string} reason
 * @property {number} progress  1 to 5; 0 where nobody said
 * @property {"waiting" | "sending" | "sent" | "failed"} state
 * @property {string} words  why it failed
 */

/** Newest first; a receipt stays until the next label or until it is dismissed. */
export const pendingLabels = signal(/** @type {PendingLabel[]} */ ([]));

/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const timers = new Map();

/**
 * Give a label. An earlier one of the same episode that still waits is replaced.
 * @param {string} episodeId
 * @param {string} outcome
 * @param {string} [reason]
 * @param {number} [progress]
 */
export function giveLabel(episodeId, outcome, reason = "", progress = 0) {
  clearTimeout(timers.get(episodeId));
  const kept = pendingLabels.value.filter((label) => label.episodeId !== episodeId && label.state !== "sent");
  pendingLabels.value = [{ episodeId, outcome, reason, progress, state: "waiting", words: "" }, ...kept];
  timers.set(episodeId, setTimeout(() => void send(episodeId), UNDO_S * 1000));
}

/**
 * Take a label back that was not sent yet, or dismiss a receipt.
 * @param {string} episodeId
 */
export function takeBack(episodeId) {
  clearTimeout(timers.get(episodeId));
  timers.delete(episodeId);
  pendingLabels.value = pendingLabels.value.filter((label) => label.episodeId !== episodeId);
}

/** Send what still waits, because the person leaves. */
export function sendWaiting() {
  for (const label of pendingLabels.value) {
    if (label.state === "waiting") void send(label.episodeId);
  }
}

/**
 * The label that an episode has or is about to have.
 * @param {import("./shapes.js").Episode} episode
 * @returns {string}
 */
export function outcomeNow(episode) {
  const pending = pendingLabels.value.find((label) => label.episodeId === episode.episode_id && label.state !== "failed");
  return pending?.outcome ?? episode.outcome;
}

/** @param {string} episodeId */
async function send(episodeId) {
  clearTimeout(timers.get(episodeId));
  timers.delete(episodeId);
  const label = pendingLabels.value.find((one) => one.episodeId === episodeId);
  if (label?.state !== "waiting") return;
  change(episodeId, "sending", "");
  try {
    const { outcome, reason, progress } = label;
    await api.post(`/api/episodes/${encodeURIComponent(episodeId)}/labels`, { outcome, reason, progress });
    change(episodeId, "sent", "");
  } catch (problem) {
    change(episodeId, "failed", inWords(problem));
  }
}

/**
 * @param {string} episodeId
 * @param {PendingLabel["state"]} state
 * @param {string} words
 */
function change(episodeId, state, words) {
  // A newer label of the same episode may wait by now: it is not the one that was answered.
  const from = state === "sending" ? "waiting" : "sending";
  pendingLabels.value = pendingLabels.value.map((label) => (label.episodeId === episodeId && label.state === from ? { ...label, state, words } : label));
}

addEventListener("pagehide", sendWaiting);
