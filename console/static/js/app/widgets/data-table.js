// A sortable table that stays quick with many thousand rows: only the rows in sight are in the page.

import { html } from "htm/preact";
import { useMemo, useRef, useState } from "preact/hooks";

const ROW_HEIGHT = 40;
const WINDOW_FROM = 80;
const SPARE_ROWS = 10;

/**
 * @typedef {object} Column
 * @property {string} name  unique
 * @property {string} label
 * @property {(row: any) => any} cell  what is shown
 * @property {((row: any) => number | string | null)} [sort]  by what it is sorted; without it, it is not sortable
 * @property {boolean} [isNumber]  right-aligned, tabular figures
 * @property {any} [head]  stands in the header in place of the label
 * @property {boolean} [isChoice]  a box to tick: it does not head the row
 */

/**
 * @param {object} props
 * @param {string} props.caption  read aloud, not shown
 * @param {Column[]} props.columns  the first that is no choice heads the row
 * @param {any[]} props.rows
 * @param {string} [props.empty]  said where there is no row
 * @param {number} [props.maxHeight]  CSS pixels before it scrolls
 */
export function DataTable({ caption, columns, rows, empty = "No rows.", maxHeight = 440 }) {
  const [order, setOrder] = useState(/** @type {{name: string, isDown: boolean} | null} */ (null));
  const [scrollTop, setScrollTop] = useState(0);
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const sorted = useMemo(() => inOrder(rows, columns, order), [rows, columns, order]);
  if (!rows.length) return html`<p class="panel-none">${empty}</p>`;
  const isWindowed = sorted.length > WINDOW_FROM;
  const first = isWindowed ? Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - SPARE_ROWS) : 0;
  const last = isWindowed ? Math.min(sorted.length, first + Math.ceil(maxHeight / ROW_HEIGHT) + 2 * SPARE_ROWS) : sorted.length;
  return html`<div ref=${box} class="table-scroll" style=${{ maxHeight: `${maxHeight}px` }} tabindex="0" role="region" aria-label=${caption}
    onScroll=${() => isWindowed && box.current && setScrollTop(box.current.scrollTop)}>
    <table class="data-table" aria-rowcount=${sorted.length + 1}>
      <caption class="visually-hidden">${caption}</caption>
      <thead>
        <tr aria-rowindex="1">${columns.map((column) => html`<${Head} key=${column.name} column=${column} order=${order} onSort=${setOrder} />`)}</tr>
      </thead>
      <tbody>
        ${first > 0 && html`<tr aria-hidden="true"><td colspan=${columns.length} style=${{ height: `${first * ROW_HEIGHT}px`, padding: 0 }}></td></tr>`}
        ${sorted.slice(first, last).map((row, index) => html`<${Row} key=${first + index} row=${row} columns=${columns} index=${first + index} />`)}
        ${last < sorted.length && html`<tr aria-hidden="true"><td colspan=${columns.length} style=${{ height: `${(sorted.length - last) * ROW_HEIGHT}px`, padding: 0 }}></td></tr>`}
      </tbody>
    </table>
  </div>`;
}

/**
 * @param {object} props
 * @param {Column} props.column
 * @param {{name: string, isDown: boolean} | null} props.order
 * @param {(order: {name: string, isDown: boolean} | null) => void} props.onSort
 */
function Head({ column, order, onSort }) {
  const isThis = order?.name === column.name;
  const sort = isThis ? (order.isDown ? "descending" : "ascending") : "none";
  if (!column.sort) return html`<th scope="col" class=${classOf(column)}>${column.head ?? column.label}</th>`;
  const next = isThis && !order.isDown ? null : { name: column.name, isDown: !isThis };
  return html`<th scope="col" class=${classOf(column)} aria-sort=${sort}>
    <button type="button" class="sort-button" onClick=${() => onSort(next)}>
      ${column.label}<span class="sort-arrow" aria-hidden="true">${sort === "descending" ? "▼" : sort === "ascending" ? "▲" : ""}</span>
    </button>
  </th>`;
}

/**
 * @param {object} props
 * @param {any} props.row
 * @param {Column[]} props.columns
 * @param {number} props.index
 */
function Row({ row, columns, index }) {
  const heads = columns.findIndex((column) => !column.isChoice);
  return html`<tr aria-rowindex=${index + 2}>
    ${columns.map((column, place) =>
      place === heads
        ? html`<th key=${column.name} scope="row" class=${classOf(column)}>${column.cell(row)}</th>`
        : html`<td key=${column.name} class=${`${classOf(column)} ${column.isNumber ? "tabular" : ""}`}>${column.cell(row)}</td>`,
    )}
  </tr>`;
}

/** @param {Column} column */
function classOf({ isNumber, isChoice }) {
  if (isChoice) return "is-choice";
  return isNumber ? "is-number" : "";
}

/**
 * @param {any[]} rows
 * @param {Column[]} columns
 * @param {{name: string, isDown: boolean} | null} order
 * @returns {any[]} sorted; what is not known comes last either way
 */
function inOrder(rows, columns, order) {
  const by = columns.find((column) => column.name === order?.name)?.sort;
  if (!order || !by) return rows;
  const sign = order.isDown ? -1 : 1;
  return [...rows].sort((one, other) => {
    const [a, b] = [by(one), by(other)];
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true }));
  });
}
