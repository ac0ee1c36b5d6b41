// The deeds of the Weights screen, each in two steps; a roll back first shows every robot it moves.

import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";

import { counted } from "../../../core/format.js";
import { api } from "../../api.js";
import { inWords } from "../../resource.js";
import { Confirm } from "../../widgets/confirm.js";
import { DataTable } from "../../widgets/data-table.js";

/** @typedef {import("../weights.js").Action} Action */
/** @typedef {{version: string, role: string} | null} Acting */
/** @typedef {{from: string, to: string, robots: {robot_id: string, now: Acting, then: Acting, changes: boolean}[]}} DryRun */

const EXPIRES = [
  { value: 3600, word: "1 hour" },
  { value: 8 * 3600, word: "8 hours" },
  { value: 24 * 3600, word: "1 day" },
  { value: 0, word: "until somebody allows them again" },
];

/**
 * @param {object} props
 * @param {Action} props.action
 * @param {import("../../shapes.js").Weights} props.data
 * @param {() => void} props.onClose
 * @param {() => void} props.onDone
 */
export function ActionDialog({ action, data, onClose, onDone }) {
  if (action.kind === "rollback") return html`<${RollBack} onClose=${onClose} onDone=${onDone} />`;
  if (action.kind === "freeze") return html`<${Freeze} onClose=${onClose} onDone=${onDone} />`;
  const plan = planOf(action, data);
  const onConfirm = async (/** @type {string} */ reason) => {
    await api.post(plan.path, { ...plan.body, reason });
    onDone();
  };
  return html`<${Confirm} title=${plan.title} deed=${plan.deed} typed=${plan.typed} onConfirm=${onConfirm} onClose=${onClose}>${plan.words.map((words) => html`<p key=${words}>${words}</p>`)}<//>`;
}

/**
 * @param {object} props
 * @param {() => void} props.onClose
 * @param {() => void} props.onDone
 */
function RollBack({ onClose, onDone }) {
  const [dry, setDry] = useState(/** @type {{plan: DryRun | null, error: string}} */ ({ plan: null, error: "" }));
  useEffect(() => {
    api.post("/api/weights/rollback", { version: null, reason: "", dry_run: true }).then(
      (plan) => setDry({ plan, error: "" }),
      (problem) => setDry({ plan: null, error: inWords(problem) }),
    );
  }, []);
  const { plan, error } = dry;
  const moved = plan?.robots.filter((robot) => robot.changes) ?? [];
  const onConfirm = async (/** @type {string} */ reason) => {
    await api.post("/api/weights/rollback", { version: plan?.to ?? null, reason, dry_run: false });
    onDone();
  };
  return html`<${Confirm} title=${plan ? `Roll back from version ${plan.from} to ${plan.to}?` : "Roll back?"} deed=${plan ? `Roll back ${counted(moved.length, "robot")} to version ${plan.to}` : "Roll back"}
    isReady=${plan !== null} onConfirm=${onConfirm} onClose=${onClose}>
    ${error && html`<p class="error-words" role="alert">${error}</p>`}
    ${!plan && !error && html`<p role="status">Asking which robots would change…</p>`}
    ${plan &&
    html`<p>Each robot swaps when its present episode ends, and never while a person holds it.</p>
      <${DataTable} caption="Robots and what they would run" rows=${plan.robots} maxHeight=${240} empty="No robot is connected; the next to connect runs the older version." columns=${[
        { name: "robot", label: "Robot", cell: (/** @type {any} */ row) => row.robot_id },
        { name: "now", label: "Now", cell: (/** @type {any} */ row) => acting(row.now) },
        { name: "then", label: "Then", cell: (/** @type {any} */ row) => (row.changes ? html`<strong>${acting(row.then)}</strong>` : "no change") },
      ]} />`}
  <//>`;
}

/**
 * @param {object} props
 * @param {() => void} props.onClose
 * @param {() => void} props.onDone
 */
