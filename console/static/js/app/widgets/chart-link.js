// A part of a chart that opens the episodes behind it.

import { html } from "htm/preact";

import { link } from "../router.js";

/**
 * @param {object} props
 * @param {string} props.href  empty: drawn, but nothing to open
 * @param {string} props.label  what it shows, in words
 * @param {import("preact").ComponentChildren} [props.children]
 */
export function ChartLink({ href, label, children }) {
  if (!href) return html`<g><title>${label}</title>${children}</g>`;
  return html`<a class="chart-link" ...${link(href)}>
    <title>${label}. Open its episodes</title>
    ${children}
  </a>`;
}
