/**
 * What somebody must know wherever they look: said aloud, sounded, and counted in the top bar.
 *
 * @import { HelpRequest } from "../core/types.js"
 * @import { State } from "./widgets/state-badge.js"
 */

import { computed, effect, signal } from "@preact/signals";

import { announce } from "./announce.js";
import { BANNERS, SEVERITIES, SHELL, STATES } from "./words.js";
import { go, href } from "./router.js";
import { notice, play } from "./sound.js";
import { connection, control, help, refused, robots } from "./store.js";
import { toast } from "./widgets/toast.js";
import { stateOf } from "./widgets/state-badge.js";

/** @typedef {{id: string, words: string, href: string}} Alarm */

/** What the fleet's services and the release say, read by the banners. */
export const fleetHealth = signal(/** @type {{isHealthy: boolean, words: string, lake: string}} */ ({ isHealthy: true, words: "", lake: "" }));

/** Everything abnormal that waits for somebody, most urgent first. @type {import("@preact/signals").ReadonlySignal<Alarm[]>} */
export const alarms = computed(() => [
  ...(connection.value.socket === "open" && !connection.value.gateway_is_up ? [{ id: "gateway", words: BANNERS.gateway(""), href: "/fleet" }] : []),
  ...help.value.filter((request) => request.severity === "error").map(alarmOf),
  ...(fleetHealth.value.isHealthy ? [] : [{ id: "health", words: fleetHealth.value.words, href: "/fleet" }]),
]);

/** @param {HelpRequest} request */
function alarmOf({ request_id, robot_id, reason }) {
  return { id: request_id, words: `${robot_id}: ${reason}`, href: href("/queue", { request: request_id }) };
}

/** Refusals of these come many a second, or are shown where they arise. */
const QUIET_REFUSALS = new Set(["command", "renew", "acquire", "ping"]);

/** From now on. */
export function watchForAlarms() {
  watchRequests();
  watchRobots();
  watchLease();
  effect(() => {
    const refusal = refused.value;
    if (refusal && !QUIET_REFUSALS.has(refusal.request)) toast(refusal.reason, { isProblem: true });
  });
}

function watchRequests() {
  /** @type {Set<string> | null} null before the first list: what waits already is on the screen */
  let known = null;
  effect(() => {
    const requests = help.value;
    const fresh = known ? requests.filter((request) => !known?.has(request.request_id)) : [];
    const isFirst = known === null && connection.value.socket !== "open";
    if (!isFirst) known = new Set(requests.map((request) => request.request_id));
    const worst = fresh[0];
    if (!worst) return;
    const words = `${worst.robot_id}: ${worst.reason}`;
    play(worst.severity);
    announce(`${SEVERITIES[worst.severity]}. ${words}`);
    notice(`${SEVERITIES[worst.severity]}: ${worst.robot_id}`, worst.reason, () => go("/queue", { request: worst.request_id }));
  });
}

/** Lost and stopped robots are said at once, whoever stopped them. */
function watchRobots() {
  /** @type {Map<string, State>} */
  const before = new Map();
  effect(() => {
    for (const [robotId, robot] of robots.value) {
      const state = stateOf(robot);
      const last = before.get(robotId);
      before.set(robotId, state);
      if (last === undefined || last === state || (state !== "lost" && state !== "stopped")) continue;
      announce(`${robotId}: ${STATES[state]}`, { isUrgent: true });
      play("lost");
    }
  });
}

function watchLease() {
  let before = "free";
  effect(() => {
    const phase = control.value?.phase ?? "free";
    const { robotId = "", reason = "" } = control.value ?? {};
    if (phase === before) return;
    if (phase === "held") {
      play("taken");
      announce(SHELL.holding(robotId));
    } else if (phase === "lost") {
      play("lost");
      announce(`${robotId}: ${reason}`, { isUrgent: true });
    } else if (before === "held") {
      play("released");
    }
    before = phase;
  });
}
