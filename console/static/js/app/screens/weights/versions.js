// Every version, newest first, with what may be done with it.

import { html } from "htm/preact";

import { may } from "../../permission.js";
import { link } from "../../router.js";
import { DataTable } from "../../widgets/data-table.js";
import { clock } from "../../widgets/when.js";
import { short } from "../learning/headline.js";

/** @typedef {import("../../shapes.js").Candidate} Candidate */

const MAX_METRICS = 3;

/**
 * @param {object} props
 * @param {import("../../shapes.js").Weights} props.data
 * @param {(action: import("../weights.js").Action) => void} props.onAct
 */
export function VersionTable({ data, onAct }) {
  const metrics = (/** @type {Candidate} */ row) => Object.entries(row.metrics).slice(0, MAX_METRICS).map(([name, value]) => `${name.replaceAll("_", " ")} ${short(value)}`).join(", ");
  /** @type {import("../../widgets/data-table.js").Column[]} */
  const columns = [
    { name: "version", label: "Version", cell: (/** @type {Candidate} */ row) => html`<a ...${link("/episodes", { version: row.version })}>${row.version}</a>`, sort: (row) => Number(row.version) || row.version },
    { name: "status", label: "Status", cell: (/** @type {Candidate} */ row) => row.status || "–", sort: (row) => row.status },
    { name: "created", label: "Made", cell: (/** @type {Candidate} */ row) => clock(row.created_ns), sort: (row) => row.created_ns },
    { name: "metrics", label: "Measured", cell: (/** @type {Candidate} */ row) => metrics(row) || "–" },
    { name: "reason", label: "Why", cell: (/** @type {Candidate} */ row) => html`<span class="wrap">${row.reason || "–"}</span>` },
  ];
  if (may("engineer")) columns.push({ name: "act", label: "Do", cell: (/** @type {Candidate} */ row) => html`<${Deeds} row=${row} data=${data} onAct=${onAct} />` });
  return html`<section class="panel is-full"><h2>Which versions are there?</h2>
    <${DataTable} caption="Versions" columns=${columns} rows=${data.candidates} empty="The learner has not made a version yet." />
  </section>`;
}

/**
 * @param {object} props
 * @param {Candidate} props.row
 * @param {import("../../shapes.js").Weights} props.data
 * @param {(action: import("../weights.js").Action) => void} props.onAct
 */
function Deeds({ row, data, onAct }) {
  if (row.version === data.aliases.champion) return html`<span class="quiet">acts now</span>`;
  const shadow = row.version === data.aliases.shadow
    ? html`<span class="quiet">shadow</span>`
    : html`<button type="button" class="quiet-button" disabled=${!data.aliases.champion} aria-label=${`Shadow version ${row.version} beside the champion`} onClick=${() => onAct({ kind: "shadow", version: row.version })}>Shadow…</button>`;
  if (row.status === "rejected") return html`<span class="button-row"><span class="quiet">rejected</span> ${shadow}</span>`;
  const isFrozen = Boolean(data.frozen);
  return html`<span class="button-row">
    ${shadow}
    ${!data.rollout && html`<button type="button" class="quiet-button" disabled=${isFrozen} aria-label=${`Start a rollout of version ${row.version}`} onClick=${() => onAct({ kind: "start", version: row.version })}>Rollout…</button>`}
    <button type="button" class="quiet-button" disabled=${isFrozen} aria-label=${`Promote version ${row.version} at once`} onClick=${() => onAct({ kind: "promote", version: row.version })}>At once…</button>
  </span>`;
}
