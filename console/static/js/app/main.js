/**
 * The console: who is signed in, the frame around every screen, and the screen that the address names.
 */

import { html, render } from "htm/preact";

import { watchForAlarms } from "./alarms.js";
import { ApiError } from "./api.js";
import { listenToKeys } from "./keys.js";
import { loadPreferences } from "./preferences.js";
import { Shell } from "./shell/shell.js";
import { readySound } from "./sound.js";
import { start } from "./store.js";
import { followTheme } from "./theme.js";
import { SHELL } from "./words.js";

const root = /** @type {HTMLElement} */ (document.getElementById("app"));

async function open() {
  followTheme();
  try {
    await start();
  } catch (problem) {
    // Whoever is not signed in is on the way to the sign-in page already.
    if (problem instanceof ApiError && problem.status === 401) return;
    render(html`<${StartFailed} words=${problem instanceof Error ? problem.message : String(problem)} />`, root);
    return;
  }
  loadPreferences().catch(() => undefined); // What this browser kept serves as well.
  readySound();
  listenToKeys();
  watchForAlarms();
  root.replaceChildren();
  render(html`<${Shell} />`, root);
}

/** @param {{words: string}} props */
function StartFailed({ words }) {
  return html`<main class="state-page" role="alert">
    <h1>${SHELL.startFailed}</h1>
    <p>${words}</p>
    <button type="button" class="primary" onClick=${() => location.reload()}>${SHELL.retry}</button>
  </main>`;
}

void open();
