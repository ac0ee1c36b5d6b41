// Many channels over time at once: a row each, darker where it is farther from zero. To see that something
// touched, where and when; the exact figures are in the charts of single channels.

import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { colourOf, onThemeChange } from "../colour.js";
import { useWidth } from "./size.js";

/** As wide as the axis of a chart, so that both have the same step below each other. */
const LEFT = 56;
const RIGHT = 12;
const MAX_ROW = 10;
const HEIGHT = 150;

/** @typedef {{name: string, min: (number | null)[], max: (number | null)[]}} Row */

/**
 * @param {object} props
 * @param {Row[]} props.rows
 * @param {number} props.numColumns
 * @param {[number, number]} props.range  of the steps
 * @param {number} props.marker  the step that is shown
 * @param {string} props.axis
 * @param {(step: number) => void} props.onPick
 */
export function HeatStrip({ rows, numColumns, range, marker, axis, onPick }) {
  const { ref, width } = useWidth(480);
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const inside = Math.max(10, width - LEFT - RIGHT);
  const height = Math.min(HEIGHT, rows.length * MAX_ROW);
  const draw = () => canvas.current && paint(canvas.current, rows, numColumns);
  useLayoutEffect(() => void draw(), [rows, numColumns, inside]);
  useEffect(() => onThemeChange(draw), [rows, numColumns]);
  const share = (marker - range[0]) / (range[1] - range[0] || 1);
  const pick = (/** @type {MouseEvent} */ event) => onPick(range[0] + (event.offsetX / inside) * (range[1] - range[0]));
  return html`<div ref=${ref} class="chart">
    <p class="chart-caption"><span class="chart-axis-title">${axis}</span></p>
    <div class="heat-strip" style=${{ marginInlineStart: `${LEFT}px`, inlineSize: `${inside}px`, blockSize: `${height}px` }}>
      <canvas ref=${canvas} role="img" aria-label=${inWords(rows, axis)} onClick=${pick}></canvas>
      ${share >= 0 && share <= 1 && html`<span class="heat-strip-marker" style=${{ insetInlineStart: `${100 * share}%` }}></span>`}
    </div>
    <p class="chart-key">${inWords(rows, axis)}</p>
  </div>`;
}

/**
 * One canvas pixel a channel and bucket; the browser stretches it.
 * @param {HTMLCanvasElement} canvas
 * @param {Row[]} rows
 * @param {number} numColumns
 */
function paint(canvas, rows, numColumns) {
  canvas.width = Math.max(1, numColumns);
  canvas.height = rows.length;
  const context = canvas.getContext("2d");
  if (!context) return;
  const most = Math.max(...rows.map(largest), 1e-9);
  context.fillStyle = colourOf("--series-1");
  rows.forEach((row, y) => {
    for (let x = 0; x < numColumns; x += 1) {
      context.globalAlpha = Math.min(1, Math.max(Math.abs(row.min[x] ?? 0), Math.abs(row.max[x] ?? 0)) / most);
      context.fillRect(x, y, 1, 1);
    }
  });
}

/**
 * @param {Row} row
 * @returns {number} farthest from zero
 */
function largest(row) {
  return [...row.min, ...row.max].reduce((/** @type {number} */ most, value) => Math.max(most, Math.abs(value ?? 0)), 0);
}

/**
 * @param {Row[]} rows
 * @param {string} axis
 * @returns {string}
 */
function inWords(rows, axis) {
  const strongest = rows.toSorted((one, other) => largest(other) - largest(one))[0];
  return `${axis}: ${rows.length} channels; strongest ${strongest.name}, ${Number(largest(strongest).toPrecision(3))}`;
}
