// What people put in, and what came of it.

import { html } from "htm/preact";

import { counted, count, duration, percent } from "../../../core/format.js";
import { link } from "../../router.js";
import { IntervalPlot } from "../../widgets/interval-plot.js";
import { LinePlot } from "../../widgets/line-plot.js";
import { Panel } from "../../widgets/panel.js";
import { clock } from "../../widgets/when.js";
import { short } from "./headline.js";

const MAX_VERSIONS = 14;

/** @param {import("../learning.js").PanelProps} props */
export function Interventions({ data, why, frame }) {
  const rows = data.interventions ?? [];
  const shown = rows.slice(-MAX_VERSIONS);
  const last = rows[rows.length - 1];
  const summary = last ? `Version ${last.version}: ${percent(last.share, 1)} of steps by a person; ${count(last.requested)} asked for by the robot, ${count(last.operator_initiated)} begun by a person.` : "";
  return html`<${Panel} ...${frame("interventions")} question="Does it need us less?" unavailable=${why("interventions") || (rows.length ? "" : "No version has worked in this window.")} summary=${summary}
    table=${{ rows: rows.toReversed(), columns: [
      { name: "version", label: "Version", cell: (/** @type {any} */ row) => html`<a ...${link(`/episodes?${row.episodes}`)}>${row.version}</a>`, sort: (/** @type {any} */ row) => row.version },
      { name: "share", label: "Share of steps", isNumber: true, cell: (/** @type {any} */ row) => percent(row.share, 1), sort: (/** @type {any} */ row) => row.share },
      { name: "hour", label: "Per robot-hour", isNumber: true, cell: (/** @type {any} */ row) => (row.per_hour === null ? "–" : short(row.per_hour)), sort: (/** @type {any} */ row) => row.per_hour },
      { name: "requested", label: "Asked for", isNumber: true, cell: (/** @type {any} */ row) => count(row.requested), sort: (/** @type {any} */ row) => row.requested },
      { name: "operator", label: "Begun by a person", isNumber: true, cell: (/** @type {any} */ row) => count(row.operator_initiated), sort: (/** @type {any} */ row) => row.operator_initiated },
    ] }}>
    <${IntervalPlot} series=${["share of steps by a person"]} domain=${null} format=${(/** @type {number} */ value) => percent(value)} axis="share of steps by a person, by version" height=${190} summary=${summary}
      groups=${shown.map((row) => ({ label: row.version, points: [{ series: "share of steps by a person", estimate: row.share, low: null, high: null, n: row.num, href: `/episodes?${row.episodes}`, label: `Version ${row.version}: ${percent(row.share, 1)} of steps, ${counted(row.num, "intervention")}` }] }))}
      countWord="interventions" />
  <//>`;
}

/** @param {import("../learning.js").PanelProps} props */
export function HumanEffort({ data, why, frame }) {
  const effort = data.human_effort;
  const known = effort ? effort.t_ns.map((time, index) => ({ time, ratio: effort.ratio[index], successes: effort.successes[index], minutes: effort.human_minutes[index] })) : [];
  const last = known[known.length - 1];
  const summary = last ? `${count(last.successes)} successes for ${short(last.minutes)} human-minutes${last.ratio === null ? "" : `: ${short(last.ratio)} a minute`}.` : "";
  return html`<${Panel} ...${frame("human_effort")} question="Is human time well spent?" unavailable=${why("human_effort") || (known.length ? "" : "Nobody helped in this window.")} summary=${summary}
    table=${{ rows: known.toReversed(), columns: [
      { name: "time", label: "Time", cell: (/** @type {any} */ row) => clock(row.time), sort: (/** @type {any} */ row) => row.time },
      { name: "minutes", label: "Human-minutes", isNumber: true, cell: (/** @type {any} */ row) => short(row.minutes) },
      { name: "successes", label: "Successes", isNumber: true, cell: (/** @type {any} */ row) => count(row.successes) },
      { name: "ratio", label: "Successes a minute", isNumber: true, cell: (/** @type {any} */ row) => (row.ratio === null ? "–" : short(row.ratio)) },
    ] }}>
    <${LinePlot} height=${190} xAxis="human-minutes so far" yAxis="successes so far" format=${short} summary=${summary}
      lines=${[{ name: "successes", x: known.map((point) => point.minutes), y: known.map((point) => point.successes), low: null, high: null, n: null }]} />
  <//>`;
}

/** @param {import("../learning.js").PanelProps} props */
export function HelpPanel({ data, why, frame }) {
  const help = data.help;
  const rows = help?.by_trigger ?? [];
  const summary = help ? `${counted(help.num_requests, "request")}, ${count(help.false_alarms)} false alarms, ${counted(help.missed_failures, "failure")} that nobody was asked about.` : "";
  return html`<${Panel} ...${frame("help")} wide="is-full" question="Does it ask at the right moment?" unavailable=${why("help")} summary=${summary}
    table=${{ rows, columns: [
      { name: "trigger", label: "Noticed by", cell: (/** @type {any} */ row) => row.trigger.replaceAll("_", " "), sort: (/** @type {any} */ row) => row.trigger },
      { name: "n", label: "Requests", isNumber: true, cell: (/** @type {any} */ row) => count(row.n), sort: (/** @type {any} */ row) => row.n },
      { name: "false", label: "False alarms", isNumber: true, cell: (/** @type {any} */ row) => count(row.false_alarms), sort: (/** @type {any} */ row) => row.false_alarms },
    ] }}>
    <div class="facets">
      ${help && html`<${HelpFacts} help=${help} />`}
      <div>${rows.map((row) => html`<${TriggerBar} key=${row.trigger} row=${row} most=${Math.max(...rows.map((one) => one.n))} />`)}</div>
    </div>
  <//>`;
}

/** @param {{help: import("../../shapes.js").HelpQuality}} props */
function HelpFacts({ help }) {
  const seconds = (/** @type {number | null} */ value) => (value === null ? "–" : duration(value));
  return html`<dl class="facts is-columns">
    <dt>False alarms</dt><dd class="tabular"><a ...${link(`/episodes?${help.false_alarm_episodes}`)}>${count(help.false_alarms)}</a></dd>
    <dt>Missed failures</dt><dd class="tabular"><a ...${link(`/episodes?${help.missed_episodes}`)}>${count(help.missed_failures)}</a></dd>
    <dt>Warning before a failure</dt><dd class="tabular">${seconds(help.lead_time_s_p50)}</dd>
    <dt>Until claimed</dt><dd class="tabular">${seconds(help.time_to_claim_s_p50)}</dd>
    <dt>Until resolved</dt><dd class="tabular">${seconds(help.time_to_resolve_s_p50)}</dd>
    <dt>Resolved by itself</dt><dd class="tabular">${percent(help.self_resolved_share)}</dd>
  </dl>`;
}

/**
 * @param {object} props
 * @param {{trigger: string, n: number, false_alarms: number}} props.row
 * @param {number} props.most
 */
function TriggerBar({ row, most }) {
  return html`<div class="meter-row">
    <span class="meter-name">${row.trigger.replaceAll("_", " ")}</span>
    <span class="meter" aria-hidden="true"><span class="meter-fill" style=${{ inlineSize: `${(100 * row.n) / most}%` }}></span><span class="meter-false" style=${{ inlineSize: `${(100 * row.false_alarms) / most}%` }}></span></span>
    <span class="tabular">${count(row.n)}, ${count(row.false_alarms)} false</span>
  </div>`;
}
