// Weights: what acts on which robot, what would come next and why, and how it came to be so.

import { html } from "htm/preact";
import { useState } from "preact/hooks";

import { counted, duration } from "../../core/format.js";
import { may, whyNot } from "../permission.js";
import { useResource } from "../resource.js";
import { ResourceState } from "../widgets/resource-state.js";
import { ago, clock } from "../widgets/when.js";
import { ActionDialog } from "./weights/actions.js";
import { CandidateCard } from "./weights/candidate.js";
import { LedgerTable } from "./weights/ledger.js";
import { RobotTable } from "./weights/robots.js";
import { RolloutCard } from "./weights/rollout.js";
import { VersionTable } from "./weights/versions.js";

const REFRESH_S = 4;
/** @type {readonly {alias: "champion" | "canary" | "previous" | "shadow", words: string, none: string}[]} */
const ALIASES = [
  { alias: "champion", words: "acts on every robot outside a rollout", none: "Nothing was released yet." },
  { alias: "canary", words: "is tried on some robots", none: "No rollout under way." },
  { alias: "previous", words: "is where a roll back goes", none: "There is nothing to go back to." },
  { alias: "shadow", words: "computes beside the champion and moves nothing", none: "None." },
];

/**
 * What somebody is about to do; null while nobody is.
 * @typedef {{kind: "rollback"} | {kind: "freeze"} | {kind: "promote" | "thaw" | "shadow" | "clear_shadow" | "start" | "next" | "pause" | "resume" | "abort", version?: string}} Action
 */

/** The screen at /weights. */
export function Weights() {
  const answer = useResource("/api/weights", REFRESH_S);
  const data = /** @type {import("../shapes.js").Weights | null} */ (answer.data);
  const [action, setAction] = useState(/** @type {Action | null} */ (null));
  const props = { data, onAct: setAction };
  return html`<div class="screen weights-screen">
    <header class="screen-head">
      <h1>Weights</h1>
      ${data && html`<${MainButtons} ...${props} />`}
    </header>
    <${ResourceState} resource=${answer} what="weights" />
    ${data &&
    html`<${FrozenBanner} ...${props} />
      <div class=${`panels ${answer.isOld ? "is-old" : ""}`}>
        <${Now} ...${props} />
        <${CandidateCard} ...${props} />
        <${RolloutCard} ...${props} />
        <${RobotTable} data=${data} />
        <${VersionTable} ...${props} />
        <${LedgerTable} data=${data} />
      </div>`}
    ${data && action && html`<${ActionDialog} action=${action} data=${data} onClose=${() => setAction(null)} onDone=${answer.reload} />`}
  </div>`;
}

/**
 * @param {object} props
 * @param {import("../shapes.js").Weights} props.data
 * @param {(action: Action) => void} props.onAct
 */
function MainButtons({ data, onAct }) {
  if (!may("engineer")) return html`<p class="quiet">${whyNot("engineer", "roll back, freeze or promote")}</p>`;
  const { previous } = data.aliases;
  return html`<div class="button-row">
    <button type="button" class="primary" disabled=${!previous} title=${previous ? "" : "There is no previous version to go back to."} onClick=${() => onAct({ kind: "rollback" })}>
      ${previous ? `Roll back to ${previous}…` : "Roll back"}
    </button>
    ${data.frozen
      ? html`<button type="button" onClick=${() => onAct({ kind: "thaw" })}>Allow promotions again…</button>`
      : html`<button type="button" onClick=${() => onAct({ kind: "freeze" })}>Freeze promotions…</button>`}
  </div>`;
}

/**
 * @param {object} props
 * @param {import("../shapes.js").Weights} props.data
 */
function FrozenBanner({ data }) {
  const { frozen } = data;
  if (!frozen) return null;
  const until = frozen.expires_ns ? `until ${clock(frozen.expires_ns)}, ${duration((frozen.expires_ns - data.now_ns) / 1e9)} left` : "until somebody allows them again";
  return html`<div class="frozen-banner" role="status">
    <strong><span aria-hidden="true">❄</span> Promotions are frozen</strong> ${until}. ${frozen.author}, ${clock(frozen.since_ns)}: ${frozen.reason}
  </div>`;
}

/**
 * @param {object} props
 * @param {import("../shapes.js").Weights} props.data
 * @param {(action: Action) => void} props.onAct
 */
function Now({ data, onAct }) {
  return html`<section class="aliases" aria-label="Now">
    ${ALIASES.map(({ alias, words, none }) => {
      const version = data.aliases[alias];
      const robots = version ? data.robots.filter((robot) => robot.version === version) : [];
      return html`<article key=${alias} class=${`alias alias-${alias}`}>
        <h2>${alias}</h2>
        ${version
          ? html`<p class="alias-version tabular">version ${version}</p>
              <p class="quiet">${words}</p>
              ${alias === "shadow" ? html`<${Comparison} data=${data} onAct=${onAct} />` : html`<p class="alias-robots">${robots.length ? `${robots.length} of ${data.robots.length} robots: ${robots.slice(0, 6).map((robot) => robot.robot_id).join(", ")}${robots.length > 6 ? ` and ${robots.length - 6} more` : ""}` : "on no robot now"}</p>`}`
          : html`<p class="alias-version quiet">–</p><p class="quiet">${none}</p>`}
      </article>`;
    })}
  </section>`;
}

/**
 * How far the shadow's proposals are from the champion's, in one sentence.
 * @param {object} props
 * @param {import("../shapes.js").Weights} props.data
 * @param {(action: Action) => void} props.onAct
 */
function Comparison({ data, onAct }) {
  const report = data.shadow_report;
  return html`<p class="alias-robots">${
      report && report.ratio !== null
        ? html`On ${counted(report.num_steps, "live step")} of ${counted(report.num_robots, "robot")} its actions differ from champion ${report.champion}'s by <strong class="tabular">${report.ratio.toFixed(1)}</strong> of what two samples of one policy differ. <span class="quiet">${ago(report.at_ns, data.now_ns)}</span>`
        : "Not compared yet: the critic's process does that as the champion's robots work."
    }</p>
    ${may("engineer") && html`<div class="button-row"><button type="button" class="quiet-button" onClick=${() => onAct({ kind: "clear_shadow", version: data.aliases.shadow ?? "" })}>End…</button></div>`}`;
}
