// Who runs what, and where it goes badly.

import { html } from "htm/preact";

import { count, counted, duration, percent, percentWithInterval } from "../../../core/format.js";
import { link } from "../../router.js";
import { HeatGrid } from "../../widgets/heat-grid.js";
import { refusalOf } from "../../store.js";
import { DataTable } from "../../widgets/data-table.js";
import { Panel } from "../../widgets/panel.js";
import { ago } from "../../widgets/when.js";

/** @param {import("../learning.js").PanelProps} props */
export function Staleness({ data, why, frame }) {
  const rows = data.staleness ?? [];
  const behind = rows.filter((row) => (row.versions_behind ?? 0) > 0).length;
  const refusing = rows.filter(refusalOf).length;
  const summary = `${counted(rows.length, "robot")}: ${behind ? `${count(behind)} behind` : "all up to date"}${refusing ? `, ${count(refusing)} refuse` : ""}.`;
  return html`<${Panel} ...${frame("staleness")} question="Who runs what?" unavailable=${why("staleness") || (rows.length ? "" : "No robot has worked in this window.")} summary=${summary} table=${null}>
    <${DataTable} caption="Robots and their weights" rows=${rows} columns=${[
      { name: "robot", label: "Robot", cell: (/** @type {any} */ row) => html`<a ...${link(`/fleet/${encodeURIComponent(row.robot_id)}`)}>${row.robot_id}</a>`, sort: (/** @type {any} */ row) => row.robot_id },
      { name: "version", label: "Version", cell: (/** @type {any} */ row) => `${row.version || "none"}${row.role ? `, ${row.role}` : ""}`, sort: (/** @type {any} */ row) => row.version },
      { name: "age", label: "Age", isNumber: true, cell: (/** @type {any} */ row) => (row.age_s === null ? "–" : duration(row.age_s)), sort: (/** @type {any} */ row) => row.age_s },
      { name: "behind", label: "Behind", isNumber: true, cell: (/** @type {any} */ row) => (row.versions_behind === null ? "–" : count(row.versions_behind)), sort: (/** @type {any} */ row) => row.versions_behind },
      { name: "swap", label: "Last swap", cell: (/** @type {any} */ row) => ago(row.last_swap_ns, data.now_ns), sort: (/** @type {any} */ row) => row.last_swap_ns },
      { name: "refusal", label: "Refused", cell: (/** @type {any} */ row) => refusalOf(row) || "no" },
    ]} />
  <//>`;
}

/** @param {import("../learning.js").PanelProps} props */
export function OutcomeGrid({ data, why, frame }) {
  const grid = data.grid;
  const cells = grid?.cells ?? [];
  const worst = cells.filter((cell) => cell.n > 0).toSorted((one, other) => one.estimate - other.estimate)[0];
  const summary = worst ? `Worst: ${worst.robot_id} on ${worst.task}, ${percentWithInterval(worst)}.` : "";
  return html`<${Panel} ...${frame("grid")} question="Where does it go badly?" unavailable=${why("grid") || (cells.length ? "" : "No labelled episode in this window.")} summary=${summary}
    table=${{ rows: cells, columns: [
      { name: "robot", label: "Robot", cell: (/** @type {any} */ row) => html`<a ...${link(`/episodes?${row.episodes}`)}>${row.robot_id}</a>`, sort: (/** @type {any} */ row) => row.robot_id },
      { name: "task", label: "Task", cell: (/** @type {any} */ row) => row.task, sort: (/** @type {any} */ row) => row.task },
      { name: "success", label: "Success, 95 % interval", isNumber: true, cell: percentWithInterval, sort: (/** @type {any} */ row) => row.estimate },
    ] }}>
    ${grid && html`<${HeatGrid} rows=${grid.robots} columns=${grid.tasks} corner="Robot" caption="Success by robot and task" format=${(/** @type {number} */ value) => percent(value)}
      cells=${cells.map((cell) => ({ row: cell.robot_id, column: cell.task, estimate: cell.estimate, n: cell.n, href: `/episodes?${cell.episodes}` }))} />`}
  <//>`;
}
