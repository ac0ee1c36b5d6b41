// A line as small as a word: the value over an episode, the trend of a number.

import { html } from "htm/preact";

import { extent, linear } from "./scale.js";

/**
 * @param {object} props
 * @param {readonly (number | null)[]} props.values  gaps are null and stay gaps
 * @param {string} props.label  what it shows, in words
 * @param {number} [props.width]
 * @param {number} [props.height]
 * @param {[number, number] | null} [props.domain]  null: from the data
 */
export function Sparkline({ values, label, width = 120, height = 28, domain = null }) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) {
    return html`<span class="sparkline-none quiet" style=${{ height: `${height}px` }}>${known.length ? "one point" : "no values"}</span>`;
  }
  const [low, high] = domain ?? extent(values, [0, 1]);
  const x = linear(0, values.length - 1, 2, width - 3);
  const y = linear(low, high, height - 3, 3);
  const last = values.findLastIndex((value) => value !== null);
  return html`<svg class="sparkline" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label=${label}>
    <path class="chart-line series-1" vector-effect="non-scaling-stroke" d=${linePath(values, x, y)} />
    <circle class="chart-marker series-1" cx=${x.at(last)} cy=${y.at(/** @type {number} */ (values[last]))} r="2.5" />
  </svg>`;
}

/**
 * SVG path of a line with gaps where the value is null.
 * @param {readonly (number | null)[]} values
 * @param {import("./scale.js").Scale} x  of the index
 * @param {import("./scale.js").Scale} y
 * @returns {string}
 */
export function linePath(values, x, y) {
  let path = "";
  let isDown = false;
  values.forEach((value, index) => {
    if (value !== null && Number.isFinite(value)) {
      path += `${isDown ? "L" : "M"}${x.at(index).toFixed(1)},${y.at(value).toFixed(1)}`;
    }
    isDown = value !== null && Number.isFinite(value);
  });
  return path;
}
