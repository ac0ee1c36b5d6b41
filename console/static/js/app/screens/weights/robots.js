// What each robot runs, what it should run, and why it refused.

import { html } from "htm/preact";

import { count, duration } from "../../../core/format.js";
import { link } from "../../router.js";
import { refusalOf } from "../../store.js";
import { DataTable } from "../../widgets/data-table.js";
import { ago } from "../../widgets/when.js";

/** @typedef {import("../../shapes.js").RobotVersion} RobotVersion */

/** @param {{data: import("../../shapes.js").Weights}} props */
export function RobotTable({ data }) {
  /** @type {import("../../widgets/data-table.js").Column[]} */
  const columns = [
    { name: "robot", label: "Robot", cell: (/** @type {RobotVersion} */ row) => html`<a ...${link(`/fleet/${encodeURIComponent(row.robot_id)}`)}>${row.robot_id}</a>`, sort: (row) => row.robot_id },
    { name: "version", label: "Runs", cell: (/** @type {RobotVersion} */ row) => (row.version ? `version ${row.version}${row.role ? `, ${row.role}` : ""}` : "nothing yet"), sort: (row) => row.version },
    { name: "wanted", label: "To run", cell: wanted, sort: (row) => row.wanted?.version ?? null },
    { name: "age", label: "Age", isNumber: true, cell: (/** @type {RobotVersion} */ row) => (row.age_s === null ? "–" : duration(row.age_s)), sort: (row) => row.age_s },
    { name: "behind", label: "Behind", isNumber: true, cell: (/** @type {RobotVersion} */ row) => (row.versions_behind === null ? "–" : count(row.versions_behind)), sort: (row) => row.versions_behind },
    { name: "swap", label: "Last swap", cell: (/** @type {RobotVersion} */ row) => ago(row.last_swap_ns, data.now_ns), sort: (row) => row.last_swap_ns },
    { name: "refusal", label: "Refused", cell: (/** @type {RobotVersion} */ row) => (refusalOf(row) ? html`<span class="error-words">${refusalOf(row)}</span>` : "no"), sort: refusalOf },
  ];
  return html`<section class="panel is-full"><h2>What does each robot run?</h2>
    <${DataTable} caption="Robots and their weights" columns=${columns} rows=${data.robots} empty="No robot has connected yet." />
  </section>`;
}

/**
 * @param {RobotVersion} row
 * @returns {any}
 */
function wanted(row) {
  if (!row.wanted) return "–";
  if (row.wanted.version === row.version) return "the same";
  return html`<strong>version ${row.wanted.version}</strong> at its next episode`;
}
