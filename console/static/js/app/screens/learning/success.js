// Is it getting better: by version and task, against the champion, and over time.

import { html } from "htm/preact";

import { counted, percent, percentWithInterval } from "../../../core/format.js";
import { link } from "../../router.js";
import { Forest } from "../../widgets/forest.js";
import { IntervalPlot } from "../../widgets/interval-plot.js";
import { Panel } from "../../widgets/panel.js";
import { short } from "./headline.js";
import { LongSeries } from "./long-series.js";

/** Newest versions that fit beside each other; the table has all. */
const MAX_VERSIONS = 14;
const ALONE = "on its own";
const HELPED = "with help";

/** @typedef {import("../../shapes.js").SuccessRow} SuccessRow */

/** @param {import("../learning.js").PanelProps} props */
export function SuccessByVersion({ data, why, frame }) {
  const rows = data.success ?? [];
  const tasks = [...new Set(rows.map((row) => row.task))];
  const { shown, words } = newest(data);
  const best = latestAlone(rows, data);
  return html`<${Panel} ...${frame("success")} wide="is-wide" question="Are we getting better?" unavailable=${why("success")}
    summary=${`${best}${words}`} table=${successTable(rows)}>
    <div class=${tasks.length > 1 ? "facets" : ""}>
      ${tasks.map((task) => html`<div key=${task}>
        ${tasks.length > 1 && html`<h3>${task}</h3>`}
        <${IntervalPlot} series=${[ALONE, HELPED]} domain=${[0, 1]} format=${(/** @type {number} */ value) => percent(value)} axis="success, by version"
          summary=${`Success on ${task} by version`} groups=${shown.map((version) => ({ label: version, points: rows.filter((row) => row.task === task && row.version === version).map(ratePoint) }))} />
      </div>`)}
    </div>
  <//>`;
}

/** @param {import("../learning.js").PanelProps} props */
export function Throughput({ data, why, frame }) {
  const rows = (data.success ?? []).filter((row) => row.throughput_per_robot_hour !== null);
  const { shown, words } = newest(data);
  const tasks = [...new Set(rows.map((row) => row.task))];
  const last = rows.filter((row) => row.version === shown[shown.length - 1]);
  const none = why("success") || (rows.length ? "" : data.unavailable.throughput ?? "No version has worked long enough to count successes per hour.");
  const summary = last.length ? `Version ${last[0].version}: ${short(Math.max(...last.map((row) => row.throughput_per_robot_hour ?? 0)))} successes per robot-hour.${words}` : `${counted(rows.length, "row")}.${words}`;
  return html`<${Panel} ...${frame("throughput")} wide="is-wide" question="How much does a robot get done in an hour?" unavailable=${none} summary=${summary} table=${successTable(rows)}>
    <div class=${tasks.length > 1 ? "facets" : ""}>${tasks.map((task) => html`<div key=${task}>
      ${tasks.length > 1 && html`<h3>${task}</h3>`}
      <${IntervalPlot} series=${[ALONE, HELPED]} domain=${null} format=${short} axis="successes per robot-hour, by version" height=${190}
        summary=${`Throughput on ${task} by version`} groups=${shown.map((version) => ({ label: version, points: rows.filter((row) => row.task === task && row.version === version).map(throughputPoint) }))} />
    </div>`)}</div>
  <//>`;
}

/** @param {import("../learning.js").PanelProps} props */
export function RegressionWatch({ data, why, frame }) {
  const rows = data.regression ?? [];
  const worse = rows.filter((row) => row.high < 0);
  const summary = worse.length
    ? `${counted(worse.length, "task")} clearly worse: ${worse.map((row) => row.task).join(", ")}.`
    : `No task is clearly worse; worst first, ${counted(rows.length, "comparison")}.`;
  return html`<${Panel} ...${frame("regression")} question="Did it forget something?" unavailable=${why("regression") || (rows.length ? "" : "No two versions to compare yet.")} summary=${summary}
    table=${{ rows, columns: [
      { name: "task", label: "Task", cell: taskLink, sort: (/** @type {any} */ row) => row.task },
      { name: "version", label: "Version", cell: (/** @type {any} */ row) => `${row.version} against ${row.base_version}` },
      { name: "difference", label: "Difference", isNumber: true, cell: difference, sort: (/** @type {any} */ row) => row.difference },
      { name: "n", label: "Episodes", isNumber: true, cell: (/** @type {any} */ row) => `${row.n} / ${row.base_n}`, sort: (/** @type {any} */ row) => row.n },
    ] }}>
    <${Forest} series=${["champion", "canary"]} reference=${0} domain=${null} format=${points} axis="difference in success, points" summary=${summary}
      rows=${rows.map((row) => ({ label: `${row.task} · ${row.version} − ${row.base_version}`, series: row.kind, estimate: row.difference, low: row.low, high: row.high, n: Math.min(row.n, row.base_n), text: `${points(row.difference)}, n ${row.n} / ${row.base_n}`, href: row.episodes ? `/episodes?${row.episodes}` : "" }))} />
  <//>`;
}

