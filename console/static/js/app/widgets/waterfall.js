// How long each stage takes, each bar starting where the one before ended: solid to the median,
// striped on to the 95th percentile.

import { html } from "htm/preact";

import { durationTicks, linear } from "./scale.js";
import { useWidth } from "./size.js";

const ROW = 28;
const LEFT = 96;
const RIGHT = 176;
const BOTTOM = 30;

/** @typedef {{stage: string, p50_s: number, p95_s: number, n: number}} Stage */

/**
 * @param {object} props
 * @param {Stage[]} props.stages  in order of time
 * @param {(seconds: number) => string} props.format
 * @param {string} props.summary
 */
export function Waterfall({ stages, format, summary }) {
  const { ref, width } = useWidth(420);
  const starts = stages.map((_, index) => stages.slice(0, index).reduce((sum, stage) => sum + stage.p50_s, 0));
  const end = Math.max(...stages.map((stage, index) => starts[index] + Math.max(stage.p50_s, stage.p95_s)), 1e-3);
  const x = linear(0, end, LEFT, width - RIGHT);
  const height = stages.length * ROW + BOTTOM;
  return html`<div ref=${ref} class="chart">
    <svg width=${width} height=${height} role="img" aria-label=${summary}>
      ${durationTicks(end, 3).map(
        (tick) => html`<g key=${tick}>
          <line class="chart-grid" x1=${x.at(tick)} x2=${x.at(tick)} y1="0" y2=${height - BOTTOM} />
          <text class="chart-tick" x=${x.at(tick)} y=${height - BOTTOM + 14} text-anchor="middle">${format(tick)}</text>
        </g>`,
      )}
      ${stages.map((stage, index) => {
        const y = index * ROW + 4;
        const from = x.at(starts[index]);
        const p50 = x.at(starts[index] + stage.p50_s);
        const p95 = x.at(starts[index] + Math.max(stage.p50_s, stage.p95_s));
        return html`<g key=${stage.stage}>
          <text class="chart-label" x="0" y=${y + 14}>${stage.stage}</text>
          <rect class="waterfall-p95" x=${from} width=${Math.max(1, p95 - from)} y=${y + 6} height="8" />
          <rect class="waterfall-p50" x=${from} width=${Math.max(2, p50 - from)} y=${y} height="20" />
          <text class="chart-label tabular" x=${width - RIGHT + 12} y=${y + 14}>${format(stage.p50_s)} / ${format(stage.p95_s)}</text>
        </g>`;
      })}
    </svg>
    <p class="chart-key"><span class="chart-key-item"><svg width="22" height="12" aria-hidden="true"><rect class="waterfall-p50" width="22" height="12" /></svg> half are faster</span>
    <span class="chart-key-item"><svg width="22" height="12" aria-hidden="true"><rect class="waterfall-p95" y="2" width="22" height="8" /></svg> 95 % are faster</span></p>
  </div>`;
}
