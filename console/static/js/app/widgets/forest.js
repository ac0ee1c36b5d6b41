// One row per task: an interval on a common axis, its count and its value in words at the right.

import { html } from "htm/preact";

import { ChartLink } from "./chart-link.js";
import { FEW } from "./interval-plot.js";
import { extent, linear, ticks } from "./scale.js";
import { markerPath, seriesStyle } from "./series-style.js";
import { useWidth } from "./size.js";

const ROW = 34;
const RIGHT = 150;
const BOTTOM = 34;

/**
 * @typedef {object} ForestRow
 * @property {string} label
 * @property {string} series  what kind of interval; gives colour and shape
 * @property {number} estimate
 * @property {number} low
 * @property {number} high
 * @property {number} n
 * @property {string} text  at the right, such as "+12 points, n 40"
 * @property {string} href
 */

/**
 * @param {object} props
 * @param {ForestRow[]} props.rows  top to bottom
 * @param {string[]} props.series
 * @param {number | null} props.reference  a vertical line: no difference
 * @param {[number, number] | null} props.domain
 * @param {(value: number) => string} props.format
 * @param {string} props.axis
 * @param {string} props.summary
 */
export function Forest({ rows, series, reference, domain, format, axis, summary }) {
  const { ref, width } = useWidth(480);
  const left = Math.min(180, width * 0.3);
  const height = rows.length * ROW + BOTTOM;
  const bounds = rows.flatMap((row) => [row.low, row.high]);
  const [low, high] = domain ?? extent(reference === null ? bounds : [...bounds, reference], [-1, 1]);
  const margin = domain ? 0 : (high - low) * 0.06;
  const x = linear(low - margin, high + margin, left, width - RIGHT);
  return html`<div ref=${ref} class="chart">
    <svg width=${width} height=${height} role="group" aria-label=${summary}>
      ${ticks(x.low, x.high, 4).map(
        (tick) => html`<g key=${tick} aria-hidden="true">
          <line class="chart-grid" x1=${x.at(tick)} x2=${x.at(tick)} y1="0" y2=${height - BOTTOM} />
          <text class="chart-tick" x=${x.at(tick)} y=${height - BOTTOM + 14} text-anchor="middle">${format(tick)}</text>
        </g>`,
      )}
      <text class="chart-axis-title" x=${(left + width - RIGHT) / 2} y=${height - 4} text-anchor="middle">${axis}</text>
      ${reference !== null &&
      html`<line class="chart-reference" x1=${x.at(reference)} x2=${x.at(reference)} y1="0" y2=${height - BOTTOM} />`}
      ${rows.map((row, index) => html`<${ForestLine} key=${index} row=${row} x=${x} y=${index * ROW + ROW / 2} width=${width} series=${series} />`)}
    </svg>
  </div>`;
}

/**
 * @param {object} props
 * @param {ForestRow} props.row
 * @param {import("./scale.js").Scale} props.x
 * @param {number} props.y
 * @param {number} props.width
 * @param {string[]} props.series
 */
function ForestLine({ row, x, y, width, series }) {
  const style = seriesStyle(row.series, series.indexOf(row.series));
  const low = Math.max(x.at(row.low), x.at(x.low));
  const high = Math.min(x.at(row.high), x.at(x.high));
  return html`<${ChartLink} href=${row.href} label=${`${row.label}: ${row.text}`}>
    <rect class="chart-target" x="0" y=${y - ROW / 2} width=${width} height=${ROW} />
    <text class="chart-label" x="0" y=${y + 4}>${row.label}</text>
    <line class=${`chart-whisker series-${style.index}`} x1=${low} x2=${high} y1=${y} y2=${y} />
    <line class=${`chart-whisker series-${style.index}`} x1=${low} x2=${low} y1=${y - 5} y2=${y + 5} />
    <line class=${`chart-whisker series-${style.index}`} x1=${high} x2=${high} y1=${y - 5} y2=${y + 5} />
    <path class=${`chart-marker series-${style.index} ${row.n < FEW ? "is-hollow" : ""}`} d=${markerPath(style.shape, x.at(row.estimate), y, 5)} />
    <text class="chart-label" x=${width - RIGHT + 14} y=${y + 4}>${row.text}</text>
  <//>`;
}
