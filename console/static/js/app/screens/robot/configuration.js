// How a robot is set: against most of its kind, against the start before, and all of it.

import { html } from "htm/preact";

import { DataTable } from "../../widgets/data-table.js";

/** @typedef {import("../../shapes.js").Difference} Difference */

/** @param {{configuration: import("../../shapes.js").RobotConfiguration | null}} props */
export function Configuration({ configuration: found }) {
  if (!found) return html`<section class="panel"><h2>Settings</h2><p class="panel-none">Only a connected robot says how it is set.</p></section>`;
  return html`<section class="panel"><h2>Settings</h2>
    <p class=${found.is_odd ? "error-words" : "quiet"}>${found.is_odd && html`<span aria-hidden="true">!</span> `}<code>${found.config_hash}</code>: ${found.words}.</p>
    ${found.is_odd && html`<${Differences} rows=${found.from_most} other=${`Most, as ${found.like}`} />`}
    <h3>Since the start before</h3>
    ${found.from_before === null
      ? html`<p class="quiet">This is the first start of ${found.process} on its home.</p>`
      : found.from_before.length
        ? html`<${Differences} rows=${found.from_before} other="Before" />`
        : html`<p class="quiet">Nothing was changed.</p>`}
    <details class="config"><summary>All settings of ${found.process}</summary>${Object.entries(found.settings).map(
      ([section, fields]) => html`<details key=${section}><summary>[${section}]</summary>
        <dl class="facts">${Object.entries(fields).map(([name, value]) => html`<dt key=${name}>${name}</dt><dd class="tabular wrap">${said(value)}</dd>`)}</dl>
      </details>`,
    )}</details>
  </section>`;
}

/**
 * @param {object} props
 * @param {Difference[]} props.rows
 * @param {string} props.other  whose the other values are
 */
function Differences({ rows, other }) {
  return html`<${DataTable} caption=${`Settings that differ. ${other}`} rows=${rows} empty="The settings could not be compared." columns=${[
    { name: "field", label: "Setting", cell: (/** @type {Difference} */ row) => `${row.section}.${row.field}` },
    { name: "value", label: "This robot", cell: (/** @type {Difference} */ row) => html`<span class="wrap">${said(row.value)}</span>` },
    { name: "other", label: other, cell: (/** @type {Difference} */ row) => html`<span class="wrap">${said(row.other)}</span>` },
  ]} />`;
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function said(value) {
  if (value === null || value === undefined || value === "") return "not set";
  return typeof value === "string" ? value : JSON.stringify(value);
}
