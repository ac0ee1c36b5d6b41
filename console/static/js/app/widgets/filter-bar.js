// One row of filters over the URL: whatever is chosen here is in the address and in every panel.

import { html } from "htm/preact";

import { query as address, setQuery } from "../router.js";

/**
 * @typedef {object} Filter
 * @property {string} name  of the query parameter
 * @property {string} label
 * @property {{value: string, word: string}[]} options  without "all"
 * @property {string} [all]  the word for no filter
 */

/**
 * @param {object} props
 * @param {Filter[]} props.filters
 * @param {string[]} [props.hidden]  further parameters that filter here without a field of their own: shown as words
 * @param {import("preact").ComponentChildren} [props.children]  at the end of the row
 */
export function FilterBar({ filters, hidden = [], children }) {
  const query = address.value;
  const names = [...filters.map((filter) => filter.name), ...hidden];
  const active = names.filter((name) => query.has(name));
  return html`<form class="filter-bar" role="search" aria-label="Filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    ${filters.map((filter) => html`<${Choice} key=${filter.name} filter=${filter} value=${query.get(filter.name) ?? ""} />`)}
    ${hidden.filter((name) => query.has(name)).map(
      (name) => html`<button type="button" key=${name} class="chip" onClick=${() => setQuery({ [name]: null, offset: null })}>
        ${name.replaceAll("_", " ")}: ${inWords(name, query.get(name) ?? "")} <span aria-hidden="true">×</span><span class="visually-hidden">, remove</span>
      </button>`,
    )}
    ${active.length > 0 &&
    html`<button type="button" class="quiet-button" onClick=${() => setQuery(Object.fromEntries([...active, "offset"].map((name) => [name, null])))}>Clear filters</button>`}
    ${children}
  </form>`;
}

/**
 * @param {object} props
 * @param {Filter} props.filter
 * @param {string} props.value
 */
function Choice({ filter, value }) {
  const isKnown = !value || filter.options.some((option) => option.value === value);
  return html`<label class="filter">
    <span>${filter.label}</span>
    <select value=${value} onChange=${(/** @type {any} */ event) => setQuery({ [filter.name]: event.currentTarget.value || null, offset: null })}>
      <option value="">${filter.all ?? "all"}</option>
      ${!isKnown && html`<option value=${value}>${value.replaceAll(",", ", ")}</option>`}
      ${filter.options.map((option) => html`<option key=${option.value} value=${option.value}>${option.word}</option>`)}
    </select>
  </label>`;
}

/**
 * @param {string[]} values
 * @param {(value: string) => string} [word]
 * @returns {{value: string, word: string}[]}
 */
export function options(values, word = (value) => value.replaceAll("_", " ")) {
  return values.map((value) => ({ value, word: word(value) }));
}

/**
 * @param {string} name
 * @param {string} value
 * @returns {string}
 */
function inWords(name, value) {
  if (!name.endsWith("_ns")) return value.replaceAll("_", " ");
  return new Date(Number(value) / 1e6).toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}
