// Can the value function be trusted, and does the policy still listen to it?

import { html } from "htm/preact";

import { count, counted, percent } from "../../../core/format.js";
import { link } from "../../router.js";
import { Histogram } from "../../widgets/histogram.js";
import { LinePlot } from "../../widgets/line-plot.js";
import { outcomeWord } from "../../widgets/outcome.js";
import { Panel } from "../../widgets/panel.js";
import { clock } from "../../widgets/when.js";
import { short } from "./headline.js";

/** Critic versions on one plot; the table has all. */
const MAX_CRITICS = 3;
/** Two open recipes default to the best 30 % of steps as positive. */
const USUAL_SHARE = 0.3;

/** @param {import("../learning.js").PanelProps} props */
export function Calibrations({ data, why, frame }) {
  const all = data.calibration ?? [];
  const [latest] = all;
  const summary = latest ? `Critic ${latest.critic_version} is off by ${latest.error.toFixed(3)} on average, ${latest.bias > 0 ? "too high" : "too low"} by ${Math.abs(latest.bias).toFixed(3)}, over ${counted(latest.n, "step")}.` : "";
  return html`<${Panel} ...${frame("calibration")} question="Can we trust the value function?" unavailable=${why("calibration") || (latest ? "" : "No critic has been compared with how episodes ended.")} summary=${summary}
    table=${{ rows: all.flatMap((critic) => critic.bins.map((bin) => ({ ...bin, critic: critic.critic_version }))), columns: [
      { name: "critic", label: "Critic", cell: (/** @type {any} */ row) => row.critic, sort: (/** @type {any} */ row) => row.critic },
      { name: "predicted", label: "Predicted", isNumber: true, cell: (/** @type {any} */ row) => row.predicted.toFixed(3), sort: (/** @type {any} */ row) => row.predicted },
      { name: "realised", label: "Came true", isNumber: true, cell: (/** @type {any} */ row) => row.realised.toFixed(3), sort: (/** @type {any} */ row) => row.realised },
      { name: "n", label: "Steps", isNumber: true, cell: (/** @type {any} */ row) => count(row.n), sort: (/** @type {any} */ row) => row.n },
    ] }}>
    <${LinePlot} hasDiagonal=${true} xAxis="return that was predicted" yAxis="return that came true" format=${short} summary=${summary}
      lines=${all.slice(0, MAX_CRITICS).map((critic) => ({ name: `critic ${critic.critic_version}`, x: critic.bins.map((bin) => bin.predicted), y: critic.bins.map((bin) => bin.realised), low: null, high: null, n: critic.bins.map((bin) => bin.n) }))} />
  <//>`;
}

/** @param {import("../learning.js").PanelProps} props */
export function Advantages({ data, why, frame }) {
  const advantage = data.advantage;
  const shares = Object.entries(advantage?.share_positive ?? {}).filter(([, share]) => share !== null);
  const summary = shares.length ? `Counted as good: ${shares.map(([source, share]) => `${percent(share)} of ${source} steps`).join(", ")}. Usual for rollouts: ${percent(USUAL_SHARE)}.` : "";
  const thresholds = Object.entries(advantage?.thresholds ?? {}).flatMap(([task, at]) => (at === null ? [] : [{ at, word: `good from ${at.toFixed(2)}${Object.keys(advantage?.thresholds ?? {}).length > 1 ? ` (${task})` : ""}` }]));
  const rows = (advantage?.edges ?? []).slice(1).map((high, bin) => ({ low: advantage?.edges[bin] ?? 0, high, counts: advantage?.counts ?? {}, bin }));
  const sources = Object.keys(advantage?.counts ?? {});
  return html`<${Panel} ...${frame("advantage")} question="Is the share of good steps sane?" unavailable=${why("advantage")} summary=${summary}
    table=${{ rows, columns: [
      { name: "bin", label: "Advantage", cell: (/** @type {any} */ row) => `${short(row.low)} to ${short(row.high)}`, sort: (/** @type {any} */ row) => row.low },
      ...sources.map((source) => ({ name: source, label: source, isNumber: true, cell: (/** @type {any} */ row) => count(row.counts[source][row.bin]), sort: (/** @type {any} */ row) => row.counts[source][row.bin] })),
    ] }}>
    ${advantage && html`<${Histogram} edges=${advantage.edges} counts=${advantage.counts} thresholds=${thresholds} axis=${`advantage by critic ${advantage.critic_version}`} format=${short} summary=${summary} />
      ${advantage.episodes && html`<p><a ...${link(`/episodes?${advantage.episodes}`)}>Episodes behind it</a></p>`}`}
  <//>`;
}

