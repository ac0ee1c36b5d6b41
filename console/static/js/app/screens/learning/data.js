// What the learner eats, whether anything is stuck, and whether it is healthy.

import { html } from "htm/preact";

import { bytes, count, duration, percent } from "../../../core/format.js";
import { link } from "../../router.js";
import { DataTable } from "../../widgets/data-table.js";
import { Histogram, shortCount } from "../../widgets/histogram.js";
import { Panel } from "../../widgets/panel.js";
import { clock } from "../../widgets/when.js";
import { short } from "./headline.js";
import { useLongSeries } from "./long-series.js";

/** @param {import("../learning.js").PanelProps} props */
export function DataMix({ data, why, frame }) {
  const mix = data.mix;
  const age = data.age_s;
  const totals = Object.entries(mix?.by_source ?? {}).map(([source, counts]) => ({ source, total: counts.reduce((sum, one) => sum + one, 0) })).filter((one) => one.total > 0);
  const all = totals.reduce((sum, one) => sum + one.total, 0);
  const words = totals.map((one) => `${percent(one.total / all)} ${one.source.replaceAll("_", " ")}`).join(", ");
  const ages = age ? ` Half of it is older than ${duration(age.p50)}; a tenth is newer than ${duration(age.p10)}.` : "";
  const rows = (mix?.edges_ns ?? []).slice(0, -1).map((time, bin) => ({ time, bin }));
  return html`<${Panel} ...${frame("mix")} question="What is it eating?" unavailable=${why("mix") || (all ? "" : "No step was recorded in this window.")} summary=${`${shortCount(all)} steps: ${words}.${ages}`}
    table=${{ rows: rows.toReversed(), columns: [
      { name: "time", label: "From", cell: (/** @type {any} */ row) => clock(row.time), sort: (/** @type {any} */ row) => row.time },
      ...totals.map(({ source }) => ({ name: source, label: source.replaceAll("_", " "), isNumber: true, cell: (/** @type {any} */ row) => count(mix?.by_source[source][row.bin] ?? 0) })),
      { name: "rate", label: "Steps a second", isNumber: true, cell: (/** @type {any} */ row) => short(mix?.steps_per_s[row.bin] ?? 0) },
    ] }}>
    ${mix && html`<${Histogram} edges=${mix.edges_ns} counts=${Object.fromEntries(totals.map(({ source }) => [source, mix.by_source[source]]))} thresholds=${[]} axis="steps recorded, by source" format=${clock} isTime=${true} summary=${`Steps by source: ${words}`} />
      <p class="button-row">${totals.filter(({ source }) => mix.episodes[source]).map(({ source }) => html`<a key=${source} ...${link(`/episodes?${mix.episodes[source]}`)}>Episodes: ${source.replaceAll("_", " ")}</a>`)}</p>`}
  <//>`;
}

/** @param {import("../learning.js").PanelProps} props */
export function LagPanel({ data, filters, why, frame }) {
  const lag = data.lag;
  const rows = lag?.topics ?? [];
  const worst = rows.filter((row) => row.kafka_lag_records !== null).toSorted((one, other) => (other.kafka_lag_records ?? 0) - (one.kafka_lag_records ?? 0))[0];
  const wait = Object.entries(lag?.learner_wait_share ?? {});
  const summary = `${worst ? `Longest queue: ${worst.topic}, ${count(worst.kafka_lag_records ?? 0)} records. ` : ""}${wait.map(([on, share]) => `The learner waits ${percent(share)} of the time for ${on.replaceAll("_", " ")}.`).join(" ")}`;
  const series = useLongSeries({ names: ["kafka_lag"], filters, window: data.window, format: shortCount, axis: "records not yet in the lake" });
  const columns = [
    { name: "topic", label: "Topic", cell: (/** @type {any} */ row) => row.topic, sort: (/** @type {any} */ row) => row.topic },
    { name: "lag", label: "Waiting records", isNumber: true, cell: (/** @type {any} */ row) => (row.kafka_lag_records === null ? "not known" : count(row.kafka_lag_records)), sort: (/** @type {any} */ row) => row.kafka_lag_records },
    { name: "age", label: "Last commit", isNumber: true, cell: (/** @type {any} */ row) => (row.commit_age_s === null ? "none yet" : `${duration(row.commit_age_s)} ago`), sort: (/** @type {any} */ row) => row.commit_age_s },
  ];
  return html`<${Panel} ...${frame("lag")} question="Is anything stuck?" unavailable=${why("lag")} summary=${summary} table=${series.table}>
    <${DataTable} caption="Topics" columns=${columns} rows=${rows} maxHeight=${260} />
    ${series.unavailable ? html`<p class="quiet">Queue over time: ${series.unavailable}</p>` : series.view}
  <//>`;
}

/** @param {import("../learning.js").PanelProps} props */
export function LearnerPanel({ data, filters, why, frame }) {
  const learner = data.learner;
  const losses = Object.entries(learner?.loss ?? {});
  const metrics = Object.entries(learner?.newest?.metrics ?? {});
  const series = useLongSeries({ names: ["learner_loss"], filters, window: data.window, format: short, axis: "loss" });
  const summary = learner ? [learner.steps_per_s === null ? "" : `${short(learner.steps_per_s)} updates a second`, learner.num_steps === null ? "" : `${count(learner.num_steps)} in all`, ...losses.map(([part, value]) => `${part} loss ${short(value)}`)].filter(Boolean).join(", ") : "";
  const rows = [...losses.map(([name, value]) => ({ name: `${name} loss`, value })), ...metrics.map(([name, value]) => ({ name: `version ${learner?.newest?.version}: ${name.replaceAll("_", " ")}`, value }))];
  return html`<${Panel} ...${frame("learner")} question="Is the learner healthy?" unavailable=${why("learner")} summary=${summary || (learner?.newest ? `It does not train now. The newest version is ${learner.newest.version}.` : "It has not trained yet.")}
    table=${{ rows, columns: [
      { name: "name", label: "Figure", cell: (/** @type {any} */ row) => row.name, sort: (/** @type {any} */ row) => row.name },
      { name: "value", label: "Value", isNumber: true, cell: (/** @type {any} */ row) => short(row.value), sort: (/** @type {any} */ row) => row.value },
    ] }}>
    ${series.unavailable ? html`<p class="quiet">Loss over time: ${series.unavailable}</p>` : series.view}
    <dl class="facts is-columns">
      ${(learner?.calibration_error ?? []).map((one) => html`<dt key=${`c${one.task}`}>Calibration error, ${one.task}</dt><dd class="tabular">${short(one.value)}</dd>`)}
      ${(learner?.positive_ratio ?? []).map((one) => html`<dt key=${`p${one.task}${one.source}`}>Good steps, ${one.task}, ${one.source}</dt><dd class="tabular">${percent(one.value)}</dd>`)}
      ${metrics.slice(0, 8).map(([name, value]) => html`<dt key=${name}>${name.replaceAll("_", " ")}</dt><dd class="tabular">${name.endsWith("_bytes") ? bytes(value) : short(value)}</dd>`)}
    </dl>
  <//>`;
}
