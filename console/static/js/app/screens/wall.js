/**
 * Wall, for a supervisor or a screen on the wall: every robot, those in need first. Colour only for what is abnormal.
 *
 * @import { HelpRequest } from "../../core/types.js"
 * @import { LiveRobot, RosterRobot } from "../store.js"
 */

import { html } from "htm/preact";
import { useMemo } from "preact/hooks";

import { link } from "../router.js";
import { help, leases, robots, roster } from "../store.js";
import { Picture } from "../widgets/picture.js";
import { StateBadge, stateOf } from "../widgets/state-badge.js";
import { WALL } from "../words.js";
import { FirstRun } from "./first-run.js";

const FPS = 2;
const WIDTH = 160;
/** The server shows a page 32 views at most; robots beyond are shown without a picture. */
const MAX_PICTURES = 32;
/** So few are shown larger. */
const FEW = 6;
/** Without a request: those who cannot move by themselves first. */
const NEED = ["lost", "stopped", "silent", "paused", "correcting", "autonomous"];

/** The screen at /wall. */
export function Wall() {
  const requests = new Map(help.value.map((request, index) => [request.robot_id, { request, index }]));
  const all = roster.value;
  if (all === null) return html`<div class="state-page" role="status"><h1>${WALL.title}</h1><p>Waiting for the gateway…</p></div>`;
  if (!all.length) return html`<${FirstRun} />`;
  const order = sorted(all, (robotId) => requests.get(robotId)?.index);
  return html`<div class="wall">
    <header class="wall-head"><h1>${WALL.title}</h1><${Counters} /></header>
    <ul class=${`wall-tiles ${all.length <= FEW ? "is-few" : ""}`}>
      ${order.map((robot, index) => html`<li key=${robot.robot_id}><${Tile} robot=${robot} request=${requests.get(robot.robot_id)?.request ?? null} hasPicture=${index < MAX_PICTURES} /></li>`)}
    </ul>
  </div>`;
}

/**
 * @param {readonly RosterRobot[]} all
 * @param {(robotId: string) => number | undefined} urgencyOf place in the queue
 * @returns {RosterRobot[]}
 */
function sorted(all, urgencyOf) {
  const keys = new Map(all.map(({ robot_id }) => [robot_id, [urgencyOf(robot_id) ?? Infinity, NEED.indexOf(stateOf(robots.value.get(robot_id)))]]));
  return [...all].sort((a, b) => {
    const [urgencyA = 0, needA = 0] = keys.get(a.robot_id) ?? [];
    const [urgencyB = 0, needB = 0] = keys.get(b.robot_id) ?? [];
    if (urgencyA !== urgencyB) return urgencyA < urgencyB ? -1 : 1;
    return needA - needB || a.robot_id.localeCompare(b.robot_id, undefined, { numeric: true });
  });
}

function Counters() {
  const states = (roster.value ?? []).map(({ robot_id }) => stateOf(robots.value.get(robot_id)));
  const num = (/** @type {string[]} */ names) => states.filter((state) => names.includes(state)).length;
  const { counters } = WALL;
  const rows = [
    { words: counters.autonomous, num: num(["autonomous"]), name: "autonomous" },
    { words: counters.helped, num: num(["correcting", "paused"]), name: "helped" },
    { words: counters.waiting, num: help.value.length, name: "waiting" },
    { words: counters.down, num: num(["lost", "stopped", "silent"]), name: "down" },
  ];
  return html`<dl class="counters">
    ${rows.map((row) => html`<div key=${row.name} class=${`counter counter-${row.name} ${row.num ? "" : "is-zero"}`}><dd class="tabular">${row.num}</dd><dt>${row.words}</dt></div>`)}
  </dl>`;
}

/**
 * @param {object} props
 * @param {RosterRobot} props.robot
 * @param {HelpRequest | null} props.request
 * @param {boolean} props.hasPicture
 */
function Tile({ robot, request, hasPicture }) {
  const { robot_id } = robot;
  const live = robots.value.get(robot_id);
  const state = stateOf(live);
  const lease = leases.value.get(robot_id);
  const camera = robot.spec?.cameras[0];
  const shape = useMemo(() => ({ aspectRatio: camera ? `${camera.width} / ${camera.height}` : "4 / 3" }), [camera?.width, camera?.height]);
  return html`<a class=${`wall-tile state-${state} ${request ? `needs severity-${request.severity}` : ""}`} ...${link(`/drive/${encodeURIComponent(robot_id)}`, { watch: 1 })}>
    <div class="wall-picture" style=${shape}>
      ${hasPicture ? html`<${Picture} robotId=${robot_id} camera=${0} fps=${FPS} width=${WIDTH} label=${robot_id} />` : html`<p class="picture-note">Too many robots for a picture of each</p>`}
    </div>
    <div class="wall-words"><strong>${robot_id}</strong> <${StateBadge} state=${state} size=${12} /></div>
    <p class="wall-reason">${reasonOf(request, live, lease?.is_held ? lease.operator_id : "")}</p>
  </a>`;
}

/**
 * @param {HelpRequest | null} request
 * @param {LiveRobot | undefined} live
 * @param {string} holder
 * @returns {string}
 */
function reasonOf(request, live, holder) {
  if (request) return request.claimed_by ? `${request.reason} (${request.claimed_by})` : request.reason;
  if (holder) return `Held by ${holder}`;
  return live?.task_id.replaceAll("_", " ") ?? "";
}
