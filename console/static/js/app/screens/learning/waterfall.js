// How long a correction takes to reach the fleet, stage by stage.

import { html } from "htm/preact";

import { count, duration } from "../../../core/format.js";
import { Panel } from "../../widgets/panel.js";
import { Waterfall } from "../../widgets/waterfall.js";

/** @type {Readonly<Record<string, string>>} */
const STAGES = { robot: "on the robot", kafka: "Kafka", delta: "Delta", sampled: "sampled", published: "published", adopted: "adopted" };

/** @param {import("../learning.js").PanelProps} props */
export function FleetDelay({ data, why, frame }) {
  const all = data.waterfall ?? [];
  const stages = all.filter((stage) => stage.stage !== "total");
  const total = all.find((stage) => stage.stage === "total");
  const slowest = stages.toSorted((one, other) => other.p50_s - one.p50_s)[0];
  const missing = Object.entries(data.unavailable).filter(([name]) => name.startsWith("waterfall."));
  const summary = `${total ? `Half of the corrections act on a robot within ${duration(total.p50_s)}. ` : ""}${slowest ? `Slowest: ${STAGES[slowest.stage] ?? slowest.stage}, ${duration(slowest.p50_s)}.` : ""}`;
  return html`<${Panel} ...${frame("waterfall")} question="How fast do we learn from a correction?" unavailable=${why("waterfall") || (stages.length ? "" : "No correction has come through yet.")} summary=${summary}
    table=${{ rows: all, columns: [
      { name: "stage", label: "Until", cell: (/** @type {any} */ row) => STAGES[row.stage] ?? row.stage },
      { name: "p50", label: "Half within", isNumber: true, cell: (/** @type {any} */ row) => duration(row.p50_s), sort: (/** @type {any} */ row) => row.p50_s },
      { name: "p95", label: "95 % within", isNumber: true, cell: (/** @type {any} */ row) => duration(row.p95_s), sort: (/** @type {any} */ row) => row.p95_s },
      { name: "n", label: "Corrections", isNumber: true, cell: (/** @type {any} */ row) => count(row.n), sort: (/** @type {any} */ row) => row.n },
    ] }}>
    <${Waterfall} stages=${stages.map((stage) => ({ ...stage, stage: STAGES[stage.stage] ?? stage.stage }))} format=${duration} summary=${summary} />
    ${missing.map(([name, words]) => html`<p key=${name} class="quiet">${STAGES[name.slice("waterfall.".length)] ?? name}: ${words}</p>`)}
  <//>`;
}
