/**
 * Settings: what a person chooses for themselves, and for admins who may come in.
 */

import { html } from "htm/preact";

import { may } from "../permission.js";
import { saving, savingProblem } from "../preferences.js";
import { link, query } from "../router.js";
import { SETTINGS } from "../words.js";
import { About } from "./settings/about.js";
import { Devices } from "./settings/devices.js";
import { KeyMap } from "./settings/key-map.js";
import { Look } from "./settings/look.js";
import { People } from "./settings/people.js";
import { Sounds } from "./settings/sounds.js";

/** @typedef {keyof typeof SETTINGS.sections} Section */

const SECTIONS = Object.freeze({ look: Look, devices: Devices, keys: KeyMap, sounds: Sounds, people: People, about: About });

/** The screen at /settings. */
export function Settings() {
  const asked = query.value.get("section") ?? "look";
  const section = /** @type {Section} */ (asked in SECTIONS ? asked : "look");
  const names = /** @type {Section[]} */ (Object.keys(SECTIONS)).filter((name) => name !== "people" || may("admin"));
  return html`<div class="settings">
    <header class="settings-head">
      <h1>${SETTINGS.title}</h1>
      <p class="quiet" role="status">
        ${saving.value === "saved" && SETTINGS.saved}
        ${saving.value === "failed" && html`<span class="error-words">${SETTINGS.notSaved}: ${savingProblem.value}</span>`}
      </p>
    </header>
    <nav class="settings-nav" aria-label=${SETTINGS.title}>
      <ul>${names.map((name) => html`<li key=${name}><a ...${link("/settings", { section: name })} aria-current=${name === section ? "page" : null}>${SETTINGS.sections[name]}</a></li>`)}</ul>
    </nav>
    <section class="settings-body" aria-labelledby="settings-section">
      <h2 id="settings-section">${SETTINGS.sections[section]}</h2>
      <${SECTIONS[section]} />
    </section>
  </div>`;
}
