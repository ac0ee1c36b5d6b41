// The ledger: what was in force when, who decided it, and with which numbers. Nothing is ever taken out.

import { html } from "htm/preact";

import { percentWithInterval } from "../../../core/format.js";
import { link } from "../../router.js";
import { clock } from "../../widgets/when.js";

/** @type {Readonly<Record<string, string>>} */
const EVENTS = { candidate: "announced", canary: "rollout begun", promote: "promoted", reject: "rejected", rollback: "rolled back", freeze: "frozen", thaw: "allowed again", rollout_stage: "next stage", rollout_pause: "paused", rollout_resume: "gone on", rollout_abort: "stopped", shadow: "shadow begun", shadow_end: "shadow ended" };
const SHOWN = 60;

/** @param {{data: import("../../shapes.js").Weights}} props */
export function LedgerTable({ data }) {
  const lines = data.ledger.slice(0, SHOWN);
  return html`<section class="panel is-full"><h2>How did it come to be so?</h2>
    ${lines.length ? html`<ol class="ledger">${lines.map((line) => html`<${Line} key=${`${line.time_ns}${line.event}`} line=${line} />`)}</ol>` : html`<p class="panel-none">Nothing was announced or promoted yet.</p>`}
    ${data.ledger.length > SHOWN && html`<p class="quiet">The newest ${SHOWN} of ${data.ledger.length} lines.</p>`}
  </section>`;
}

/** @param {{line: import("../../shapes.js").LedgerLine}} props */
function Line({ line }) {
  const evidence = Object.entries(line.evidence ?? {});
  return html`<li class=${`ledger-line ledger-${line.event}`}>
    <span class="ledger-time tabular">${clock(line.time_ns)}</span>
    <span class="ledger-event">${EVENTS[line.event] ?? line.event}</span>
    <span class="ledger-version tabular">${line.policy_version ? html`<a ...${link("/episodes", { version: line.policy_version })}>version ${line.policy_version}</a>` : "–"}${line.previous_version && line.previous_version !== line.policy_version ? html`<span class="quiet"> was ${line.previous_version}</span>` : ""}</span>
    <span class="ledger-reason"><strong>${line.author}</strong>: ${line.reason}
      ${evidence.length > 0 && html`<details><summary>Evidence</summary><${Evidence} evidence=${line.evidence} /></details>`}
    </span>
  </li>`;
}

/** @param {{evidence: Record<string, unknown>}} props */
function Evidence({ evidence }) {
  const tasks = Array.isArray(evidence.tasks) ? evidence.tasks : [];
  return html`<dl class="facts">
    ${tasks.filter((task) => task?.candidate && task?.champion).map(
      (task) => html`<dt key=${task.task}>${task.task}</dt><dd class="tabular">${rate(task.candidate)} against ${rate(task.champion)} <a ...${link("/episodes", { task: task.task })}>episodes</a></dd>`,
    )}
    ${Object.entries(evidence).filter(([name]) => name !== "tasks").map(([name, value]) => html`<dt key=${name}>${name.replaceAll("_", " ")}</dt><dd class="tabular wrap">${inWords(value)}</dd>`)}
  </dl>`;
}

/**
 * @param {import("../../shapes.js").Tally} tally
 * @returns {string}
 */
function rate(tally) {
  return percentWithInterval({ estimate: tally.n ? tally.k / tally.n : null, low: tally.low ?? null, high: tally.high ?? null, n: tally.n });
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function inWords(value) {
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