function Freeze({ onClose, onDone }) {
  const [expires, setExpires] = useState(EXPIRES[1].value);
  const onConfirm = async (/** @type {string} */ reason) => {
    await api.post("/api/weights/freeze", { reason, expires_s: expires });
    onDone();
  };
  return html`<${Confirm} title="Freeze promotions?" deed="Freeze promotions" onConfirm=${onConfirm} onClose=${onClose}>
    <p>Neither the judge nor a person can promote or start a rollout meanwhile. A roll back stays possible.</p>
    <label class="field"><span>For how long</span>
      <select value=${String(expires)} onChange=${(/** @type {any} */ event) => setExpires(Number(event.currentTarget.value))}>
        ${EXPIRES.map((one) => html`<option key=${one.value} value=${String(one.value)}>${one.word}</option>`)}
      </select>
    </label>
  <//>`;
}

/**
 * @param {Exclude<Action, {kind: "rollback" | "freeze"}>} action
 * @param {import("../../shapes.js").Weights} data
 * @returns {{title: string, deed: string, typed: string, words: string[], path: string, body: object}}
 */
function planOf(action, data) {
  const version = action.version ?? data.rollout?.version ?? "";
  const champion = data.aliases.champion;
  if (action.kind === "promote") {
    return { title: `Promote version ${version} at once?`, deed: `Promote version ${version}`, typed: version, path: "/api/weights/promote", body: { version, force: false }, words: [`All ${counted(data.robots.length, "robot")} swap when their present episode ends${champion ? `; version ${champion} becomes the previous one` : ""}.`, "This passes over the stages of a rollout and the judge's evidence."] };
  }
  if (action.kind === "thaw") {
    return { title: "Allow promotions again?", deed: "Allow promotions", typed: "", path: "/api/weights/thaw", body: {}, words: ["The judge goes on where it stood."] };
  }
  if (action.kind === "shadow" || action.kind === "clear_shadow") return shadowPlan(action.kind, version, data);
  return rolloutPlan(action.kind, version, data);
}

/**
 * @param {"shadow" | "clear_shadow"} kind
 * @param {string} version
 * @param {import("../../shapes.js").Weights} data
 */
function shadowPlan(kind, version, { aliases }) {
  const common = { typed: "", path: "/api/weights/shadow" };
  if (kind === "clear_shadow") return { ...common, title: `End the shadow of version ${version}?`, deed: "End the shadow", body: { version: null }, words: ["Nothing proposes beside the champion then; what was compared stays with the version."] };
  const before = aliases.shadow ? ` It takes the place of version ${aliases.shadow}.` : "";
  return { ...common, title: `Let version ${version} propose beside the champion?`, deed: `Shadow version ${version}`, body: { version }, words: [`No robot acts on it. On a few live steps a second it is compared with what champion ${aliases.champion ?? "none"} wants.${before}`] };
}

/**
 * @param {"start" | "next" | "pause" | "resume" | "abort"} kind
 * @param {string} version
 * @param {import("../../shapes.js").Weights} data
 */
function rolloutPlan(kind, version, { rollout, aliases }) {
  const path = "/api/weights/rollout";
  const robots = rollout?.next_robots ?? [];
  const isLast = rollout !== null && rollout.stage + 2 >= rollout.stages.length;
  const plans = {
    start: { title: `Start a rollout of version ${version}?`, deed: `Start with version ${version}`, words: ["The first stage's robots swap when their present episode ends. The judge goes on by evidence and soak; you can pause or stop it at any time."] },
    next: { title: isLast ? `Promote version ${version} to the whole fleet?` : `Go on to the next stage?`, deed: isLast ? `Promote version ${version}` : `Go on with ${counted(robots.length, "robot")}`, words: [robots.length ? `Then these run it: ${robots.join(", ")}.` : "", isLast ? "It becomes the champion." : ""].filter(Boolean) },
    pause: { title: "Pause the rollout?", deed: "Pause", words: ["The robots of the present stage keep the version; no further robot gets it, and the soak timer stands still."] },
    resume: { title: "Go on with the rollout?", deed: "Go on", words: ["The soak timer runs again."] },
    abort: { title: `Stop the rollout of version ${version}?`, deed: `Stop version ${version}`, words: [`Its robots go back to version ${aliases.champion ?? "none"} when their present episode ends, and it is rejected.`] },
  };
  const body = { action: kind, ...(kind === "start" ? { version } : {}), ...(kind === "next" ? { stage: rollout?.stage ?? 0 } : {}) };
  return { ...plans[kind], typed: "", path, body };
}

/**
 * @param {Acting} one
 * @returns {string}
 */
function acting(one) {
  return one ? `version ${one.version}, ${one.role}` : "nothing";
}
