// A few lines over a numeric axis, each with its band; for curves of tens of points, not for time series.

import { html } from "htm/preact";

import { ChartKey } from "./chart-key.js";
import { VerticalAxis } from "./interval-plot.js";
import { extent, linear, ticks } from "./scale.js";
import { markerPath, seriesStyle } from "./series-style.js";
import { useWidth } from "./size.js";
import { linePath } from "./sparkline.js";

const LEFT = 52;
const TOP = 8;
const BOTTOM = 36;

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {number[]} x
 * @property {number[]} y
 * @property {number[] | null} low  lower edge of the band; null where there is none
 * @property {number[] | null} high
 * @property {number[] | null} n  draws a marker per point, its area growing with the count
 */

/**
 * @param {object} props
 * @param {Line[]} props.lines
 * @param {string} props.xAxis
 * @param {string} props.yAxis
 * @param {(value: number) => string} props.format  of both axes
 * @param {boolean} [props.hasDiagonal]  a line where x equals y: perfect
 * @param {string} props.summary
 * @param {number} [props.height]
 */
export function LinePlot({ lines, xAxis, yAxis, format, hasDiagonal = false, summary, height = 230 }) {
  const { ref, width } = useWidth(420);
  const xs = lines.flatMap((line) => line.x);
  const ys = lines.flatMap((line) => [...line.y, ...(line.low ?? []), ...(line.high ?? [])]);
  const both = hasDiagonal ? [...xs, ...ys] : null;
  const [left, right] = extent(both ?? xs, [0, 1]);
  const [lowest, highest] = extent(both ?? ys, [0, 1]);
  const margin = hasDiagonal ? 0 : (highest - lowest) * 0.06;
  const [low, high] = [lowest - margin, highest + margin];
  const x = linear(left, right, LEFT, width - 10);
  const y = linear(low, high, height - BOTTOM, TOP + 10);
  return html`<div ref=${ref} class="chart">
    <svg width=${width} height=${height} role="img" aria-label=${summary}>
      <${VerticalAxis} scale=${y} left=${LEFT} right=${width - 10} format=${format} />
      ${ticks(left, right, 5).map(
        (tick) => html`<text key=${tick} class="chart-tick" x=${x.at(tick)} y=${height - BOTTOM + 15} text-anchor="middle">${format(tick)}</text>`,
      )}
      <text class="chart-axis-title" x=${(LEFT + width) / 2} y=${height - 5} text-anchor="middle">${xAxis}</text>
      <text class="chart-axis-title" x=${LEFT} y="10">${yAxis}</text>
      ${hasDiagonal && html`<line class="chart-reference" x1=${x.at(left)} y1=${y.at(left)} x2=${x.at(right)} y2=${y.at(right)} />`}
      ${lines.map((line, order) => html`<${Curve} key=${line.name} line=${line} order=${order} x=${x} y=${y} />`)}
    </svg>
    <${ChartKey} names=${lines.map((line) => line.name)} note=${hasDiagonal ? "dotted: perfect" : ""} />
  </div>`;
}

/**
 * @param {object} props
 * @param {Line} props.line
 * @param {number} props.order
 * @param {import("./scale.js").Scale} props.x
 * @param {import("./scale.js").Scale} props.y
 */
function Curve({ line, order, x, y }) {
  const style = seriesStyle(line.name, order);
  const places = linear(0, 1, 0, 1);
  const largest = Math.max(1, ...(line.n ?? [1]));
  const points = line.x.map((value) => x.at(value));
  const toPlace = { ...places, at: (/** @type {number} */ index) => points[index] };
  return html`<g>
    ${line.low && line.high && html`<path class=${`chart-band series-${style.index}`} d=${bandPath(line, points, y)} />`}
    <path class=${`chart-line series-${style.index}`} stroke-dasharray=${style.dash.join(" ")} d=${linePath(line.y, toPlace, y)} />
    ${(line.n ?? []).map(
      (n, index) => html`<path key=${index} class=${`chart-marker series-${style.index}`} d=${markerPath(style.shape, points[index], y.at(line.y[index]), 2.5 + 4 * Math.sqrt(n / largest))}>
        <title>${line.name}: ${n} steps</title>
      </path>`,
    )}
  </g>`;
}

/**
 * @param {Line} line  with both edges
 * @param {number[]} points  horizontal places
 * @param {import("./scale.js").Scale} y
 * @returns {string}
 */
function bandPath(line, points, y) {
  const upper = (line.high ?? []).map((value, index) => `${points[index].toFixed(1)},${y.at(value).toFixed(1)}`);
  const lower = (line.low ?? []).map((value, index) => `${points[index].toFixed(1)},${y.at(value).toFixed(1)}`);
  return upper.length ? `M${upper.join("L")}L${lower.reverse().join("L")}z` : "";
}
