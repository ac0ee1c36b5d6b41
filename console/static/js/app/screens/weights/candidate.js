// The candidate against the champion: the evidence, the word for it, and what is still missing.

import { html } from "htm/preact";

import { count, counted, percentWithInterval } from "../../../core/format.js";
import { may } from "../../permission.js";
import { link } from "../../router.js";
import { DataTable } from "../../widgets/data-table.js";
import { Forest } from "../../widgets/forest.js";
import { ago } from "../../widgets/when.js";
import { points } from "../learning/success.js";

/** @type {Readonly<Record<string, {sign: string, word: string}>>} */
const WORDS = {
  better: { sign: "▲", word: "better" },
  not_worse: { sign: "■", word: "not worse" },
  not_enough_yet: { sign: "…", word: "not enough yet" },
  worse: { sign: "▼", word: "worse" },
};

/**
 * @param {object} props
 * @param {import("../../shapes.js").Weights} props.data
 * @param {(action: import("../weights.js").Action) => void} props.onAct
 */
export function CandidateCard({ data, onAct }) {
  const { verdict } = data;
  if (!verdict) {
    return html`<section class="panel is-half"><h2>What would come next?</h2><p class="panel-none">No candidate has been judged yet. The learner announces one after its next round; the judge then compares it with the champion.</p></section>`;
  }
  const { sign, word } = WORDS[verdict.word] ?? { sign: "?", word: verdict.word };
  const summary = verdict.tasks.map((task) => `${task.task}: ${points(task.difference)} points`).join(", ");
  return html`<section class="panel is-half" aria-labelledby="candidate-title">
    <header class="panel-head"><h2 id="candidate-title">Is version ${verdict.version} better than ${verdict.champion || "nothing"}?</h2><span class=${`verdict verdict-${verdict.word}`}><span aria-hidden="true">${sign}</span> ${word}</span></header>
    <p class="panel-summary">${verdict.reason}</p>
    <p class="tabular">${needed(verdict)} <span class="quiet">Judged ${ago(verdict.at_ns, data.now_ns)}.</span></p>
    ${verdict.tasks.length > 0 &&
    html`<${Forest} series=${["candidate"]} reference=${0} domain=${null} format=${points} axis="candidate minus champion, points" summary=${`Difference in success, 95 % intervals. ${summary}`}
        rows=${verdict.tasks.map((task) => ({ label: task.task, series: "candidate", estimate: task.difference, low: task.low, high: task.high, n: Math.min(task.candidate.n, task.champion.n), text: `${points(task.difference)} [${points(task.low)}, ${points(task.high)}]`, href: `/episodes?task=${encodeURIComponent(task.task)}&version=${encodeURIComponent(verdict.version)}` }))} />
      <${Evidence} verdict=${verdict} />`}
    ${!data.rollout && verdict.waits_for.length > 0 && html`<p>Still waits for: ${verdict.waits_for.join(", ")}.</p>`}
    ${may("engineer") && !data.rollout && html`<div class="button-row"><button type="button" disabled=${Boolean(data.frozen)} onClick=${() => onAct({ kind: "start", version: verdict.version })}>Start rollout of ${verdict.version}…</button></div>`}
  </section>`;
}

/** @param {{verdict: import("../../shapes.js").Verdict}} props */
function Evidence({ verdict }) {
  const rate = (/** @type {import("../../shapes.js").Tally} */ tally) => percentWithInterval({ estimate: tally.n ? tally.k / tally.n : null, low: tally.low, high: tally.high, n: tally.n });
  return html`<${DataTable} caption="Evidence per task" rows=${verdict.tasks} maxHeight=${240} columns=${[
    { name: "task", label: "Task", cell: (/** @type {any} */ row) => html`<a ...${link("/episodes", { task: row.task, version: verdict.version })}>${row.task}</a>` },
    { name: "candidate", label: `Version ${verdict.version}`, isNumber: true, cell: (/** @type {any} */ row) => rate(row.candidate) },
    { name: "champion", label: `Champion ${verdict.champion}`, isNumber: true, cell: (/** @type {any} */ row) => rate(row.champion) },
  ]} />`;
}

/**
 * @param {import("../../shapes.js").Verdict} verdict
 * @returns {string}
 */
function needed(verdict) {
  const done = `${counted(verdict.num_pairs, "paired scene")} of at most ${count(verdict.max_pairs)}.`;
  if (verdict.num_more_needed === null) return `${done} At the present gap more episodes would not decide it.`;
  if (verdict.num_more_needed > 0) return `${done} About ${count(verdict.num_more_needed)} more episodes needed at the present gap.`;
  return `${done} Enough to decide.`;
}
