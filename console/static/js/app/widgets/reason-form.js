// One line of text and a button: a reason for what is about to be written down.

import { html } from "htm/preact";
import { useState } from "preact/hooks";

import { inWords } from "../resource.js";

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.deed  words on the button
 * @param {boolean} [props.isOptional]
 * @param {(text: string) => Promise<void>} props.onSave  rejects with words
 */
export function ReasonForm({ label, deed, isOptional = false, onSave }) {
  const [text, setText] = useState("");
  const [said, setSaid] = useState({ words: "", isError: false });
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      await onSave(text.trim());
      setText("");
      setSaid({ words: "Saved; it appears here once it is stored.", isError: false });
    } catch (problem) {
      setSaid({ words: inWords(problem), isError: true });
    }
  };
  return html`<form class="reason-form" onSubmit=${save}>
    <label class="field"><span>${label}</span>
      <input type="text" maxlength="300" value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} />
    </label>
    <button type="submit" disabled=${!isOptional && !text.trim()}>${deed}</button>
    <p class=${said.isError ? "error-words" : "quiet"} role="status">${said.words}</p>
  </form>`;
}
