// The frame of one chart: its question, its answer in a line, the same data as a table, or why it is empty.

import { html } from "htm/preact";

import { DataTable } from "./data-table.js";

/**
 * @typedef {object} PanelTable
 * @property {import("./data-table.js").Column[]} columns
 * @property {any[]} rows
 */

/**
 * @param {object} props
 * @param {string} props.id  of the panel, unique on the page
 * @param {string} props.question
 * @param {string} props.summary  the answer in one line
 * @param {string} props.unavailable  why there is no chart; empty where there is one
 * @param {PanelTable | null} props.table
 * @param {boolean} props.isTable
 * @param {(id: string) => void} props.onToggle
 * @param {string} [props.wide]  extra class for the place in the grid
 * @param {import("preact").ComponentChildren} [props.children]
 */
export function Panel({ id, question, summary, unavailable, table, isTable, onToggle, wide = "", children }) {
  return html`<section class=${`panel ${wide}`} id=${`panel-${id}`} aria-labelledby=${`panel-${id}-title`}>
    <header class="panel-head">
      <h2 id=${`panel-${id}-title`}>${question}</h2>
      ${!unavailable &&
      table &&
      html`<button type="button" class="quiet-button" title=${isTable ? "" : "The same data as a table"} onClick=${() => onToggle(id)}>
        ${isTable ? "Chart" : "Table"}<span class="visually-hidden">: ${question}</span>
      </button>`}
    </header>
    ${unavailable
      ? html`<p class="panel-none">${unavailable}</p>`
      : html`<p class="panel-summary">${summary}</p>
          ${isTable && table ? html`<${DataTable} caption=${question} columns=${table.columns} rows=${table.rows} />` : children}`}
  </section>`;
}
