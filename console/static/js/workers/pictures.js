/**
 * The pictures worker: socket, decoding and drawing, so that the page's thread is free for hands. A picture is
 * drawn with its age when it is old, and grey with the word "frozen" when it is older than a second: a stale
 * picture that looks live is the most dangerous thing a screen can do. Messages are in core/types.js.
 *
 * @import { FromPictures, GiveTicket, ShowView, SizeView, ToPictures, ViewHealth } from "../core/types.js"
 */

import { Backoff } from "../core/backoff.js";
import { nowMs } from "../core/clock.js";
import { milliseconds } from "../core/format.js";
import { frameHeader, HEADER_BYTES } from "../core/frame_header.js";
import { PictureRing } from "../core/picture_ring.js";
import { OLD_MS, PictureViews } from "../core/picture_views.js";

const AGES_MS = 250;
const SLOW_FPS = 5;

/** @typedef {{canvas: OffscreenCanvas, pen: OffscreenCanvasRenderingContext2D, bitmap: ImageBitmap | null,
 *             isMarked: boolean, oldMs: number}} Surface */
/** @type {Map<string, Surface>} */
const surfaces = new Map();
const views = new PictureViews();
const ring = new PictureRing();
const backoff = new Backoff();
let url = "";
let isVisible = true;
/** @type {WebSocket | null} */
let socket = null;

const post = (/** @type {FromPictures} */ message) => postMessage(message);

/** @param {GiveTicket} message */
function dial({ ticket }) {
  const dialled = new WebSocket(`${url}?ticket=${encodeURIComponent(ticket)}`);
  dialled.binaryType = "arraybuffer";
  dialled.onopen = () => {
    backoff.reset();
    views.connected();
    post({ type: "connection", state: "open", reason: "", retryInMs: 0 });
    watch();
  };
  dialled.onmessage = (event) => void take(event.data);
  dialled.onclose = (event) => lost(event.reason, false);
  socket = dialled;
}

/**
 * @param {string} reason
 * @param {boolean} isFinal
 */
function lost(reason, isFinal) {
  socket = null;
  const retryInMs = isFinal ? 0 : backoff.nextMs();
  post({ type: "connection", state: isFinal ? "refused" : "lost", reason, retryInMs });
  if (!isFinal) backoff.later(retryInMs, () => post({ type: "ticket_wanted" }));
}

function watch() {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(views.watchMessage(isVisible)));
}

/**
 * One picture: decode, draw, and only then ask for the next.
 * @param {ArrayBuffer | string} data
 */
async function take(data) {
  const header = typeof data === "string" ? null : frameHeader(data);
  if (!header || typeof data === "string") return;
  const shown = views.take(header);
  const surface = shown && surfaces.get(shown.view.viewId);
  if (shown?.view.keepMs) {
    const { viewId, keepMs } = shown.view;
    ring.add(viewId, keepMs, { receivedMs: nowMs(), jpeg: data.slice(HEADER_BYTES) });
  }
  if (shown && surface) {
    const bitmap = await decoded(data);
    if (bitmap && shown.sequence === header.sequence) {
      surface.bitmap?.close();
      surface.bitmap = bitmap;
      views.drawn(shown, header.captureNs, nowMs());
      draw(surface, "", false);
    } else {
      bitmap?.close();
    }
  }
  if (socket?.readyState === WebSocket.OPEN) socket.send('{"type":"credit","n":1}');
}

/**
 * @param {ArrayBuffer} data
 * @returns {Promise<ImageBitmap | null>} null for a picture that is broken
 */
async function decoded(data) {
  try {
    return await createImageBitmap(new Blob([new Uint8Array(data, HEADER_BYTES)], { type: "image/jpeg" }));
  } catch {
    return null;
  }
}

/**
 * The newest picture, whole and centred, with what has to be said about it.
 * @param {Surface} surface
 * @param {string} words
 * @param {boolean} isGrey
 */
