// The critic's value over the seconds of a clip, with a cursor where the clip is now.

import { html } from "htm/preact";

import { QUEUE } from "../words.js";
import { extent, linear } from "./scale.js";
import { linePath } from "./sparkline.js";

const HEIGHT = 56;
const WIDTH = 600;

/**
 * @param {object} props
 * @param {readonly {step_index: number, value: number}[]} props.points of one episode, oldest first
 * @param {number} props.first step
 * @param {number} props.last step
 * @param {number | null} [props.cursor] step
 */
export function ValueTrace({ points, first, last, cursor = null }) {
  const shown = points.filter((point) => point.step_index >= first && point.step_index <= last);
  const newest = shown.at(-1);
  if (shown.length < 2 || !newest) return html`<p class="value-trace-none">${QUEUE.valueNone}</p>`;
  const known = shown.map((point) => point.value);
  const [low, high] = extent(known, [-1, 0]);
  const x = linear(first, Math.max(last, first + 1), 2, WIDTH - 2);
  const y = linear(low, high, HEIGHT - 4, 4);
  const places = { ...x, at: (/** @type {number} */ index) => x.at(/** @type {any} */ (shown[index]).step_index) };
  const fall = newest.value - Math.max(...known);
  const words = `${QUEUE.value} ${signed(newest.value)}${fall < -0.005 ? `, ${Math.abs(fall).toFixed(2)} below its best` : ""}`;
  return html`<figure class="value-trace">
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${words}>
      <path class="chart-line series-1" d=${linePath(known, places, y)} vector-effect="non-scaling-stroke" />
      ${cursor !== null && html`<line class="value-cursor" x1=${x.at(cursor)} x2=${x.at(cursor)} y1="0" y2=${HEIGHT} vector-effect="non-scaling-stroke" />`}
    </svg>
    <figcaption>${words}</figcaption>
  </figure>`;
}

/**
 * @param {number} value
 * @returns {string} with a true minus sign
 */
function signed(value) {
  return `${value < 0 ? "\u2212" : ""}${Math.abs(value).toFixed(2)}`;
}
