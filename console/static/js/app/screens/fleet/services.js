// The processes of this machine's fleet.

import { html } from "htm/preact";

import { count } from "../../../core/format.js";
import { may } from "../../permission.js";
import { DataTable } from "../../widgets/data-table.js";

/** @typedef {import("../../shapes.js").Service} Service */

/** @param {{services: Service[] | null}} props */
export function Services({ services }) {
  if (!services) return null;
  /** @type {import("../../widgets/data-table.js").Column[]} */
  const columns = [
    { name: "name", label: "Service", cell: (/** @type {Service} */ row) => row.name, sort: (row) => row.name },
    { name: "state", label: "State", cell: (/** @type {Service} */ row) => html`<span class=${row.is_well ? "" : "error-words"}><span aria-hidden="true">${row.is_well ? "✓" : "!"}</span> ${row.state}</span>`, sort: (row) => row.state },
    { name: "restarts", label: "Restarts", isNumber: true, cell: (/** @type {Service} */ row) => count(row.restarts), sort: (row) => row.restarts },
    { name: "pid", label: "Process", isNumber: true, cell: (/** @type {Service} */ row) => (row.pid ? String(row.pid) : "–"), sort: (row) => row.pid },
  ];
  return html`<section class="panel" aria-label="Services"><h2>Services</h2>
    <${DataTable} caption="Services" columns=${columns} rows=${services} empty="No service runs under this console's supervisor." />
    ${may("engineer") && html`<p class="quiet">Stop and start them where they run: touchline status, touchline down, touchline up.</p>`}
  </section>`;
}