function draw({ canvas, pen, bitmap }, words, isGrey) {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (bitmap) {
    const scale = Math.min(canvas.width / bitmap.width, canvas.height / bitmap.height);
    const [width, height] = [bitmap.width * scale, bitmap.height * scale];
    pen.filter = isGrey ? "grayscale(1) brightness(0.6)" : "none";
    pen.drawImage(bitmap, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
    pen.filter = "none";
  }
  if (words) label(canvas, pen, words);
}

/**
 * White on black at the lower edge, whatever the theme: it lies on a picture.
 * @param {OffscreenCanvas} canvas
 * @param {OffscreenCanvasRenderingContext2D} pen
 * @param {string} words
 */
function label(canvas, pen, words) {
  const size = Math.max(12, Math.round(canvas.height / 16));
  pen.font = `600 ${size}px system-ui, sans-serif`;
  const width = pen.measureText(words).width + size;
  const top = canvas.height - 1.6 * size;
  pen.fillStyle = "rgb(0 0 0 / 0.8)";
  pen.fillRect((canvas.width - width) / 2, top, width, 1.6 * size);
  pen.fillStyle = "white";
  pen.textAlign = "center";
  pen.fillText(words, canvas.width / 2, top + 1.15 * size);
}

/** Ages to the page, and onto pictures that are old. */
function tellAges() {
  const health = views.health(nowMs());
  for (const view of health) mark(view);
  post({ type: "ages", views: health });
}

/** @param {ViewHealth} view */
function mark({ viewId, ageMs, isFrozen }) {
  const surface = surfaces.get(viewId);
  const isOld = surface !== undefined && ageMs > surface.oldMs;
  if (!surface || (!isOld && !surface.isMarked)) return;
  surface.isMarked = isOld;
  const words = isFrozen ? `frozen, ${milliseconds(ageMs)} old` : `${milliseconds(ageMs)} old`;
  draw(surface, isOld ? words : "", isFrozen);
}

/** @param {ShowView} message */
function show({ view, canvas }) {
  const pen = canvas?.getContext("2d");
  if (canvas && pen) surfaces.set(view.viewId, { canvas, pen, bitmap: null, isMarked: false, oldMs: OLD_MS });
  const surface = surfaces.get(view.viewId);
  // Two pictures a second are half a second apart, and not old for that.
  if (surface) surface.oldMs = view.fps < SLOW_FPS ? OLD_MS + 1000 / Math.max(view.fps, 1) : OLD_MS;
  views.show(view, nowMs());
  // What another camera saw must not stay under a new name.
  if (surface && !views.health(nowMs()).some((row) => row.viewId === view.viewId && row.numDrawn)) {
    surface.bitmap?.close();
    surface.bitmap = null;
    draw(surface, "", false);
  }
  watch();
}

/** @param {SizeView} message */
function resize({ viewId, width, height }) {
  const surface = surfaces.get(viewId);
  if (!surface || (surface.canvas.width === width && surface.canvas.height === height)) return;
  surface.canvas.width = Math.max(1, width);
  surface.canvas.height = Math.max(1, height);
  draw(surface, "", false);
}

/** @param {string} viewId */
function hide(viewId) {
  surfaces.get(viewId)?.bitmap?.close();
  surfaces.delete(viewId);
  ring.forget(viewId);
  views.hide(viewId);
  watch();
}

onmessage = (/** @type {MessageEvent<ToPictures>} */ { data }) => {
  if (data.type === "start") {
    url = data.url;
    data.clocks.onmessage = (event) => views.clocks(event.data);
    setInterval(tellAges, AGES_MS);
    post({ type: "ticket_wanted" });
  } else if (data.type === "ticket") dial(data);
  else if (data.type === "ticket_failed") lost(data.reason, data.isFinal);
  else if (data.type === "show") show(data);
  else if (data.type === "size") resize(data);
  else if (data.type === "hide") hide(data.viewId);
  else if (data.type === "clip") post({ type: "clip", viewId: data.viewId, pictures: ring.clip(data.viewId) });
  else {
    isVisible = data.isVisible;
    watch();
  }
};
