// A live picture in which a place is pointed at: by a click, a finger, or a cross moved with the arrow keys.

import { html } from "htm/preact";
import { useRef } from "preact/hooks";

import { rosterOf } from "../../store.js";
import { Picture } from "../../widgets/picture.js";
import { QUEUE } from "../../words.js";

const STEP = 0.02;
const FINE = 0.005;

/** @typedef {{x: number, y: number}} Place shares of the picture, from its top left */

/**
 * @param {object} props
 * @param {string} props.robotId
 * @param {Place | null} props.point
 * @param {(point: Place) => void} props.onPoint
 */
export function PointPicture({ robotId, point, onPoint }) {
  const area = useRef(/** @type {HTMLDivElement | null} */ (null));
  const camera = rosterOf(robotId)?.spec?.cameras[0];
  const aspect = camera ? camera.width / camera.height : 4 / 3;
  const onClick = (/** @type {PointerEvent} */ event) => {
    const box = area.current?.getBoundingClientRect();
    if (!box) return;
    onPoint(inside({ x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height }));
    area.current?.focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const step = event.shiftKey ? FINE : STEP;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (!move) return;
    event.preventDefault();
    const { x, y } = point ?? { x: 0.5, y: 0.5 };
    onPoint(inside({ x: x + (move[0] ?? 0), y: y + (move[1] ?? 0) }));
  };
  // The area has the picture's own shape, so that a share of it is a share of the picture.
  return html`<div class="point-frame">
    <div
      ref=${area}
      class="point-area"
      style=${{ aspectRatio: String(aspect) }}
      tabindex="0"
      role="application"
      data-own-keys
      aria-label=${`${QUEUE.liveOf(robotId)}. ${QUEUE.pointHint}`}
      onPointerDown=${onClick}
      onKeyDown=${onKeyDown}
    >
      <${Picture} key=${`point ${robotId}`} robotId=${robotId} camera=${0} fps=${10} width=${640} label=${QUEUE.liveOf(robotId)} />
      ${point && html`<span class="point-cross" aria-hidden="true" style=${{ left: `${point.x * 100}%`, top: `${point.y * 100}%` }}></span>`}
    </div>
    <p class="quiet" role="status">${point ? QUEUE.pointed(point.x, point.y) : QUEUE.pointHint}</p>
  </div>`;
}

/**
 * @param {Place} place
 * @returns {Place}
 */
function inside({ x, y }) {
  return { x: Math.max(0, Math.min(1, x)), y: Math.max(0, Math.min(1, y)) };
}
