// The screens, in the order of a shift: work, then what was learned from it, then what runs.

import { html } from "htm/preact";

import { link, route } from "../router.js";
import { help } from "../store.js";
import { Icon } from "../widgets/icon.js";
import { QUEUE, SHELL } from "../words.js";

/** @type {readonly (readonly (keyof typeof SHELL.screens)[])[]} */
const GROUPS = [
  ["queue", "wall", "device-check"],
  ["episodes", "learning", "weights"],
  ["fleet", "settings"],
];

export function Navigation() {
  return html`<nav class="navigation" aria-label=${SHELL.navigation}>
    <a class="brand" ...${link("/queue")} aria-label=${SHELL.product}>
      <svg width="30" height="30" viewBox="0 0 32 32" aria-hidden="true">
        <path class="brand-line" d="M16 4v24" />
        <circle class="brand-robot" cx="8.5" cy="16" r="3.6" />
        <path class="brand-person" d="M20.5 12h7v8h-7z" />
      </svg>
    </a>
    ${GROUPS.map((group) => html`<ul key=${group[0]}>${group.map((name) => html`<${Entry} key=${name} name=${name} />`)}</ul>`)}
  </nav>`;
}

/** @param {{name: keyof typeof SHELL.screens}} props */
function Entry({ name }) {
  const isHere = route.value.section === name;
  const num = name === "queue" ? help.value.length : 0;
  const worst = help.value[0]?.severity ?? "info";
  return html`<li>
    <a class="nav-entry" ...${link(`/${name}`)} aria-current=${isHere ? "page" : null}>
      <${Icon} name=${name} />
      <span>${SHELL.screens[name]}</span>
      ${num > 0 && html`<span class=${`nav-count severity-${worst}`}><span aria-hidden="true">${num}</span><span class="visually-hidden">, ${QUEUE.numOpen(num)}</span></span>`}
    </a>
  </li>`;
}
