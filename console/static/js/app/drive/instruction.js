/**
 * What the robot was told to do, in words; whoever holds it may say it anew.
 *
 * @import { DriveSession } from "./session.js"
 */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { robotNow, send } from "../store.js";

/** @param {{drive: DriveSession}} props */
export function Instruction({ drive }) {
  const robot = robotNow(drive.robotId).value;
  const [draft, setDraft] = useState(/** @type {string | null} */ (null));
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const isOpen = draft !== null && drive.isHeld;
  // The keys are text from the moment the line opens: an H must not hand the robot back.
  useEffect(() => {
    if (isOpen) input.current?.select();
  }, [isOpen]);
  const say = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (draft?.trim()) send({ type: "instruct", robot_id: drive.robotId, instruction: draft.trim() });
    setDraft(null);
  };
  if (draft !== null && isOpen) {
    return html`<form class="instruction" onSubmit=${say}>
      <label class="row-name" for="instruction">Instruction</label>
      <input id="instruction" ref=${input} value=${draft} maxlength="500" onInput=${(/** @type {any} */ event) => setDraft(event.currentTarget.value)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Escape" && (event.stopPropagation(), setDraft(null))} />
      <button type="submit" disabled=${!draft.trim()}>Say it</button>
      <button type="button" onClick=${() => setDraft(null)}>Cancel</button>
    </form>`;
  }
  return html`<p class="instruction">
    <span class="row-name">Instruction</span>
    <span class="instruction-words">${robot?.instruction || "none"}</span>
    <button type="button" disabled=${!drive.isHeld} title=${drive.isHeld ? "" : "Take control to change it"} onClick=${() => setDraft(robot?.instruction ?? "")}>Edit</button>
  </p>`;
}
