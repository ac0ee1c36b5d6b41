/**
 * What the page knows, as signals. Live state comes from the control worker; history is read by each screen.
 *
 * @import { AskedMessage, ControlState, FromControl, HelpRequest, LeaseMessage, LiveValue,
 *           MarkedMessage, ReceiptMessage, RefusedMessage, RobotInfo, RobotState, Role, Spec, ToControl } from "../core/types.js"
 */

import { batch, computed, signal } from "@preact/signals";

import { nowMs } from "../core/clock.js";
import { api, ApiError, setCsrf } from "./api.js";
import { postControl, startLinks, TicketError } from "./links.js";

/**
 * @typedef {object} Session GET /api/session
 * @property {string} name
 * @property {Role} role
 * @property {string} csrf
 * @property {string} version
 * @property {boolean} is_simulation
 * @property {string} [fleet]
 * @property {import("../core/types.js").Mapping} mapping
 * @property {{command_rate_hz: number, hold_after_ms: number, renew_s: number, max_command_age_ms: number}} limits
 * @typedef {RobotState & {received_ms: number}} LiveRobot
 * @typedef {{robot_id: string, spec: Spec | null, is_simulated: boolean, process: string,
 *            orientation: import("../core/camera_frame.js").Orientation}} RosterRobot
 * @typedef {{episode_id: string, step_index: number, value: number, t_ms: number}} ValuePoint
 * @typedef {object} Link
 * @property {"connecting" | "open" | "lost" | "refused"} socket
 * @property {string} reason
 * @property {number} retry_ms when it is tried again; 0 never
 * @property {boolean} gateway_is_up
 * @property {string} gateway_reason why it is not, in words
 * @property {number} round_trip_ms -1 while unknown
 * @property {number} age_ms since the newest report of any robot; -1 before the first
 */

/** Values of one robot that are kept: two minutes at the critic's usual rate. */
const MAX_VALUES = 600;
const MAX_RECEIPTS = 20;
/** A robot that says nothing of how its cameras and its tool are turned. @type {import("../core/camera_frame.js").Orientation} */
export const UNTOLD = Object.freeze({ yawsRad: {}, isToolFixed: false });
/** The map of all robots changes this often at most, unless something changed that a person must see at once. */
const SLOW_MS = 250;
/** A robot that was not heard of for this long is shown as silent. */
export const SILENT_MS = 3000;

/** Who is signed in; null before the server has said so. */
export const session = signal(/** @type {Session | null} */ (null));
/** Newest report of every robot, by its name. Four times a second; `robotNow` is faster. */
export const robots = signal(/** @type {ReadonlyMap<string, LiveRobot>} */ (new Map()));
/** Robots that are connected, by name; null before the gateway has said which. */
export const roster = signal(/** @type {RosterRobot[] | null} */ (null));
/** Open requests for help, most urgent first; `heard_ms` is when the gateway said so. */
export const help = signal(/** @type {(HelpRequest & {heard_ms: number})[]} */ ([]));
/** Who holds which robot. */
export const leases = signal(/** @type {ReadonlyMap<string, LeaseMessage>} */ (new Map()));
/** The critic's values of the last two minutes, by robot, oldest first. */
export const values = signal(/** @type {ReadonlyMap<string, ValuePoint[]>} */ (new Map()));
/** The lease that this page holds or asks for, and what the link measures. */
export const control = signal(/** @type {ControlState | null} */ (null));
/** A colleague asks for the robot that I hold; null when nobody does. */
export const asked = signal(/** @type {(AskedMessage & {heard_ms: number}) | null} */ (null));
/** The newest refusal; a new object each time, so that an effect sees a repeated one. */
export const refused = signal(/** @type {RefusedMessage | null} */ (null));
/** Labels and marks that the gateway has taken, newest first. */
export const receipts = signal(/** @type {(ReceiptMessage | MarkedMessage)[]} */ ([]));
/** A clock for countdowns: twice a second, by the clock of `core/clock.js`. */
export const now = signal(nowMs());

const socket = signal(/** @type {Pick<Link, "socket" | "reason" | "retry_ms">} */ ({ socket: "connecting", reason: "", retry_ms: 0 }));
const gateway = signal({ isUp: true, reason: "" });
const heardMs = signal(-1);

/** @type {import("@preact/signals").ReadonlySignal<Link>} */
export const connection = computed(() => ({
  ...socket.value,
  gateway_is_up: gateway.value.isUp,
  gateway_reason: gateway.value.reason,
  round_trip_ms: control.value?.roundTripMs ?? -1,
  age_ms: heardMs.value < 0 ? -1 : Math.max(0, now.value - heardMs.value),
}));

/** The robot that I hold; empty when I hold none. */
export const held = computed(() => (control.value?.phase === "held" ? control.value.robotId : ""));

/** Whether some of the robots are simulated. */
export const isSimulation = computed(() => Boolean(roster.value?.some((robot) => robot.is_simulated)));

/** @type {Map<string, import("@preact/signals").Signal<LiveRobot | null>>} */
const nowOf = new Map();
/** @type {Map<string, LiveRobot>} */
const newest = new Map();
let slowMs = 0;

/**
 * One robot at the full rate of its reports (20 a second at most), for the screen that shows only this one.
 * @param {string} robotId
 * @returns {import("@preact/signals").ReadonlySignal<LiveRobot | null>}
 */
export function robotNow(robotId) {
  const known = nowOf.get(robotId);
  if (known) return known;
  const fresh = signal(newest.get(robotId) ?? null);
  nowOf.set(robotId, fresh);
  return fresh;
}

