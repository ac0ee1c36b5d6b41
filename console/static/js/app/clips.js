/**
 * What happened before each request: the pictures worker keeps the newest seconds of every robot while somebody has
 * the queue open, and a request takes its copy when it is raised.
 *
 * @import { FromPictures, HelpRequest } from "../core/types.js"
 */

import { signal } from "@preact/signals";

import { onPictures, postPictures } from "./links.js";
import { recordedClip } from "./recorded-clip.js";
import { help, robots, roster } from "./store.js";

/**
 * @typedef {object} Clip
 * @property {{beforeMs: number, jpeg: Blob}[]} pictures oldest first
 * @property {number} takenStep of the robot when it was taken
 * @property {string} episodeId
 * @property {boolean} isBefore it shows the time before the request; false: this page came later
 */

export const CLIP_MS = 10_000;
const KEPT_FPS = 4;
const KEPT_WIDTH = 320;
/** The server shows a page 32 views at most; some are for live pictures. */
const MAX_KEPT = 24;
const MIN_PICTURES = 2;
/** A little after the request, so that the clip also shows how it stands now. */
const AFTER_MS = 1000;
/** An episode reaches the lake about a second after its end. */
const RETRY_MS = 3000;

/** By request. */
export const clips = signal(/** @type {ReadonlyMap<string, Clip>} */ (new Map()));

/** @type {Set<string>} */
const kept = new Set();
let sinceMs = 0;
let numKeepers = 0;
/** @type {Map<string, {requestId: string, isBefore: boolean}>} asked of the worker, by view */
const wanted = new Map();
/** Requests whose clip is read, or was looked for, in the lake. @type {Set<string>} */
const read = new Set();

/**
 * Keep the newest seconds of every robot.
 * @returns {() => void} stops it
 */
export function keepPictures() {
  if (numKeepers === 0) sinceMs = performance.now();
  numKeepers += 1;
  const stopListening = onPictures(hear);
  return () => {
    stopListening();
    numKeepers -= 1;
    if (numKeepers) return;
    for (const robotId of kept) postPictures({ type: "hide", viewId: viewOf(robotId) });
    kept.clear();
    clips.value = new Map();
  };
}

/** Follow the roster, and take clips of requests that have none; call it now and then. */
export function followRequests() {
  const names = (roster.value ?? []).slice(0, MAX_KEPT).map((robot) => robot.robot_id);
  for (const robotId of names) {
    if (kept.has(robotId)) continue;
    kept.add(robotId);
    const view = { viewId: viewOf(robotId), robotId, camera: 0, fps: KEPT_FPS, width: KEPT_WIDTH, keepMs: CLIP_MS };
    postPictures({ type: "show", view, canvas: null });
  }
  const keptMs = performance.now() - sinceMs;
  for (const request of help.value) {
    const clip = clips.value.get(request.request_id);
    const waitedMs = request.waiting_s * 1000;
    // Whoever opens the page late sees the latest seconds instead: better than nothing, and said so.
    const isBefore = keptMs - waitedMs > CLIP_MS / 2;
    if (clip?.isBefore || (clip && keptMs > CLIP_MS + AFTER_MS)) continue;
    if (isBefore && waitedMs < AFTER_MS) continue;
    if (!isBefore && isOver(request)) {
      void readClip(request);
      continue;
    }
    wanted.set(viewOf(request.robot_id), { requestId: request.request_id, isBefore });
    postPictures({ type: "clip", viewId: viewOf(request.robot_id) });
  }
  forgetEnded();
}

/**
 * Whether the robot does something else by now, so that its newest pictures show another episode.
 * @param {HelpRequest} request
 */
function isOver(request) {
  const robot = robots.value.get(request.robot_id);
  return Boolean(request.episode_id && robot && robot.episode_id !== request.episode_id);
}

/** @param {HelpRequest} request about an episode that has ended: its last seconds are in the lake, soon */
async function readClip({ request_id, episode_id }) {
  if (read.has(request_id)) return;
  read.add(request_id);
  const clip = await recordedClip(episode_id, CLIP_MS / 1000, KEPT_FPS).catch(() => null);
  if (clip) clips.value = new Map([...clips.value, [request_id, clip]]);
  else setTimeout(() => read.delete(request_id), RETRY_MS);
}

function forgetEnded() {
  const open = new Set(help.value.map((request) => request.request_id));
  const left = [...clips.value].filter(([requestId]) => open.has(requestId));
  if (left.length !== clips.value.size) clips.value = new Map(left);
}

/** @param {FromPictures} message */
function hear(message) {
  if (message.type !== "clip") return;
  const asked = wanted.get(message.viewId);
  const request = help.value.find((one) => one.request_id === asked?.requestId);
  if (!asked || !request || message.pictures.length < MIN_PICTURES) return;
  wanted.delete(message.viewId);
  const robot = robots.value.get(request.robot_id);
  const pictures = message.pictures.map(({ beforeMs, jpeg }) => ({ beforeMs, jpeg: new Blob([jpeg], { type: "image/jpeg" }) }));
  const clip = { pictures, takenStep: robot?.step_index ?? 0, episodeId: robot?.episode_id ?? "", isBefore: asked.isBefore };
  clips.value = new Map([...clips.value, [request.request_id, clip]]);
}

/** @param {string} robotId */
function viewOf(robotId) {
  return `kept-${robotId}`;
}
