// Rates with their 95 % intervals, one column per group (a version), one marker per series.
// A point never stands without its interval and its count; below 20 it is hollow.

import { html } from "htm/preact";

import { ChartKey } from "./chart-key.js";
import { ChartLink } from "./chart-link.js";
import { extent, linear, ticks } from "./scale.js";
import { markerPath, seriesStyle } from "./series-style.js";
import { useWidth } from "./size.js";

/** Fewer than this and a rate says little. */
export const FEW = 20;

const LEFT = 52;
const RIGHT = 12;
const TOP = 20;
const BOTTOM = 30;

/**
 * @typedef {object} IntervalPoint
 * @property {string} series
 * @property {number} estimate
 * @property {number | null} low  null where there is no interval
 * @property {number | null} high
 * @property {number} n
 * @property {string} href  empty where there is nothing to open
 * @property {string} label  the point in words
 */

/** @typedef {{label: string, points: IntervalPoint[]}} IntervalGroup */

/**
 * @param {object} props
 * @param {IntervalGroup[]} props.groups  left to right
 * @param {string[]} props.series
 * @param {(value: number) => string} props.format
 * @param {[number, number] | null} props.domain  null: from the data, with zero
 * @param {string} props.axis  what the vertical axis is, with its unit
 * @param {string} props.summary  the chart in one sentence
 * @param {number} [props.height]
 * @param {string} [props.countWord]  what the printed counts are of
 */
export function IntervalPlot({ groups, series, format, domain, axis, summary, height = 230, countWord = "episodes" }) {
  const { ref, width } = useWidth(480);
  const points = groups.flatMap((group) => group.points);
  const [, top] = domain ?? extent(points.flatMap((point) => [point.estimate, point.high]), [0, 1]);
  const y = linear(domain ? domain[0] : 0, domain ? domain[1] : top * 1.08 || 1, height - BOTTOM, TOP);
  const slot = (width - LEFT - RIGHT) / Math.max(1, groups.length);
  return html`<div ref=${ref} class="chart">
    <svg width=${width} height=${height} role="group" aria-label=${summary}>
      <${VerticalAxis} scale=${y} left=${LEFT} right=${width - RIGHT} format=${format} />
      <text class="chart-axis-title" x=${LEFT} y="11">${axis}</text>
      ${groups.map((group, index) => {
        const left = LEFT + slot * index;
        return html`<g key=${group.label}>
          ${index % labelEvery(slot) === 0 &&
          html`<text class="chart-tick" x=${left + slot / 2} y=${height - 10} text-anchor="middle">${group.label}</text>`}
          ${group.points.map((point) => {
            const place = left + (slot * (series.indexOf(point.series) + 1)) / (series.length + 1);
            return html`<${Marker} key=${point.series} point=${point} x=${place} y=${y} order=${series.indexOf(point.series)} />`;
          })}
        </g>`;
      })}
    </svg>
    <${ChartKey} names=${series} isMarker=${true} note=${`number: ${countWord}; hollow: fewer than ${FEW}`} />
  </div>`;
}

/**
 * How many columns share one printed label, so that labels do not run into each other.
 * @param {number} slot  width of a column in CSS pixels
 * @returns {number}
 */
function labelEvery(slot) {
  return Math.max(1, Math.ceil(34 / slot));
}

/**
 * @param {object} props
 * @param {IntervalPoint} props.point
 * @param {number} props.x
 * @param {import("./scale.js").Scale} props.y
 * @param {number} props.order  of its series
 */
function Marker({ point, x, y, order }) {
  const style = seriesStyle(point.series, order);
  const middle = y.at(point.estimate);
  const high = point.high === null ? middle : y.at(point.high);
  const low = point.low === null ? middle : y.at(point.low);
  const isFew = point.n < FEW;
  return html`<${ChartLink} href=${point.href} label=${point.label}>
    <line class=${`chart-whisker series-${style.index}`} x1=${x} x2=${x} y1=${high} y2=${low} />
    <line class=${`chart-whisker series-${style.index}`} x1=${x - 4} x2=${x + 4} y1=${high} y2=${high} />
    <line class=${`chart-whisker series-${style.index}`} x1=${x - 4} x2=${x + 4} y1=${low} y2=${low} />
    <path class=${`chart-marker series-${style.index} ${isFew ? "is-hollow" : ""}`} d=${markerPath(style.shape, x, middle, 5)} />
    <text class="chart-count" x=${x} y=${(point.high === null ? middle - 5 : high) - 5} text-anchor="middle">${point.n}</text>
    <rect class="chart-target" x=${x - 12} y=${Math.min(high, middle) - 16} width="24" height=${Math.max(24, low - high + 20)} />
  <//>`;
}

/**
 * Horizontal grid lines with their values at the left.
 * @param {object} props
 * @param {import("./scale.js").Scale} props.scale
 * @param {number} props.left
 * @param {number} props.right
 * @param {(value: number) => string} props.format
 * @param {number} [props.count]
 */
export function VerticalAxis({ scale, left, right, format, count = 4 }) {
  return html`<g aria-hidden="true">
    ${ticks(scale.low, scale.high, count).map(
      (tick) => html`<g key=${tick}>
        <line class="chart-grid" x1=${left} x2=${right} y1=${scale.at(tick)} y2=${scale.at(tick)} />
        <text class="chart-tick" x=${left - 6} y=${scale.at(tick) + 4} text-anchor="end">${format(tick)}</text>
      </g>`,
    )}
  </g>`;
}
