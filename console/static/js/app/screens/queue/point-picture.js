// A live picture in which a place is pointed at: by a click, a finger, or a cross moved with the arrow keys.

import { html } from "htm/preact";
import { useRef } from "preact/hooks";

import { rosterOf } from "../../store.js";
import { Picture } from "../../widgets/picture.js";
import { QUEUE } from "../../words.js";

const STEP = 0.02;
const FINE = 0.005;

/** @typedef {{x: number, y: number, camera: string}} Place shares of that camera's picture, from its top left */

/**
 * @param {object} props
 * @param {string} props.robotId
 * @param {number} props.camera  its place in the spec's cameras
 * @param {Place | null} props.point
 * @param {(point: Place) => void} props.onPoint
 */
export function PointPicture({ robotId, camera: index, point, onPoint }) {
  const area = useRef(/** @type {HTMLDivElement | null} */ (null));
  const camera = rosterOf(robotId)?.spec?.cameras[index];
  const name = camera?.name ?? "";
  const own = point?.camera === name ? point : null;
  const aspect = camera ? camera.width / camera.height : 4 / 3;
  const onClick = (/** @type {PointerEvent} */ event) => {
    const box = area.current?.getBoundingClientRect();
    if (!box) return;
    onPoint(inside((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, name));
    area.current?.focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const step = event.shiftKey ? FINE : STEP;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (!move) return;
    event.preventDefault();
    const { x, y } = own ?? { x: 0.5, y: 0.5 };
    onPoint(inside(x + (move[0] ?? 0), y + (move[1] ?? 0), name));
  };
  // The area has the picture's own shape, so that a share of it is a share of the picture.
  return html`<div class="point-frame">
    <div class="point-room">
      <div
        ref=${area}
        class="point-area"
        style=${{ "--shape": aspect }}
        tabindex="0"
        role="application"
        data-own-keys
        aria-label=${`${QUEUE.liveOf(robotId)}. ${QUEUE.pointHint}`}
        onPointerDown=${onClick}
        onKeyDown=${onKeyDown}
      >
        <${Picture} key=${`point ${robotId}`} robotId=${robotId} camera=${index} fps=${10} width=${640} label=${QUEUE.liveOf(robotId)} />
        ${own && html`<span class="point-cross" aria-hidden="true" style=${{ left: `${own.x * 100}%`, top: `${own.y * 100}%` }}></span>`}
      </div>
    </div>
    <p class="quiet" role="status">${own ? QUEUE.pointed(own.x, own.y, own.camera) : QUEUE.pointHint}</p>
  </div>`;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} camera
 * @returns {Place}
 */
function inside(x, y, camera) {
  return { x: Math.max(0, Math.min(1, x)), y: Math.max(0, Math.min(1, y)), camera };
}
