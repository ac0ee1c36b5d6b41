// Which series is which, with the line or marker as it is drawn.

import { html } from "htm/preact";

import { markerPath, seriesStyle } from "./series-style.js";

/**
 * @param {object} props
 * @param {string[]} props.names
 * @param {boolean} [props.isMarker]  a marker instead of a piece of line
 * @param {boolean} [props.isBlock]  a filled block, as in stacked bars
 * @param {string} [props.note]
 * @param {(name: string) => string} [props.word]  how a name is written
 */
export function ChartKey({ names, isMarker = false, isBlock = false, note = "", word = plain }) {
  return html`<p class="chart-key">
    ${names.map((name, position) => {
      const style = seriesStyle(name, position);
      return html`<span class="chart-key-item" key=${name}>
        <svg width="22" height="12" aria-hidden="true">
          ${isBlock
            ? html`<rect class=${`chart-block series-${style.index}`} x="5" y="0" width="12" height="12" />`
            : isMarker
              ? html`<path class=${`chart-marker series-${style.index}`} d=${markerPath(style.shape, 11, 6, 4.5)} />`
              : html`<line class=${`chart-line series-${style.index}`} stroke-dasharray=${style.dash.join(" ")} x1="0" x2="22" y1="6" y2="6" />`}
        </svg>
        ${word(name)}
      </span>`;
    })}
    ${note && html`<span class="quiet">${note}</span>`}
  </p>`;
}

/**
 * @param {string} name  as on the wire
 * @returns {string}
 */
function plain(name) {
  return name.replaceAll("_", " ");
}