/** @param {import("../learning.js").PanelProps} props */
export function SuccessOverTime({ data, filters, frame }) {
  return html`<${LongSeries} ...${frame("success_moving")} question="How did success move?" names=${["success_moving", "autonomy_moving"]} filters=${filters} window=${data.window}
    format=${(/** @type {number} */ value) => percent(value)} axis="share of the last 50 episodes" yRange=${[0, 1]} />`;
}

/**
 * @param {SuccessRow} row
 * @returns {import("../../widgets/interval-plot.js").IntervalPoint}
 */
function ratePoint(row) {
  const series = row.assisted ? HELPED : ALONE;
  return { series, estimate: row.estimate, low: row.low, high: row.high, n: row.n, href: `/episodes?${row.episodes}`, label: `Version ${row.version}, ${row.task}, ${series}: ${percentWithInterval(row)}` };
}

/**
 * @param {SuccessRow} row
 * @returns {import("../../widgets/interval-plot.js").IntervalPoint}
 */
function throughputPoint(row) {
  const series = row.assisted ? HELPED : ALONE;
  const estimate = row.throughput_per_robot_hour ?? 0;
  return { series, estimate, low: null, high: null, n: row.n, href: `/episodes?${row.episodes}`, label: `Version ${row.version}, ${row.task}, ${series}: ${short(estimate)} successes per robot-hour, n ${row.n}` };
}

/**
 * @param {SuccessRow[]} rows
 * @returns {import("../../widgets/panel.js").PanelTable}
 */
function successTable(rows) {
  return { rows: rows.toReversed(), columns: [
    { name: "version", label: "Version", cell: (row) => html`<a ...${link(`/episodes?${row.episodes}`)}>${row.version}</a>`, sort: (row) => row.version },
    { name: "task", label: "Task", cell: (row) => row.task, sort: (row) => row.task },
    { name: "help", label: "Help", cell: (row) => (row.assisted ? HELPED : ALONE), sort: (row) => Number(row.assisted) },
    { name: "success", label: "Success, 95 % interval", isNumber: true, cell: (row) => percentWithInterval(row), sort: (row) => row.estimate },
    { name: "throughput", label: "Per robot-hour", isNumber: true, cell: (row) => (row.throughput_per_robot_hour === null ? "–" : short(row.throughput_per_robot_hour)), sort: (row) => row.throughput_per_robot_hour },
  ] };
}

/**
 * @param {import("../../shapes.js").Learning} data
 * @returns {{shown: string[], words: string}}
 */
function newest(data) {
  const used = new Set((data.success ?? []).map((row) => row.version));
  const all = [...data.versions.map((one) => one.version).filter((version) => used.has(version)), ...[...used].filter((version) => !data.versions.some((one) => one.version === version))];
  const shown = all.slice(-MAX_VERSIONS);
  return { shown, words: shown.length < all.length ? ` The newest ${shown.length} of ${all.length} versions; the table has all.` : "" };
}

/**
 * @param {SuccessRow[]} rows
 * @param {import("../../shapes.js").Learning} data
 * @returns {string}
 */
function latestAlone(rows, data) {
  const alone = rows.filter((row) => !row.assisted);
  const version = data.versions.map((one) => one.version).findLast((one) => alone.some((row) => row.version === one));
  const row = alone.find((one) => one.version === version) ?? alone[alone.length - 1];
  return row ? `Version ${row.version} on its own, ${row.task}: ${percentWithInterval(row)}.` : "No labelled episode without help yet.";
}

/**
 * @param {number} value  difference of two shares
 * @returns {string}
 */
export function points(value) {
  return `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.round(Math.abs(value) * 100)}`;
}

/** @param {import("../../shapes.js").Regression} row */
function difference(row) {
  return `${points(row.difference)} [${points(row.low)}, ${points(row.high)}] points`;
}

/** @param {import("../../shapes.js").Regression} row */
function taskLink(row) {
  return html`<a ...${link(`/episodes?${row.episodes}`)}>${row.task}</a>`;
}
