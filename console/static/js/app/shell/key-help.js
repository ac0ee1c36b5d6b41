// Every key, on the key "?".

import { html } from "htm/preact";

import { ACTIONS, keymapWith, keyName } from "../../core/keymap.js";
import { shortcuts } from "../keys.js";
import { preferences } from "../preferences.js";
import { link } from "../router.js";
import { Dialog } from "../widgets/dialog.js";
import { SHELL } from "../words.js";

/** @param {{onClose: () => void}} props */
export function KeyHelp({ onClose }) {
  const keymap = keymapWith(preferences.value.keys);
  const to = link("/settings", { section: "keys" });
  const follow = (/** @type {MouseEvent} */ event) => (to.onClick(event), onClose());
  return html`<${Dialog} title=${SHELL.keys} class="key-help" onClose=${onClose}>
    <div class="key-columns">
      <section>
        <h3>Everywhere</h3>
        <dl class="key-list">
          <div><dt><kbd>Ctrl</kbd> <kbd>.</kbd></dt><dd>Stop the robot that you hold</dd></div>
          <div><dt><kbd>Esc</kbd></dt><dd>Close what is open; on Drive, hand back and leave</dd></div>
          ${shortcuts.value.map(({ key, words }) => html`<div key=${key + words}><dt><kbd>${key}</kbd></dt><dd>${words}</dd></div>`)}
        </dl>
        ${!preferences.value.hasSingleKeys && html`<p class="quiet">Keys without Ctrl are off in your settings.</p>`}
      </section>
      <section>
        <h3>On Drive, with the focus on the picture</h3>
        <dl class="key-list">
          ${ACTIONS.map(
            ({ action, words }) => html`<div key=${action}>
              <dt>${[...new Set((keymap[action] ?? []).map(keyName))].map((name) => html`<kbd key=${name}>${name}</kbd> `)}</dt>
              <dd>${words}</dd>
            </div>`,
          )}
        </dl>
      </section>
    </div>
    <p><a href=${to.href} onClick=${follow}>Change keys</a></p>
  <//>`;
}