/** @param {import("../learning.js").PanelProps} props */
export function ValueCurves({ data, why, frame }) {
  const curves = data.value_over_time ?? [];
  const gap = data.value_gap_at_half;
  const counts = curves.map((curve) => `${counted(curve.n, "episode")} with ${outcomeWord(curve.outcome)}`).join(", ");
  const summary = `${gap === null || gap === undefined ? "" : `At half time successes stand ${gap.toFixed(2)} above failures. `}${counts}.`;
  return html`<${Panel} ...${frame("value_over_time")} question="Does it see failure coming?" unavailable=${why("value_over_time") || (curves.length ? "" : "No episode has values yet.")} summary=${summary}
    table=${{ rows: curves.flatMap((curve) => curve.t.map((t, index) => ({ outcome: curve.outcome, t, median: curve.median[index], low: curve.low[index], high: curve.high[index] }))), columns: [
      { name: "outcome", label: "Outcome", cell: (/** @type {any} */ row) => outcomeWord(row.outcome), sort: (/** @type {any} */ row) => row.outcome },
      { name: "t", label: "Share of the episode", isNumber: true, cell: (/** @type {any} */ row) => percent(row.t), sort: (/** @type {any} */ row) => row.t },
      { name: "median", label: "Median value", isNumber: true, cell: (/** @type {any} */ row) => row.median.toFixed(3), sort: (/** @type {any} */ row) => row.median },
      { name: "band", label: "10th to 90th percentile", isNumber: true, cell: (/** @type {any} */ row) => `${row.low.toFixed(2)} to ${row.high.toFixed(2)}` },
    ] }}>
    <${LinePlot} xAxis="share of the episode gone by" yAxis="value: median, and 80 % of episodes" format=${short} summary=${summary}
      lines=${curves.map((curve) => ({ name: curve.outcome, x: curve.t, y: curve.median, low: curve.low, high: curve.high, n: null }))} />
    <p class="button-row">${curves.map((curve) => html`<a key=${curve.outcome} ...${link("/episodes", { outcome: curve.outcome })}>Episodes: ${outcomeWord(curve.outcome)}</a>`)}</p>
  <//>`;
}

/** @param {import("../learning.js").PanelProps} props */
export function Conditionings({ data, why, frame }) {
  const rows = data.conditioning ?? [];
  const last = rows[rows.length - 1];
  const cell = (/** @type {number | null} */ value) => (value === null ? "–" : short(value));
  const ratio = last?.action_gap !== null && last?.noise_gap ? (last.action_gap ?? 0) / last.noise_gap : null;
  const summary = last ? `Version ${last.version}: asking for good steps moves the action by ${cell(last.action_gap)}${ratio === null ? "" : `, ${short(ratio)} times what chance moves it`}.` : "";
  return html`<${Panel} ...${frame("conditioning")} question="Does “good” still mean better?" unavailable=${why("conditioning")} summary=${summary}
    table=${{ rows: rows.toReversed(), columns: [
      { name: "version", label: "Version", cell: (/** @type {any} */ row) => row.version, sort: (/** @type {any} */ row) => row.version },
      { name: "action", label: "Action gap", isNumber: true, cell: (/** @type {any} */ row) => cell(row.action_gap), sort: (/** @type {any} */ row) => row.action_gap },
      { name: "noise", label: "Gap by chance", isNumber: true, cell: (/** @type {any} */ row) => cell(row.noise_gap), sort: (/** @type {any} */ row) => row.noise_gap },
      { name: "gain", label: "Loss gained", isNumber: true, cell: (/** @type {any} */ row) => cell(row.indicator_gain), sort: (/** @type {any} */ row) => row.indicator_gain },
      { name: "time", label: "Checked", cell: (/** @type {any} */ row) => clock(row.time_ns), sort: (/** @type {any} */ row) => row.time_ns },
    ] }}>
    <${LinePlot} height=${200} xAxis="check, oldest first" yAxis="gap between actions" format=${short} summary=${summary}
      lines=${[
        { name: "asked for good", ...gaps(rows, "action_gap") },
        { name: "by chance", ...gaps(rows, "noise_gap") },
      ]} />
  <//>`;
}

/**
 * @param {import("../../shapes.js").Conditioning[]} rows
 * @param {"action_gap" | "noise_gap"} field
 */
function gaps(rows, field) {
  const known = rows.map((row, index) => ({ x: index + 1, y: row[field] })).filter((point) => point.y !== null);
  return { x: known.map((point) => point.x), y: known.map((point) => /** @type {number} */ (point.y)), low: null, high: null, n: known.map(() => 1) };
}
