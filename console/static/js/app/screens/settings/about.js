// What runs here, and whose work it contains.

import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";

import { isSimulation, session } from "../../store.js";

const LOCK = "/static/vendor/vendor.lock";
const LICENSES = "/static/vendor/LICENSES";

/** @typedef {{name: string, version: string}} Part */

export function About() {
  const [parts, setParts] = useState(/** @type {Part[]} */ ([]));
  useEffect(() => {
    readParts().then(setParts, () => undefined);
  }, []);
  const me = session.value;
  return html`
    <dl class="facts-list">
      <div><dt>Touchline</dt><dd class="tabular">${me?.version ?? "–"}</dd></div>
      <div><dt>Signed in as</dt><dd>${me?.name}, ${me?.role}</dd></div>
      <div><dt>Robots</dt><dd>${isSimulation.value ? "simulated" : "real"}</dd></div>
      <div><dt>Commands</dt><dd>${me ? `${me.limits.command_rate_hz} a second; the robot holds after ${me.limits.hold_after_ms} ms of silence` : "–"}</dd></div>
      ${parts.map(({ name, version }) => html`<div key=${name}><dt>${name}</dt><dd class="tabular">${version}</dd></div>`)}
    </dl>
    <p><a href=${LICENSES} target="_blank" rel="noopener">Licences of the parts</a></p>
    <p class="quiet">Nothing is loaded from, or sent to, any other site. Software is not a safety device: keep the hard-wired stop in reach.</p>
  `;
}

/** @returns {Promise<Part[]>} what is vendored, once each */
async function readParts() {
  const lock = await (await fetch(LOCK)).json();
  const rows = /** @type {Part[]} */ (Array.isArray(lock) ? lock : (lock.files ?? []));
  return [...new Map(rows.map((row) => [row.name, { name: row.name, version: row.version }])).values()];
}
