// Fleet: every robot and every service in one look; live state from the gateway, history from the lake.

import { html } from "htm/preact";

import { count, counted, duration } from "../../core/format.js";
import { may } from "../permission.js";
import { useResource } from "../resource.js";
import { link } from "../router.js";
import { leases, now, robots, roster } from "../store.js";
import { DataTable } from "../widgets/data-table.js";
import { ResourceState } from "../widgets/resource-state.js";
import { StateBadge, stateOf } from "../widgets/state-badge.js";
import { ago } from "../widgets/when.js";

/**
 * One robot as this screen knows it.
 * @typedef {object} Row
 * @property {string} id
 * @property {import("../store.js").LiveRobot | undefined} live
 * @property {import("../shapes.js").FleetRobot | undefined} kept  what the lake knows of it
 * @property {string} holder  who holds it; empty where nobody does
 */

/** The screen at /fleet. */
export function Fleet() {
  const answer = useResource("/api/fleet", 5);
  const data = /** @type {import("../shapes.js").Fleet | null} */ (answer.data);
  const rows = rowsOf(data);
  const here = rows.filter((row) => stateOf(row.live) !== "silent").length;
  return html`<div class="screen fleet-screen">
    <header class="screen-head">
      <h1>Fleet</h1>
      <p class="screen-count tabular" role="status">${rows.length ? `${count(here)} of ${counted(rows.length, "robot")} report` : ""}</p>
    </header>
    <${ResourceState} resource=${answer} what="fleet's history" />
    ${data?.health.is_healthy && html`<p class="health"><span aria-hidden="true">✓</span> ${data.health.words}</p>`}
    <section class="panel" aria-label="Robots"><h2>Robots</h2>
      <${DataTable} caption="Robots" columns=${columnsOf(data?.as_of_ns ?? 0)} rows=${rows} maxHeight=${560} empty="No robot has connected yet. Start one with “touchline actor”." />
    </section>
    <${Services} services=${data?.services ?? null} />
  </div>`;
}

/**
 * @param {import("../shapes.js").Fleet | null} data
 * @returns {Row[]} connected robots and those that the lake remembers, by name
 */
function rowsOf(data) {
  const kept = new Map((data?.robots ?? []).map((robot) => [robot.robot_id, robot]));
  const names = new Set([...(roster.value ?? []).map((robot) => robot.robot_id), ...robots.value.keys(), ...kept.keys()]);
  return [...names].sort((one, other) => one.localeCompare(other, undefined, { numeric: true })).map((id) => {
    const lease = leases.value.get(id);
    return { id, live: robots.value.get(id), kept: kept.get(id), holder: lease?.is_held ? (lease.is_yours ? "you" : lease.operator_id) : "" };
  });
}

/**
 * @param {number} asOfNs  when the lake was read
 * @returns {import("../widgets/data-table.js").Column[]}
 */
function columnsOf(asOfNs) {
  const version = (/** @type {Row} */ row) => row.live?.policy_version || row.kept?.version || "";
  return [
    { name: "robot", label: "Robot", cell: (/** @type {Row} */ row) => html`<a ...${link(`/fleet/${encodeURIComponent(row.id)}`)}>${row.id}</a>`, sort: (row) => row.id },
    { name: "state", label: "State", cell: (/** @type {Row} */ row) => html`<${StateBadge} state=${stateOf(row.live)} />`, sort: (row) => stateOf(row.live) },
    { name: "task", label: "Task", cell: (/** @type {Row} */ row) => row.live?.task_id || row.kept?.task_id || "–", sort: (row) => row.live?.task_id ?? row.kept?.task_id ?? null },
    { name: "version", label: "Version", cell: (/** @type {Row} */ row) => (version(row) ? html`<a ...${link("/weights")}>${version(row)}</a>${row.kept?.role && row.kept.version === version(row) ? `, ${row.kept.role}` : ""}` : "–"), sort: (row) => Number(version(row)) || version(row) },
    { name: "age", label: "Weights' age", isNumber: true, cell: (/** @type {Row} */ row) => (typeof row.kept?.age_s === "number" ? duration(row.kept.age_s) : "–"), sort: (row) => row.kept?.age_s ?? null },
    { name: "behind", label: "Behind", isNumber: true, cell: (/** @type {Row} */ row) => (typeof row.kept?.versions_behind === "number" ? count(row.kept.versions_behind) : "–"), sort: (row) => row.kept?.versions_behind ?? null },
    { name: "seen", label: "Last heard", cell: (/** @type {Row} */ row) => heard(row, asOfNs), sort: (row) => row.live?.received_ms ?? 0 },
    { name: "holder", label: "Held by", cell: (/** @type {Row} */ row) => row.holder || "nobody", sort: (row) => row.holder },
    { name: "episodes", label: "Episodes", isNumber: true, cell: (/** @type {Row} */ row) => (row.kept ? html`<a ...${link(`/episodes?${row.kept.episodes}`)}>${count(row.kept.num_episodes)}</a>` : "–"), sort: (row) => row.kept?.num_episodes ?? null },
    { name: "help", label: "Helped", isNumber: true, cell: (/** @type {Row} */ row) => (row.kept ? count(row.kept.num_interventions) : "–"), sort: (row) => row.kept?.num_interventions ?? null },
    { name: "needs", label: "Needs", cell: (/** @type {Row} */ row) => html`<span class="wrap">${row.live?.help.reason || row.live?.weights_refusal || "nothing"}</span>` },
  ];
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

/** States that need nobody. */
const WELL = new Set(["healthy", "running", "done"]);

/**
 * @param {object} props
 * @param {import("../shapes.js").Service[] | null} props.services
 */
function Services({ services }) {
  if (!services) return null;
  /** @typedef {import("../shapes.js").Service} Service */
  /** @type {import("../widgets/data-table.js").Column[]} */
  const columns = [
    { name: "name", label: "Service", cell: (/** @type {Service} */ row) => row.name, sort: (row) => row.name },
    { name: "state", label: "State", cell: (/** @type {Service} */ row) => html`<span class=${WELL.has(row.state) ? "" : "error-words"}><span aria-hidden="true">${WELL.has(row.state) ? "✓" : "!"}</span> ${row.state}</span>`, sort: (row) => row.state },
    { name: "restarts", label: "Restarts", isNumber: true, cell: (/** @type {Service} */ row) => count(row.restarts), sort: (row) => row.restarts },
    { name: "pid", label: "Process", isNumber: true, cell: (/** @type {Service} */ row) => (row.pid ? String(row.pid) : "–"), sort: (row) => row.pid },
    { name: "url", label: "Metrics", cell: (/** @type {Service} */ row) => (row.url ? html`<a href=${`${row.url.replace(/\/$/, "")}/metrics`} rel="noreferrer" target="_blank">metrics<span class="visually-hidden"> of ${row.name}, in a new tab</span></a>` : "–") },
  ];
  return html`<section class="panel" aria-label="Services"><h2>Services</h2>
    <${DataTable} caption="Services" columns=${columns} rows=${services} empty="No service runs under this console's supervisor." />
    ${may("engineer") && html`<p class="quiet">Stop and start them where they run: touchline status, touchline down, touchline up.</p>`}
  </section>`;
}