/**
 * Why a robot does not run the weights that it should, as it says itself now; empty where it does.
 * @param {{robot_id: string}} row
 */
export function refusalOf({ robot_id }) {
  return robots.value.get(robot_id)?.weights_refusal ?? "";
}

/**
 * @param {string} robotId
 * @returns {RosterRobot | null}
 */
export function rosterOf(robotId) {
  return roster.value?.find((robot) => robot.robot_id === robotId) ?? null;
}

/**
 * Say something to the gateway: watch, stop, clear_stop, instruct, label, mark, claim, unclaim, answer_help.
 * @param {{type: string, [field: string]: unknown}} message
 */
export function send(message) {
  postControl({ type: "send", message });
}

/**
 * Say something to the control worker: acquire, hand_back, wish, answer, picture.
 * @param {ToControl} message
 */
export function tell(message) {
  postControl(message);
}

/**
 * Read who is signed in, and connect.
 * @throws {ApiError} the server cannot be reached
 */
export async function start() {
  const found = /** @type {Session} */ (await api.get("/api/session"));
  setCsrf(found.csrf);
  session.value = found;
  startLinks({ limits: found.limits, getTicket, onControl: hear });
  send({ type: "watch", is_all: true, robot_ids: [], frames_of: [] });
  setInterval(() => (now.value = nowMs()), 500);
}

/** @returns {Promise<string>} */
async function getTicket() {
  try {
    return (await api.post("/api/tickets")).ticket;
  } catch (problem) {
    const isFinal = problem instanceof ApiError && problem.status === 401;
    throw new TicketError(problem instanceof Error ? problem.message : String(problem), isFinal);
  }
}

/** @param {FromControl} message */
export function hear(message) {
  batch(() => {
    if (message.type === "news") takeNews(message.states, message.values);
    else if (message.type === "control") control.value = message.control;
    else if (message.type === "connection") connectionChanged(message);
    else if (message.type === "unsent") unsent(message.message);
    else if (message.type === "message") takeMessage(message.message);
  });
}

/** @param {Extract<FromControl, {type: "connection"}>} message */
function connectionChanged({ state, reason, retryInMs }) {
  socket.value = { socket: state, reason, retry_ms: retryInMs ? nowMs() + retryInMs : 0 };
}

/** @param {{type: string, [field: string]: unknown}} message */
function unsent(message) {
  const robot_id = typeof message.robot_id === "string" ? message.robot_id : "";
  refused.value = { type: "refused", request: message.type, reason: "There is no connection to the gateway.", robot_id };
}

/** @param {Extract<FromControl, {type: "message"}>["message"] | {type: "gateway", is_up: boolean, reason: string}} message */
function takeMessage(message) {
  if (message.type === "help") help.value = message.requests.map((request) => ({ ...request, heard_ms: nowMs() }));
  else if (message.type === "roster") takeRoster(message.robots);
  else if (message.type === "lease") takeLease(message);
  else if (message.type === "asked") asked.value = { ...message, heard_ms: nowMs() };
  else if (message.type === "refused") refused.value = message;
  else if (message.type === "gateway") gateway.value = { isUp: message.is_up, reason: message.reason };
  else if (message.type !== "welcome") receipts.value = [message, ...receipts.value].slice(0, MAX_RECEIPTS);
}

/** @param {LeaseMessage} lease */
function takeLease(lease) {
  leases.value = new Map([...leases.value, [lease.robot_id, lease]]);
  if (asked.value?.robot_id === lease.robot_id && !lease.is_yours) asked.value = null;
}

/** @param {RobotInfo[]} infos */
function takeRoster(infos) {
  roster.value = infos.map(({ robot_id, spec, is_simulated, process, camera_yaws_rad, is_tool_fixed }) => {
    const orientation = { yawsRad: camera_yaws_rad, isToolFixed: is_tool_fixed };
    return { robot_id, is_simulated, process, orientation, spec: specOf(spec) };
  });
  const names = new Set(infos.map((info) => info.robot_id));
  for (const name of newest.keys()) {
    if (!names.has(name)) newest.delete(name);
  }
  robots.value = new Map(newest);
}

/**
 * @param {string} text
 * @returns {Spec | null} null where a newer robot says it in a way that this page does not know
 */
function specOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * @param {RobotState[]} states
 * @param {LiveValue[]} liveValues
 */
function takeNews(states, liveValues) {
  const time = nowMs();
  let isUrgent = false;
  for (const state of states) {
    const before = newest.get(state.robot_id);
    const robot = { ...state, received_ms: time };
    isUrgent ||= !before || before.mode !== state.mode || before.episode_id !== state.episode_id;
    newest.set(state.robot_id, robot);
    const signalOfIt = nowOf.get(state.robot_id);
    if (signalOfIt) signalOfIt.value = robot;
  }
  if (states.length) heardMs.value = time;
  if (isUrgent || time - slowMs >= SLOW_MS) {
    slowMs = time;
    robots.value = new Map(newest);
  }
  if (liveValues.length) takeValues(liveValues, time);
}

/**
 * @param {LiveValue[]} liveValues
 * @param {number} time
 */
function takeValues(liveValues, time) {
  const next = new Map(values.value);
  for (const { robot_id, episode_id, step_index, value } of liveValues) {
    const ring = next.get(robot_id) ?? [];
    const last = ring.at(-1);
    if (last && last.episode_id === episode_id && last.step_index === step_index) continue;
    next.set(robot_id, [...ring.slice(1 - MAX_VALUES), { episode_id, step_index, value, t_ms: time }]);
  }
  values.value = next;
}
