// A robot's last 24 hours as one strip: at work, driven by a person, waiting for one, or not recorded.

import { html } from "htm/preact";

import { duration } from "../../core/format.js";
import { timeTicks } from "./scale.js";
import { clock } from "./when.js";

const DAY_NS = 86_400e9;
const HEIGHT = 34;
/** @type {Readonly<Record<string, {mode: string, word: string, top: number}>>} */
const KINDS = {
  autonomous: { mode: "autonomous", word: "autonomous", top: 14 },
  waiting: { mode: "paused", word: "waits for a person", top: 7 },
  correcting: { mode: "correcting", word: "person drives", top: 0 },
};

/**
 * @param {object} props
 * @param {[kind: string, fromNs: number, toNs: number, episodeId: string][]} props.bands
 * @param {number} props.untilNs  the right end
 */
export function Day({ bands, untilNs }) {
  const sinceNs = untilNs - DAY_NS;
  const share = (/** @type {number} */ ns) => Math.min(100, Math.max(0, (100 * (ns - sinceNs)) / DAY_NS));
  const words = Object.entries(KINDS).map(([kind, { word }]) => `${word} ${duration(total(bands, kind))}`).join(", ");
  return html`<div class="day">
    <p class="panel-summary tabular">${words}; the rest was not recorded.</p>
    <svg class="bands" width="100%" height=${HEIGHT} role="img" aria-label=${`Last 24 hours: ${words}`}>
      <rect class="band-none" width="100%" height=${HEIGHT} />
      ${bands.map(([kind, from, to], index) => {
        const { mode, word, top } = KINDS[kind] ?? { mode: "unknown", word: kind, top: 0 };
        return html`<rect key=${index} class=${`band band-${mode}`} x=${`${share(from)}%`} width=${`${Math.max(0.08, share(to) - share(from))}%`} y=${top} height=${HEIGHT - top}><title>${word}, ${clock(from)} to ${clock(to)}</title></rect>`;
      })}
    </svg>
    <div class="day-ticks" aria-hidden="true">${timeTicks(sinceNs, untilNs, 8).map((tick) => html`<span key=${tick} class="tabular" style=${{ insetInlineStart: `${share(tick)}%` }}>${clock(tick)}</span>`)}</div>
    <p class="chart-key">${Object.entries(KINDS).map(([kind, { mode, word, top }]) => html`<span class="chart-key-item" key=${kind}><svg width="22" height="12" aria-hidden="true"><rect class=${`band band-${mode}`} width="22" y=${top / 3} height=${12 - top / 3} /></svg> ${word}</span>`)}</p>
  </div>`;
}

/**
 * @param {[kind: string, fromNs: number, toNs: number, episodeId: string][]} bands
 * @param {string} kind
 * @returns {number} seconds
 */
function total(bands, kind) {
  return bands.filter((band) => band[0] === kind).reduce((sum, [, from, to]) => sum + (to - from) / 1e9, 0);
}
