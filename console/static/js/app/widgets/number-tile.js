// One number that matters, with its interval, its count and where it is going.

import { html } from "htm/preact";

import { link } from "../router.js";

/**
 * @param {object} props
 * @param {string} props.name
 * @param {string} props.value  with its unit; empty where there is nothing to count
 * @param {string} [props.interval]  such as "92 to 99 %"
 * @param {string} [props.basis]  what it was counted from, such as "150 episodes"
 * @param {{amount: number, words: string, isGood: boolean} | null} [props.trend]  second half of the window against the first; null: not known yet
 * @param {string} [props.reason]  why there is no value
 * @param {string} [props.href]
 */
export function NumberTile({ name, value, interval = "", basis = "", trend, reason = "", href = "" }) {
  const body = html`
    <span class="tile-name">${name}</span>
    ${value
      ? html`<span class="tile-value tabular">${value}</span>
          <span class="tile-basis tabular">${[interval, basis].filter(Boolean).join(" · ")}</span>
          ${trend !== undefined && html`<${Trend} trend=${trend} />`}`
      : html`<span class="tile-value quiet">–</span><span class="tile-basis">${reason}</span>`}
  `;
  if (!href) return html`<div class="tile">${body}</div>`;
  return html`<a class="tile" ...${link(href)}>${body}</a>`;
}

/**
 * @param {object} props
 * @param {{amount: number, words: string, isGood: boolean} | null} props.trend
 */
function Trend({ trend }) {
  if (!trend) return html`<span class="tile-trend quiet">no trend yet</span>`;
  const arrow = trend.amount > 0 ? "▲" : trend.amount < 0 ? "▼" : "■";
  const judgement = trend.amount === 0 ? "unchanged" : trend.isGood ? "better" : "worse";
  return html`<span class=${`tile-trend is-${judgement}`}>
    <span aria-hidden="true">${arrow}</span> ${trend.words}, ${judgement}
  </span>`;
}
