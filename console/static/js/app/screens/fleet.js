// Fleet: every robot and every service in one look; live state from the gateway, history from the lake.

import { html } from "htm/preact";
import { useState } from "preact/hooks";

import { count, counted } from "../../core/format.js";
import { useResource } from "../resource.js";
import { query, setQuery } from "../router.js";
import { leases, robots, roster } from "../store.js";
import { DataTable } from "../widgets/data-table.js";
import { ResourceState } from "../widgets/resource-state.js";
import { stateOf } from "../widgets/state-badge.js";
import { STATES } from "../words.js";
import { Bulk } from "./fleet/bulk.js";
import { columnsOf } from "./fleet/columns.js";
import { Services } from "./fleet/services.js";

/**
 * One robot as this screen knows it.
 * @typedef {object} Row
 * @property {string} id
 * @property {import("../store.js").LiveRobot | undefined} live
 * @property {import("../shapes.js").FleetRobot | undefined} kept  what the lake knows of it
 * @property {import("../shapes.js").Standing | undefined} config  how it is set; undefined where it is not connected
 * @property {string} holder  who holds it; empty where nobody does
 */

/** The screen at /fleet. */
export function Fleet() {
  const answer = useResource("/api/fleet", 5);
  const [chosen, setChosen] = useState(/** @type {ReadonlySet<string>} */ (new Set()));
  const data = /** @type {import("../shapes.js").Fleet | null} */ (answer.data);
  const all = rowsOf(data);
  const show = query.value.get("show") ?? "";
  const rows = show ? all.filter((row) => (show === "odd" ? row.config?.is_odd : stateOf(row.live) === show)) : all;
  const here = all.filter((row) => stateOf(row.live) !== "silent").length;
  // What is not in sight is not acted on.
  const picked = rows.filter((row) => chosen.has(row.id)).map((row) => row.id);
  return html`<div class="screen fleet-screen">
    <header class="screen-head">
      <h1>Fleet</h1>
      <p class="screen-count tabular" role="status">${all.length ? `${count(here)} of ${counted(all.length, "robot")} report` : ""}</p>
    </header>
    <${ResourceState} resource=${answer} what="fleet's history" />
    ${data?.health.is_healthy && html`<p class="health"><span aria-hidden="true">✓</span> All services are well.</p>`}
    <section class="panel fleet-robots" aria-label="Robots">
      <div class="panel-row"><h2>Robots</h2><${Show} show=${show} /></div>
      <${Bulk} picked=${picked} onDone=${() => setChosen(new Set())} />
      <${DataTable} caption="Robots" columns=${columnsOf(data?.as_of_ns ?? 0, { rows, picked, onPick: setChosen })} rows=${rows} maxHeight=${560}
        empty=${all.length ? "No robot is like that now." : "No robot has connected yet. Start one with “touchline actor”."} />
    </section>
    <${Services} services=${data?.services ?? null} />
  </div>`;
}

/** @param {{show: string}} props */
function Show({ show }) {
  return html`<label class="filter is-inline"><span>Show</span>
    <select value=${show} onChange=${(/** @type {any} */ event) => setQuery({ show: event.currentTarget.value || null })}>
      <option value="">all</option>
      ${Object.entries(STATES).map(([state, words]) => html`<option key=${state} value=${state}>${words}</option>`)}
      <option value="odd">set differently</option>
    </select>
  </label>`;
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
    const holder = lease?.is_held ? (lease.is_yours ? "you" : lease.operator_id) : "";
    return { id, live: robots.value.get(id), kept: kept.get(id), config: data?.configs[id], holder };
  });
}
