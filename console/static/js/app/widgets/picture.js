/**
 * A live picture: a canvas that the pictures worker draws into; it writes the age of an old one on it.
 * `viewId` must not change while the element lives: give the element a key.
 *
 *     html`<${Picture} robotId="robot-1" camera=${0} fps=${10} width=${320} label="robot-1, scene camera" />`
 *
 * @import { ViewHealth } from "../../core/types.js"
 */

import { signal } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { onPictures, postPictures } from "../links.js";

/** Every view on the page by its id, 4 times a second. @type {import("@preact/signals").Signal<Map<string, ViewHealth>>} */
export const pictureHealth = signal(new Map());
/** Why no picture comes; empty while the connection is up. */
export const pictureProblem = signal("");

onPictures((message) => {
  if (message.type === "ages") pictureHealth.value = new Map(message.views.map((view) => [view.viewId, view]));
  else if (message.type === "connection") pictureProblem.value = message.state === "open" ? "" : message.reason;
});

let numViews = 0;

/**
 * @param {object} props
 * @param {string} props.robotId
 * @param {number} props.camera place in the spec's cameras
 * @param {number} [props.fps]
 * @param {number} [props.width] of the picture asked for; what is drawn fills the element
 * @param {string} props.label for those who do not see it; empty where the element around it has words
 * @param {string} [props.viewId] to find it in `pictureHealth`
 */
export function Picture({ robotId, camera, fps = 10, width = 320, label, viewId }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const id = useMemo(() => viewId ?? `view-${++numViews}`, [viewId]);
  const isShown = useRef(false);

  useLayoutEffect(() => {
    const element = /** @type {HTMLCanvasElement} */ (canvas.current);
    const view = { viewId: id, robotId, camera, fps, width };
    // A canvas can be given away once; later changes go to the same one.
    const surface = isShown.current ? null : element.transferControlToOffscreen();
    isShown.current = true;
    postPictures({ type: "show", view, canvas: surface });
  }, [id, robotId, camera, fps, width]);

  useEffect(() => {
    const element = /** @type {HTMLCanvasElement} */ (canvas.current);
    const observer = new ResizeObserver(() => {
      const size = { width: element.clientWidth, height: element.clientHeight };
      const [w, h] = [size.width * devicePixelRatio, size.height * devicePixelRatio].map(Math.round);
      postPictures({ type: "size", viewId: id, width: w ?? 1, height: h ?? 1 });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      postPictures({ type: "hide", viewId: id });
    };
  }, [id]);

  const health = pictureHealth.value.get(id);
  const isWaiting = !health || health.numDrawn === 0;
  return html`<div class="picture ${health?.isFrozen ? "is-frozen" : ""}">
    <canvas ref=${canvas} role=${label ? "img" : "presentation"} aria-label=${label || null}></canvas>
    ${isWaiting && html`<p class="picture-note">${pictureProblem.value || "Waiting for a picture"}</p>`}
  </div>`;
}
