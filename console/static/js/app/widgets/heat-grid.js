// Robots by tasks: the rate and its count in every cell, shade for the eye, numbers for the truth.
// A real table, so that it reads aloud; the shade goes from quiet (good) to strong (bad).

import { html } from "htm/preact";

import { link } from "../router.js";
import { FEW } from "./interval-plot.js";

/** @typedef {{row: string, column: string, estimate: number, n: number, href: string}} HeatCell */

/**
 * @param {object} props
 * @param {string[]} props.rows
 * @param {string[]} props.columns
 * @param {HeatCell[]} props.cells  missing ones are shown as a dash
 * @param {(value: number) => string} props.format
 * @param {string} props.caption
 * @param {string} props.corner  what the rows are
 */
export function HeatGrid({ rows, columns, cells, format, caption, corner }) {
  const byPlace = new Map(cells.map((cell) => [`${cell.row}\n${cell.column}`, cell]));
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label=${caption}>
    <table class="heat-grid">
      <caption class="visually-hidden">${caption}</caption>
      <thead>
        <tr>
          <th scope="col">${corner}</th>
          ${columns.map((column) => html`<th key=${column} scope="col">${column}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) => html`<tr key=${row}>
            <th scope="row">${row}</th>
            ${columns.map((column) => html`<${Cell} key=${column} cell=${byPlace.get(`${row}\n${column}`)} format=${format} />`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/**
 * @param {object} props
 * @param {HeatCell | undefined} props.cell
 * @param {(value: number) => string} props.format
 */
function Cell({ cell, format }) {
  if (!cell || !cell.n) return html`<td class="heat-cell heat-empty">–</td>`;
  const shade = Math.min(5, Math.floor((1 - cell.estimate) * 6));
  return html`<td class=${`heat-cell heat-${shade} ${cell.n < FEW ? "is-few" : ""}`}>
    <a ...${link(cell.href)}>
      <span class="heat-value tabular">${format(cell.estimate)}</span>
      <span class="heat-count tabular">n ${cell.n}</span>
    </a>
  </td>`;
}
