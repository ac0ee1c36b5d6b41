/**
 * The picture of a moment of the last minute, big, while the live one goes on in the corner.
 *
 * @import { FromPictures } from "../../core/types.js"
 * @import { DriveSession } from "./session.js"
 */

import { html } from "htm/preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { nowMs } from "../../core/clock.js";
import { duration } from "../../core/format.js";
import { SPAN_MS } from "../../core/timeline.js";
import { onPictures, postPictures } from "../links.js";

const VIEW = "drive-past";
const KEPT_FPS = 3;
const KEPT_WIDTH = 480;

/** @typedef {{timeMs: number, jpeg: ArrayBuffer}} Past */

/** @param {{drive: DriveSession}} props */
export function LookBack({ drive }) {
  const [pictures, setPictures] = useState(/** @type {Past[]} */ ([]));
  const camera = drive.bigCamera.value;
  const cursorMs = drive.cursorMs.value;
  const isLooking = cursorMs !== null;
  useEffect(() => {
    const view = { viewId: VIEW, robotId: drive.robotId, camera, fps: KEPT_FPS, width: KEPT_WIDTH, keepMs: SPAN_MS };
    postPictures({ type: "show", view, canvas: null });
    return () => postPictures({ type: "hide", viewId: VIEW });
  }, [drive, camera]);
  useEffect(() => {
    if (!isLooking) return undefined;
    const stop = onPictures((message) => message.type === "clip" && message.viewId === VIEW && setPictures(dated(message)));
    postPictures({ type: "clip", viewId: VIEW });
    return stop;
  }, [isLooking, camera]);
  const past = isLooking ? pictures.findLast((picture) => picture.timeMs <= cursorMs) : undefined;
  const address = useMemo(() => (past ? URL.createObjectURL(new Blob([past.jpeg], { type: "image/jpeg" })) : ""), [past]);
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  if (!isLooking) return null;
  const words = `${duration((nowMs() - cursorMs) / 1000)} ago`;
  return html`<div class="look-back">
    ${address ? html`<img src=${address} alt=${`${drive.robotId}, ${words}`} />` : html`<p class="picture-note">No picture of that moment was kept.</p>`}
    <span class="look-back-words">${words}</span>
  </div>`;
}

/**
 * @param {Extract<FromPictures, {type: "clip"}>} clip
 * @returns {Past[]} oldest first
 */
function dated({ pictures }) {
  const now = nowMs();
  return pictures.map(({ beforeMs, jpeg }) => ({ timeMs: now - beforeMs, jpeg }));
}
