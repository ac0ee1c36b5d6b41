// The staircase of a rollout: how many robots at each stage, and what the present one still waits for.

import { html } from "htm/preact";

import { counted, duration } from "../../../core/format.js";
import { may, whyNot } from "../../permission.js";
import { clock } from "../../widgets/when.js";

/**
 * @param {object} props
 * @param {import("../../shapes.js").Weights} props.data
 * @param {(action: import("../weights.js").Action) => void} props.onAct
 */
export function RolloutCard({ data, onAct }) {
  const { rollout } = data;
  if (!rollout) {
    return html`<section class="panel is-half"><h2>How far is the rollout?</h2><p class="panel-none">No rollout under way. A better candidate starts one by itself unless promotions are frozen.</p></section>`;
  }
  const isPaused = rollout.state === "paused";
  return html`<section class="panel is-half" aria-labelledby="rollout-title">
    <header class="panel-head"><h2 id="rollout-title">Rollout of version ${rollout.version}</h2><span class=${`verdict ${isPaused ? "verdict-not_enough_yet" : "verdict-better"}`}><span aria-hidden="true">${isPaused ? "‖" : "▶"}</span> ${rollout.state}</span></header>
    <p class="panel-summary">${rollout.reason} <span class="quiet">${rollout.author}, ${clock(rollout.stage_since_ns)}</span></p>
    <${Staircase} rollout=${rollout} />
    <${Soak} rollout=${rollout} waits=${data.verdict?.version === rollout.version ? data.verdict.waits_for : []} />
    ${may("engineer") ? html`<${Buttons} rollout=${rollout} isFrozen=${Boolean(data.frozen)} onAct=${onAct} />` : html`<p class="quiet">${whyNot("engineer", "pause, stop or go on with it")}</p>`}
  </section>`;
}

/** @param {{rollout: import("../../shapes.js").Rollout}} props */
function Staircase({ rollout }) {
  const numStages = rollout.stages.length;
  return html`<ol class="staircase">
    ${rollout.stages.map((robots, index) => {
      const state = index < rollout.stage ? "done" : index === rollout.stage ? "now" : "next";
      const isLast = index === numStages - 1;
      return html`<li key=${index} class=${`stair stair-${state}`} aria-current=${state === "now" ? "step" : undefined} style=${{ blockSize: `${44 + (52 * (index + 1)) / numStages}px` }}>
        <strong class="tabular">${isLast ? "whole fleet" : counted(robots, "robot")}</strong>
        <span><span aria-hidden="true">${state === "done" ? "✓" : state === "now" ? "●" : "○"}</span> ${state === "done" ? "done" : state === "now" ? "now" : "then"}</span>
      </li>`;
    })}
  </ol>`;
}

/**
 * @param {object} props
 * @param {import("../../shapes.js").Rollout} props.rollout
 * @param {string[]} props.waits
 */
function Soak({ rollout, waits }) {
  const { soak } = rollout;
  const minutes = soak.num_robot_minutes;
  return html`<div class="soak">
    <label class="soak-row"><span>Soak</span><progress max=${soak.min_s || 1} value=${Math.min(soak.elapsed_s, soak.min_s || 1)}></progress><span class="tabular">${duration(soak.elapsed_s)} of ${duration(soak.min_s)}</span></label>
    <label class="soak-row"><span>Robot time</span><progress max=${soak.min_robot_minutes || 1} value=${Math.min(minutes ?? 0, soak.min_robot_minutes || 1)}></progress><span class="tabular">${minutes === null ? "not known" : minutes.toFixed(1)} of ${soak.min_robot_minutes.toFixed(1)} min</span></label>
    <p class="quiet">On ${rollout.robots.join(", ") || "no robot yet"}.${waits.length ? ` Waits for ${waits.join(", ")}.` : ""}</p>
  </div>`;
}

/**
 * @param {object} props
 * @param {import("../../shapes.js").Rollout} props.rollout
 * @param {boolean} props.isFrozen
 * @param {(action: import("../weights.js").Action) => void} props.onAct
 */
function Buttons({ rollout, isFrozen, onAct }) {
  const isPaused = rollout.state === "paused";
  return html`<div class="button-row">
    <button type="button" class="primary" disabled=${isFrozen || isPaused} onClick=${() => onAct({ kind: "next" })}>Next stage…</button>
    ${isPaused ? html`<button type="button" onClick=${() => onAct({ kind: "resume" })}>Go on…</button>` : html`<button type="button" onClick=${() => onAct({ kind: "pause" })}>Pause…</button>`}
    <button type="button" class="danger" onClick=${() => onAct({ kind: "abort" })}>Stop rollout…</button>
    ${isFrozen && html`<span class="quiet">Promotions are frozen: it cannot go on now.</span>`}
  </div>`;
}
