// One robot: what it sees and does now, its last 24 hours, what happened, how it is set, and what its process logs.

import { html } from "htm/preact";

import { bytes, count, counted, duration, percent } from "../../core/format.js";
import { may, whyNot } from "../permission.js";
import { useResource } from "../resource.js";
import { link, route } from "../router.js";
import { leases, now, robotNow, rosterOf } from "../store.js";
import { DataTable } from "../widgets/data-table.js";
import { Day } from "../widgets/day.js";
import { Picture } from "../widgets/picture.js";
import { ResourceState } from "../widgets/resource-state.js";
import { StateBadge, stateOf } from "../widgets/state-badge.js";
import { ago, clock } from "../widgets/when.js";
import { Configuration } from "./robot/configuration.js";
import { Log } from "./robot/log.js";

/** The screen at /fleet/ID. */
export function Robot() {
  const id = route.value.id;
  const answer = useResource(`/api/fleet/robots/${encodeURIComponent(id)}`, 10);
  const data = /** @type {import("../shapes.js").RobotDetail | null} */ (answer.data);
  const isThis = data?.robot_id === id;
  return html`<div class="screen robot-screen" key=${id}>
    <header class="screen-head">
      <div>
        <p class="crumb"><a ...${link("/fleet")}>Fleet</a></p>
        <h1>${id} <${StateBadge} state=${stateOf(robotNow(id).value)} /></h1>
      </div>
      <${Buttons} id=${id} />
    </header>
    <div class="panels">
      <${Now} id=${id} />
      ${isThis && html`<div class="stack is-half"><${Facts} robot=${data} /><${Configuration} configuration=${data.configuration} /></div>`}
      <div class="is-full"><${ResourceState} resource=${isThis || answer.error ? answer : { ...answer, data: null, isLoading: true }} what="robot's history" /></div>
      ${isThis && html`<${History} robot=${data} />`}
      ${rosterOf(id) && html`<${Log} key=${`log ${id}`} id=${id} />`}
    </div>
  </div>`;
}

/** @param {{id: string}} props */
function Buttons({ id }) {
  if (!may("operator")) return html`<p class="quiet">${whyNot("operator", "drive it")}</p>`;
  return html`<div class="button-row"><a class="button" ...${link(`/drive/${encodeURIComponent(id)}`)}>Watch or drive</a></div>`;
}

/** @param {{id: string}} props */
function Now({ id }) {
  const live = robotNow(id).value;
  const known = rosterOf(id);
  const lease = leases.value.get(id);
  const cameras = known?.spec?.cameras ?? [];
  return html`<section class="panel is-half"><h2>Now</h2>
    ${known
      ? html`<div class="mini-views">${cameras.slice(0, 2).map((camera, index) => html`<figure key=${camera.name}><${Picture} robotId=${id} camera=${index} fps=${5} width=${320} label=${`${id}, camera ${camera.name}, live`} /><figcaption>${camera.name}</figcaption></figure>`)}</div>`
      : html`<p class="panel-none">It is not connected. Check that its actor runs and can reach the gateway.</p>`}
    ${live &&
    html`<dl class="facts">
      <dt>Task</dt><dd>${live.task_id || "none"}</dd>
      <dt>Instruction</dt><dd>${live.instruction || "none"}</dd>
      <dt>Episode</dt><dd class="tabular">${live.episode_id ? `${live.episode_id}, step ${count(live.step_index)}` : "none"}</dd>
      <dt>Held by</dt><dd>${lease?.is_held ? (lease.is_yours ? "you" : lease.operator_id) : "nobody"}</dd>
      <dt>Needs</dt><dd>${live.help.reason || "nothing"}</dd>
      <dt>Limits that bite</dt><dd>${live.limit_hits.join(", ") || "none"}</dd>
      <dt>Waits on it</dt><dd class="tabular">${counted(live.num_records_waiting, "record")}; ${bytes(live.spool_bytes)} of all robots of its process</dd>
      <dt>Temperature</dt><dd class="tabular">${Object.entries(live.temperatures_c).map(([part, value]) => `${part} ${value.toFixed(1)} °C`).join(", ") || "measures none"}</dd>
      <dt>Last heard</dt><dd class="tabular">${duration(Math.max(0, (now.value - live.received_ms) / 1000))} ago</dd>
    </dl>`}
  </section>`;
}

/** @param {{robot: import("../shapes.js").RobotDetail}} props */
function Facts({ robot }) {
  const judged = robot.num_successes + robot.num_failures;
  if (!robot.last_seen_ns) return html`<section class="panel"><h2>Weights and work</h2><p class="panel-none">It has not ended an episode yet.</p></section>`;
  return html`<section class="panel"><h2>Weights and work</h2>
    <dl class="facts">
      <dt>Version</dt><dd class="tabular"><a ...${link("/weights")}>${robot.version || "none"}</a>${robot.role ? `, ${robot.role}` : ""}</dd>
      <dt>Weights' age</dt><dd class="tabular">${robot.age_s === null ? "–" : duration(robot.age_s)}${robot.versions_behind ? `, ${counted(robot.versions_behind, "version")} behind` : ""}</dd>
      <dt>Last swap</dt><dd class="tabular">${ago(robot.last_swap_ns, robot.as_of_ns)}</dd>
      <dt>Refused</dt><dd>${robotNow(robot.robot_id).value?.weights_refusal || "no"}</dd>
      <dt>Last 24 hours</dt><dd class="tabular"><a ...${link(`/episodes?${robot.episodes}`)}>${counted(robot.num_episodes, "episode")}</a> in ${robot.robot_hours.toFixed(1)} robot-hours</dd>
      <dt>Success</dt><dd class="tabular">${judged ? `${percent(robot.num_successes / judged)} of ${count(judged)} judged` : "none judged"}</dd>
      <dt>Helped</dt><dd class="tabular">${counted(robot.num_interventions, "time")}, ${counted(robot.num_correction_steps, "step")}</dd>
    </dl>
  </section>`;
}

/** @param {{robot: import("../shapes.js").RobotDetail}} props */
function History({ robot }) {
  /** @typedef {{time_ns: number, kind: string, words: string, episode_id: string}} Event */
  return html`
    <section class="panel is-full"><h2>The last 24 hours</h2><${Day} bands=${robot.bands} untilNs=${robot.as_of_ns} /></section>
    <section class="panel is-full"><h2>What happened</h2>
      <${DataTable} caption="Events, newest first" rows=${robot.events} empty="Nothing happened in the last 24 hours." columns=${[
        { name: "time", label: "Time", cell: (/** @type {Event} */ row) => clock(row.time_ns), sort: (/** @type {Event} */ row) => row.time_ns },
        { name: "kind", label: "Kind", cell: (/** @type {Event} */ row) => row.kind, sort: (/** @type {Event} */ row) => row.kind },
        { name: "words", label: "What", cell: (/** @type {Event} */ row) => (row.episode_id ? html`<a ...${link(`/episodes/${encodeURIComponent(row.episode_id)}`)}>${row.words}</a>` : row.words) },
      ]} />
    </section>
  `;
}
