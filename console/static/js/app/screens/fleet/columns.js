// What the fleet's table says of a robot, column by column.

import { html } from "htm/preact";

import { bytes, count, counted, duration } from "../../../core/format.js";
import { link } from "../../router.js";
import { now } from "../../store.js";
import { StateBadge, stateOf } from "../../widgets/state-badge.js";
import { ago } from "../../widgets/when.js";

/** @typedef {import("../fleet.js").Row} Row */
/** @typedef {import("../../widgets/data-table.js").Column} Column */

/**
 * @param {number} asOfNs  when the lake was read
 * @param {object} choice
 * @param {Row[]} choice.rows  those in sight
 * @param {string[]} choice.picked
 * @param {(picked: ReadonlySet<string>) => void} choice.onPick
 * @returns {Column[]}
 */
export function columnsOf(asOfNs, choice) {
  const version = (/** @type {Row} */ row) => row.live?.policy_version || row.kept?.version || "";
  return [
    choiceOf(choice),
    { name: "robot", label: "Robot", cell: (/** @type {Row} */ row) => html`<a ...${link(`/fleet/${encodeURIComponent(row.id)}`)}>${row.id}</a>`, sort: (row) => row.id },
    { name: "state", label: "State", cell: (/** @type {Row} */ row) => html`<${StateBadge} state=${stateOf(row.live)} />`, sort: (row) => stateOf(row.live) },
    { name: "needs", label: "Needs", cell: (/** @type {Row} */ row) => html`<span class="wrap">${row.live?.help.reason || row.live?.weights_refusal || "nothing"}</span>` },
    { name: "holder", label: "Held by", cell: (/** @type {Row} */ row) => row.holder || "nobody", sort: (row) => row.holder },
    { name: "task", label: "Task", cell: (/** @type {Row} */ row) => row.live?.task_id || row.kept?.task_id || "–", sort: (row) => row.live?.task_id ?? row.kept?.task_id ?? null },
    { name: "version", label: "Version", cell: (/** @type {Row} */ row) => (version(row) ? html`<a ...${link("/weights")}>${version(row)}</a>${row.kept?.role && row.kept.version === version(row) ? `, ${row.kept.role}` : ""}` : "–"), sort: (row) => Number(version(row)) || version(row) },
    { name: "age", label: "Its age", isNumber: true, cell: (/** @type {Row} */ row) => ageOf(row), sort: (row) => row.kept?.age_s ?? null },
    { name: "config", label: "Settings", cell: (/** @type {Row} */ row) => html`<${Config} config=${row.config} />`, sort: (row) => row.config?.config_hash ?? null },
    { name: "spool", label: "Waits on it", isNumber: true, cell: (/** @type {Row} */ row) => html`<${Spool} live=${row.live} />`, sort: (row) => row.live?.num_records_waiting ?? null },
    { name: "temperature", label: "Temperature", isNumber: true, cell: (/** @type {Row} */ row) => html`<${Temperature} live=${row.live} />`, sort: (row) => hottest(row.live)?.[1] ?? null },
    { name: "seen", label: "Last heard", cell: (/** @type {Row} */ row) => heard(row, asOfNs), sort: (row) => row.live?.received_ms ?? 0 },
    { name: "episodes", label: "Episodes", isNumber: true, cell: (/** @type {Row} */ row) => (row.kept ? html`<a ...${link(`/episodes?${row.kept.episodes}`)}>${count(row.kept.num_episodes)}</a>` : "–"), sort: (row) => row.kept?.num_episodes ?? null },
    { name: "help", label: "Helped", isNumber: true, cell: (/** @type {Row} */ row) => (row.kept ? count(row.kept.num_interventions) : "–"), sort: (row) => row.kept?.num_interventions ?? null },
  ];
}

/**
 * @param {{rows: Row[], picked: string[], onPick: (picked: ReadonlySet<string>) => void}} choice
 * @returns {Column}
 */
function choiceOf({ rows, picked, onPick }) {
  const isAll = rows.length > 0 && picked.length === rows.length;
  const toggle = (/** @type {string} */ id) => onPick(new Set(picked.includes(id) ? picked.filter((one) => one !== id) : [...picked, id]));
  return {
    name: "choice",
    label: "Choose",
    isChoice: true,
    head: html`<label class="tick"><input type="checkbox" checked=${isAll} indeterminate=${picked.length > 0 && !isAll} onChange=${() => onPick(new Set(isAll ? [] : rows.map((row) => row.id)))} /><span class="visually-hidden">Choose all shown</span></label>`,
    cell: (/** @type {Row} */ row) => html`<label class="tick"><input type="checkbox" checked=${picked.includes(row.id)} onChange=${() => toggle(row.id)} /><span class="visually-hidden">Choose ${row.id}</span></label>`,
  };
}

/** @param {Row} row */
function ageOf({ kept }) {
  if (typeof kept?.age_s !== "number") return "–";
  return html`<span class="two-lines">${duration(kept.age_s)}${Boolean(kept.versions_behind) && html`<span class="quiet">${counted(kept.versions_behind ?? 0, "version")} behind</span>`}</span>`;
}

/** @param {{config: import("../../shapes.js").Standing | undefined}} props */
function Config({ config }) {
  if (!config) return html`–`;
  if (!config.config_hash) return html`<span class="quiet">${config.words}</span>`;
  return html`<span class="two-lines" title=${config.words}><code>${config.config_hash}</code>${config.is_odd && html`<span class="error-words"><span aria-hidden="true">!</span> ${config.words}</span>`}</span>`;
}

/** @param {{live: Row["live"]}} props */
function Spool({ live }) {
  if (!live) return html`–`;
  const words = `${counted(live.num_records_waiting, "record")} of this robot; ${bytes(live.spool_bytes)} of all robots of its process`;
  return html`<span title=${words}><span class="two-lines">${counted(live.num_records_waiting, "record")}${live.spool_bytes > 0 && html`<span class="quiet">${bytes(live.spool_bytes)}</span>`}</span><span class="visually-hidden">: ${words}</span></span>`;
}

/** @param {{live: Row["live"]}} props */
function Temperature({ live }) {
  const found = hottest(live);
  if (!found) return html`<span class="quiet" title="This robot measures none">–</span>`;
  const words = Object.entries(live?.temperatures_c ?? {}).map(([part, value]) => `${part} ${value.toFixed(1)} °C`).join(", ");
  return html`<span class="two-lines" title=${words}>${found[1].toFixed(0)} °C <span class="quiet">${found[0]}</span></span>`;
}

/**
 * @param {Row["live"]} live
 * @returns {[string, number] | null} the part and its temperature; null where it measures none
 */
function hottest(live) {
  return Object.entries(live?.temperatures_c ?? {}).sort((one, other) => other[1] - one[1])[0] ?? null;
}

/**
 * @param {Row} row
 * @param {number} asOfNs
 * @returns {string}
 */
function heard(row, asOfNs) {
  if (row.live) return `${duration(Math.max(0, (now.value - row.live.received_ms) / 1000))} ago`;
  return row.kept ? ago(row.kept.last_seen_ns, asOfNs || row.kept.last_seen_ns) : "never";
}
