// A long series of the server's, in as many buckets as there is room. A zoom is kept in the URL, holds
// for all of them, and is read again in finer buckets.

import { html } from "htm/preact";

import { query as address, setQuery } from "../../router.js";
import { useResource } from "../../resource.js";
import { Chart } from "../../widgets/chart.js";
import { Panel } from "../../widgets/panel.js";
import { ResourceState } from "../../widgets/resource-state.js";
import { clock } from "../../widgets/when.js";

/** Lowest and highest per bucket: at most two points a pixel on the widest panel. */
const BUCKETS = 600;

/** @typedef {{name: string, unit: string, t_ns: number[], min: (number | null)[], max: (number | null)[], n: number[]}} Series */

/**
 * @param {object} props
 * @param {string[]} props.names  one or two series of the same unit
 * @param {URLSearchParams} props.filters
 * @param {{since_ns: number, until_ns: number}} props.window
 * @param {(value: number) => string} props.format
 * @param {string} props.axis
 * @param {[number, number] | null} [props.yRange]
 * @returns {{view: import("preact").VNode, summary: string, table: import("../../widgets/panel.js").PanelTable | null, unavailable: string}}
 */
export function useLongSeries({ names, filters, window, format, axis, yRange = null }) {
  const query = address.value;
  const zoomed = query.has("from") && query.has("to");
  const url = (/** @type {string} */ name) => {
    const asked = new URLSearchParams([...filters, ["name", name], ["buckets", String(BUCKETS)]]);
    if (zoomed) asked.set("first_ns", `${Math.round(Number(query.get("from")))}000000000`);
    if (zoomed) asked.set("last_ns", `${Math.round(Number(query.get("to")))}000000000`);
    return name ? `/api/series?${asked}` : "";
  };
  const one = useResource(url(names[0]), 30);
  const other = useResource(url(names[1] ?? ""), 30);
  const got = [one, other].map((answer) => /** @type {Series | null} */ (answer.data)).filter((series) => series !== null && series.t_ns.length > 0);
  const { x, lines } = joined(/** @type {Series[]} */ (got));
  const unavailable = !got.length && one.data ? "Nothing was recorded in this window." : "";
  const view = html`<div>
    <${ResourceState} resource=${one} what="series" />
    ${got.length > 0 && html`<${Chart} x=${x} series=${lines} axis=${axis} format=${format} isTime=${true} isJoined=${true} height=${190} syncKey="learning" yRange=${yRange} summary=${summaryOf(lines, format)}
      range=${zoomed ? [Number(query.get("from")), Number(query.get("to"))] : [window.since_ns / 1e9 || x[0], window.until_ns / 1e9]}
      onZoom=${(/** @type {number} */ from, /** @type {number} */ to) => setQuery({ from: String(Math.floor(from)), to: String(Math.ceil(to)) })} onZoomOut=${() => setQuery({ from: null, to: null })} />`}
    ${zoomed && html`<button type="button" class="quiet-button" onClick=${() => setQuery({ from: null, to: null })}>Whole window</button>`}
  </div>`;
  return { view, summary: got.length ? summaryOf(lines, format) : "", table: got.length ? tableOf(x, lines, format) : null, unavailable };
}

/**
 * A panel of nothing but a long series.
 * @param {any} props  those of `useLongSeries`, with `id`, `isTable`, `onToggle`, `question`, `wide`
 */
export function LongSeries(props) {
  const { view, ...rest } = useLongSeries(props);
  const { id, isTable, onToggle, question, wide = "" } = props;
  return html`<${Panel} id=${id} isTable=${isTable} onToggle=${onToggle} question=${question} wide=${wide} ...${rest}>${view}<//>`;
}

/**
 * Several series on one axis of times, with gaps where one has no bucket.
 * @param {Series[]} all
 * @returns {{x: number[], lines: import("../../widgets/chart.js").ChartSeries[]}}
 */
function joined(all) {
  const x = [...new Set(all.flatMap((series) => series.t_ns))].sort((a, b) => a - b);
  const lines = all.map((series) => {
    const place = new Map(series.t_ns.map((time, index) => [time, index]));
    const pick = (/** @type {(number | null)[]} */ values) => x.map((time) => values[place.get(time) ?? -1] ?? null);
    return { name: series.name.replace("_moving", "").replaceAll("_", " "), min: pick(series.min), max: pick(series.max) };
  });
  return { x: x.map((time) => time / 1e9), lines };
}

/**
 * @param {import("../../widgets/chart.js").ChartSeries[]} lines
 * @param {(value: number) => string} format
 * @returns {string}
 */
function summaryOf(lines, format) {
  const parts = lines.map((line) => {
    const known = line.max.filter((value) => value !== null);
    return `${line.name} from ${format(known[0])} to ${format(known[known.length - 1])}`;
  });
  return `${parts.join("; ")}.`;
}

/**
 * @param {number[]} x
 * @param {import("../../widgets/chart.js").ChartSeries[]} lines
 * @param {(value: number) => string} format
 * @returns {import("../../widgets/panel.js").PanelTable}
 */
function tableOf(x, lines, format) {
  const cell = (/** @type {number | null} */ value) => (value === null ? "–" : format(value));
  return {
    rows: x.map((time, index) => ({ time, index })).toReversed(),
    columns: [
      { name: "time", label: "Time", cell: (row) => clock(row.time * 1e9), sort: (row) => row.time },
      ...lines.flatMap((line) => [
        { name: `${line.name} lowest`, label: `${line.name}, lowest`, isNumber: true, cell: (/** @type {any} */ row) => cell(line.min[row.index]) },
        { name: `${line.name} highest`, label: `${line.name}, highest`, isNumber: true, cell: (/** @type {any} */ row) => cell(line.max[row.index]) },
      ]),
    ],
  };
}
