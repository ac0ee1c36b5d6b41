// Who moved the robot when: one strip of control modes, told apart by colour, pattern and words.

import { html } from "htm/preact";

/** @typedef {[mode: string, first: number, last: number]} Band */

/** @type {Readonly<Record<string, string>>} */
export const MODE_WORDS = {
  autonomous: "autonomous",
  paused: "paused",
  correcting: "person drives",
  lost: "link lost",
  stopped: "stopped",
};

/**
 * @param {object} props
 * @param {readonly Band[]} props.bands  both ends belong to the band; where none lies nothing is drawn
 * @param {number} props.first  start of the strip, in the bands' unit
 * @param {number} props.last  end of the strip
 * @param {number} [props.height]
 * @param {number | null} [props.cursor]  a line at this place
 * @param {string} [props.unit]  "steps" or "s"
 */
export function Bands({ bands, first, last, height = 10, cursor = null, unit = "steps" }) {
  const span = last - first || 1;
  /** @param {number} value */
  const share = (value) => Math.min(100, Math.max(0, ((value - first) / span) * 100));
  return html`<svg class="bands" width="100%" height=${height} role="img" aria-label=${bandsInWords(bands, unit)}>
    <rect class="band-none" width="100%" height=${height} />
    ${bands.map(
      ([mode, from, to], index) => html`<g key=${index}>
        <rect class=${`band band-${mode}`} x=${`${share(from)}%`} width=${`${Math.max(0.4, share(to + (unit === "steps" ? 1 : 0)) - share(from))}%`} y=${bandTop(mode, height)} height=${height - bandTop(mode, height)}>
          <title>${MODE_WORDS[mode] ?? mode}, ${unit} ${Math.round(from)} to ${Math.round(to)}</title>
        </rect>
      </g>`,
    )}
    ${cursor !== null && html`<line class="band-cursor" x1=${`${share(cursor)}%`} x2=${`${share(cursor)}%`} y1="0" y2=${height} />`}
  </svg>`;
}

/**
 * Autonomy lies low and a person stands tall, so that the strip also reads in grey.
 * @param {string} mode
 * @param {number} height
 * @returns {number} upper edge
 */
function bandTop(mode, height) {
  return mode === "autonomous" ? Math.round(height * 0.55) : mode === "paused" ? Math.round(height * 0.3) : 0;
}

/**
 * @param {readonly Band[]} bands
 * @param {string} unit
 * @returns {string} the share of every mode
 */
export function bandsInWords(bands, unit) {
  /** @type {Map<string, number>} */
  const lengths = new Map();
  for (const [mode, from, to] of bands) {
    lengths.set(mode, (lengths.get(mode) ?? 0) + to - from + (unit === "steps" ? 1 : 0));
  }
  const total = [...lengths.values()].reduce((sum, length) => sum + length, 0);
  if (!total) return "Control modes unknown";
  const parts = [...lengths].map(([mode, length]) => `${MODE_WORDS[mode] ?? mode} ${Math.round((100 * length) / total)} %`);
  return `Control: ${parts.join(", ")}`;
}

/** The words for the bands on a page, once. */
export function BandsKey() {
  return html`<p class="chart-key">
    ${Object.entries(MODE_WORDS).map(
      ([mode, word]) => html`<span class="chart-key-item" key=${mode}>
        <svg width="22" height="12" aria-hidden="true"><rect class=${`band band-${mode}`} y=${bandTop(mode, 12)} width="22" height=${12 - bandTop(mode, 12)} /></svg>
        ${word}
      </span>`,
    )}
  </p>`;
}
