/**
 * Which key does what on Drive: press a button, then the key. Two actions on one key are said, and the first counts.
 */

import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";

import { ACTIONS, conflicts, keymapWith, keyName } from "../../../core/keymap.js";
import { announce } from "../../announce.js";
import { prefer, preferences } from "../../preferences.js";

/** @type {Map<string, string>} */
const WORDS = new Map(ACTIONS.map(({ action, words }) => [action, words]));

export function KeyMap() {
  const [listening, setListening] = useState("");
  const keymap = keymapWith(preferences.value.keys);
  const doubled = conflicts(keymap);
  useEffect(() => (listening ? listenFor(listening, () => setListening("")) : undefined), [listening]);
  return html`
    <label class="check">
      <input type="checkbox" checked=${preferences.value.hasSingleKeys} onChange=${(/** @type {any} */ event) => prefer({ hasSingleKeys: event.currentTarget.checked })} />
      <span>Single keys outside Drive, such as N for the next request</span>
    </label>
    <p class="quiet">Keys are places on the keyboard and work in every layout. A foot pedal is a key too. <kbd>Ctrl</kbd> <kbd>.</kbd> always stops the robot that you hold.</p>
    ${doubled.length > 0 &&
    html`<div class="notice is-warning" role="status">
      ${doubled.map(({ code, actions }) => html`<p key=${code}><kbd>${keyName(code)}</kbd> does ${actions.map((action) => `“${WORDS.get(action)}”`).join(" and ")}: the first of them counts.</p>`)}
    </div>`}
    <table class="key-table">
      <caption class="visually-hidden">Keys on Drive</caption>
      <thead><tr><th scope="col">What</th><th scope="col">Keys</th><th scope="col"><span class="visually-hidden">Change</span></th></tr></thead>
      <tbody>
        ${ACTIONS.map(({ action, words, isFixed }) => {
          const codes = keymap[action] ?? [];
          const isDoubled = doubled.some((row) => row.actions.includes(action));
          return html`<tr key=${action} class=${isDoubled ? "is-doubled" : ""}>
            <th scope="row">${words}</th>
            <td>${codes.length ? [...new Set(codes.map(keyName))].map((name) => html`<kbd key=${name}>${name}</kbd> `) : html`<span class="quiet">none</span>`}</td>
            <td>
              ${isFixed
                ? html`<span class="quiet">always</span>`
                : html`<button type="button" aria-pressed=${listening === action} aria-label=${`Change the key of “${words}”`} onClick=${() => setListening(listening === action ? "" : action)}>${listening === action ? "Press a key…" : "Change"}</button>
                    ${preferences.value.keys[action] && html` <button type="button" class="quiet-button" aria-label=${`Default key for “${words}”`} onClick=${() => forget(action)}>Default</button>`}`}
            </td>
          </tr>`;
        })}
      </tbody>
    </table>
    <button type="button" disabled=${!Object.keys(preferences.value.keys).length} onClick=${() => prefer({ keys: {} })}>All defaults</button>
  `;
}

/**
 * The next key becomes the action's only one; Esc and Tab keep their meaning.
 * @param {string} action
 * @param {() => void} done
 * @returns {() => void} stops listening
 */
function listenFor(action, done) {
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.code === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    done();
    if (event.code === "Escape") return;
    prefer({ keys: { ...preferences.value.keys, [action]: [event.code] } });
    announce(`${WORDS.get(action)}: ${keyName(event.code)}`);
  };
  addEventListener("keydown", onKey, { capture: true });
  return () => removeEventListener("keydown", onKey, { capture: true });
}

/** @param {string} action */
function forget(action) {
  const { [action]: _, ...rest } = preferences.value.keys;
  prefer({ keys: rest });
}
