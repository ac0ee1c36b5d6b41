// Counts per bin, stacked by source, with a threshold line.

import { html } from "htm/preact";

import { ChartKey } from "./chart-key.js";
import { VerticalAxis } from "./interval-plot.js";
import { linear, ticks, timeTicks } from "./scale.js";
import { seriesStyle } from "./series-style.js";
import { useWidth } from "./size.js";

const LEFT = 46;
const TOP = 10;
const LINE = 14;
const BOTTOM = 36;

/**
 * @param {object} props
 * @param {number[]} props.edges  one more than there are bins, ascending
 * @param {Readonly<Record<string, number[]>>} props.counts  per source
 * @param {{at: number, word: string}[]} props.thresholds
 * @param {string} props.axis  what is counted along the horizontal axis
 * @param {(value: number) => string} props.format  of the horizontal axis
 * @param {string} props.summary
 * @param {boolean} [props.isTime]  the edges are times in nanoseconds
 * @param {number} [props.height]
 */
export function Histogram({ edges, counts, thresholds, axis, format, summary, isTime = false, height = 220 }) {
  const { ref, width } = useWidth(420);
  const names = Object.keys(counts);
  const totals = edges.slice(1).map((_, bin) => names.reduce((sum, name) => sum + (counts[name][bin] ?? 0), 0));
  const x = linear(edges[0], edges[edges.length - 1], LEFT, width - 8);
  const top = TOP + thresholds.length * LINE;
  const y = linear(0, Math.max(1, ...totals) * 1.05, height - BOTTOM, top);
  return html`<div ref=${ref} class="chart">
    <svg width=${width} height=${height} role="img" aria-label=${summary}>
      <${VerticalAxis} scale=${y} left=${LEFT} right=${width - 8} format=${shortCount} count=${3} />
      ${names.map((name, order) => html`<${Layer} key=${name} name=${name} order=${order} names=${names} counts=${counts} edges=${edges} x=${x} y=${y} />`)}
      ${thresholds.map(
        ({ at, word }, index) => html`<g key=${index}>
          <line class="chart-threshold" x1=${x.at(at)} x2=${x.at(at)} y1=${(index + 0.4) * LINE} y2=${height - BOTTOM} />
          <text class="chart-label" x=${x.at(at) + (x.at(at) > width * 0.6 ? -6 : 6)} y=${(index + 0.85) * LINE} text-anchor=${x.at(at) > width * 0.6 ? "end" : "start"}>${word}</text>
        </g>`,
      )}
      ${(isTime ? timeTicks(x.low, x.high, 4) : ticks(x.low, x.high, 5)).map(
        (tick) => html`<text key=${tick} class="chart-tick" x=${x.at(tick)} y=${height - BOTTOM + 14} text-anchor="middle">${format(tick)}</text>`,
      )}
      <text class="chart-axis-title" x=${(LEFT + width) / 2} y=${height - 5} text-anchor="middle">${axis}</text>
    </svg>
    <${ChartKey} names=${names} isBlock=${true} />
  </div>`;
}

/**
 * One source's part of every bar, on top of the sources before it.
 * @param {object} props
 * @param {string} props.name
 * @param {number} props.order
 * @param {string[]} props.names
 * @param {Readonly<Record<string, number[]>>} props.counts
 * @param {number[]} props.edges
 * @param {import("./scale.js").Scale} props.x
 * @param {import("./scale.js").Scale} props.y
 */
function Layer({ name, order, names, counts, edges, x, y }) {
  const style = seriesStyle(name, order);
  return html`<g>
    ${counts[name].map((count, bin) => {
      if (!count) return null;
      const below = names.slice(0, order).reduce((sum, other) => sum + (counts[other][bin] ?? 0), 0);
      const left = x.at(edges[bin]);
      const top = y.at(below + count);
      return html`<rect key=${bin} class=${`chart-block series-${style.index}`} x=${left + 0.5} width=${Math.max(1, x.at(edges[bin + 1]) - left - 1)} y=${top} height=${Math.max(0.5, y.at(below) - top)} />`;
    })}
  </g>`;
}

/**
 * @param {number} count
 * @returns {string} with k for thousands
 */
export function shortCount(count) {
  if (count >= 1e6) return `${Number((count / 1e6).toPrecision(3))}M`;
  return count >= 1000 ? `${Number((count / 1000).toPrecision(3))}k` : String(Number(count.toPrecision(3)));
}
