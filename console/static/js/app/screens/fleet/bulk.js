// The same asked of several robots at once: each robot gets the message that its own screen would send, the gateway
// and the console judge each one, and each robot's report says what became of it.

import { signal } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { messageOf, resultOf } from "../../../core/bulk.js";
import { nowMs } from "../../../core/clock.js";
import { counted } from "../../../core/format.js";
import { may, whyNot } from "../../permission.js";
import { now, refused, robots, rosterOf, send } from "../../store.js";
import { Confirm } from "../../widgets/confirm.js";

/** @typedef {import("../../../core/bulk.js").Deed} Deed */
/** @typedef {{deed: Deed, words: string, names: string[], sinceMs: number, heard: Refusals}} Asked */
/** @typedef {{byRobot: import("@preact/signals").Signal<ReadonlyMap<string, string>>, stop: () => void}} Refusals */

/** @type {Readonly<Record<Deed, {verb: string, label: string, what: string}>>} */
const DEEDS = Object.freeze({
  stop: { verb: "Stop", label: "", what: "Each holds still at once and stays so until its stop is cleared." },
  clear_stop: { verb: "Clear the stop of", label: "Reason, for the log", what: "Each may move again as soon as it is cleared. Look at every one of them first." },
  instruct: { verb: "Instruct", label: "Instruction", what: "The words hold until the end of each robot's episode. A robot that somebody else holds, or that is between two episodes, refuses them." },
});

/**
 * @param {object} props
 * @param {string[]} props.picked  names of robots
 * @param {() => void} props.onDone  they were asked; nothing is chosen any more
 */
export function Bulk({ picked, onDone }) {
  const [wanted, setWanted] = useState(/** @type {{deed: Deed, names: string[]} | null} */ (null));
  const [asked, setAsked] = useState(/** @type {Asked | null} */ (null));
  useEffect(() => asked?.heard.stop, [asked]);
  const act = async (/** @type {string} */ said) => {
    if (!wanted) return;
    const words = said || "stopped together with others on the fleet screen";
    setAsked({ ...wanted, words, sinceMs: nowMs(), heard: refusalsOf(wanted.deed, wanted.names) });
    for (const name of wanted.names) send(messageOf(wanted.deed, name, words));
    onDone();
  };
  return html`
    <div class="bulk" role="group" aria-label="All chosen robots">
      <span class="bulk-count tabular" role="status">${picked.length ? `${counted(picked.length, "robot")} chosen` : "Choose robots to act on several at once."}</span>
      ${picked.length > 0 &&
      Object.keys(DEEDS).map((name) => {
        const deed = /** @type {Deed} */ (name);
        const reason = refusalOf(deed, picked);
        return html`<button key=${deed} type="button" class=${deed === "stop" ? "danger" : ""} disabled=${Boolean(reason)} title=${reason} onClick=${() => setWanted({ deed, names: picked })}>${DEEDS[deed].verb} ${counted(picked.length, "robot")}</button>`;
      })}
    </div>
    ${wanted && html`<${Ask} ...${wanted} onConfirm=${act} onClose=${() => setWanted(null)} />`}
    ${asked && html`<${Results} key=${asked.sinceMs} asked=${asked} onClose=${() => setAsked(null)} />`}
  `;
}

/**
 * Why this person may not; the server decides robot by robot.
 * @param {Deed} deed
 * @param {string[]} names
 * @returns {string}
 */
function refusalOf(deed, names) {
  if (deed === "instruct" && !may("operator")) return whyNot("operator", "instruct robots");
  if (deed !== "clear_stop" || may("engineer")) return "";
  if (!may("operator")) return whyNot("operator", "clear stops of simulated robots");
  return names.every((name) => rosterOf(name)?.is_simulated) ? "" : whyNot("engineer", "clear stops");
}

/**
 * @param {object} props
 * @param {Deed} props.deed
 * @param {string[]} props.names
 * @param {(words: string) => Promise<void>} props.onConfirm
 * @param {() => void} props.onClose
 */
function Ask({ deed, names, onConfirm, onClose }) {
  const { verb, label, what } = DEEDS[deed];
  const isStop = deed === "stop";
  return html`<${Confirm} title=${`${verb} ${counted(names.length, "robot")}?`} deed=${`${verb} ${counted(names.length, "robot")}`}
    needsReason=${!isStop} reasonLabel=${label} isQuick=${isStop} typed=${isStop ? "" : String(names.length)} onConfirm=${onConfirm} onClose=${onClose}>
    <ul class="bulk-names">${names.map((name) => html`<li key=${name}>${name}</li>`)}</ul>
    <p>${what}</p>
  <//>`;
}

/**
 * Collect refusals from now on: several come at once, and the store keeps the newest.
 * @param {Deed} deed
 * @param {string[]} names
 * @returns {Refusals}
 */
function refusalsOf(deed, names) {
  const byRobot = signal(/** @type {ReadonlyMap<string, string>} */ (new Map()));
  const old = refused.peek();
  const stop = refused.subscribe((one) => {
    if (one && one !== old && one.request === deed && names.includes(one.robot_id)) {
      byRobot.value = new Map([...byRobot.peek(), [one.robot_id, one.reason]]);
    }
  });
  return { byRobot, stop };
}

/** @param {{asked: Asked, onClose: () => void}} props */
function Results({ asked, onClose }) {
  const refusals = asked.heard.byRobot.value;
  // What was done stays done, also when the next episode brings other words.
  const settled = useRef(/** @type {Map<string, import("../../../core/bulk.js").Result>} */ (new Map()));
  return html`<div class="bulk-results" role="status">
    <p><strong>${DEEDS[asked.deed].verb} ${counted(asked.names.length, "robot")}</strong>${asked.deed === "instruct" && html` “${asked.words}”`} <button type="button" class="quiet-button" onClick=${onClose}>Close</button></p>
    <ul>
      ${asked.names.map((name) => {
        const found = settled.current.get(name) ?? resultOf(asked.deed, asked.words, robots.value.get(name), refusals.get(name) ?? "", now.value - asked.sinceMs);
        if (found.state === "done" || found.state === "refused") settled.current.set(name, found);
        const { state, words } = found;
        return html`<li key=${name} class=${`is-${state}`}><span aria-hidden="true">${MARKS[state]}</span> <strong>${name}</strong> ${words}</li>`;
      })}
    </ul>
  </div>`;
}

const MARKS = Object.freeze({ done: "✓", refused: "✕", waiting: "…", silent: "!" });
