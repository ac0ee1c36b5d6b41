/**
 * What a robot does and how much a request matters: a shape, a colour and a word, the same everywhere.
 *
 * @import { ControlMode, HelpRequest } from "../../core/types.js"
 * @import { LiveRobot } from "../store.js"
 */

import { html } from "htm/preact";

import { now, SILENT_MS } from "../store.js";
import { SEVERITIES, STATES } from "../words.js";

/** @typedef {ControlMode | "silent"} State */

/** Outlines in a 16 px square: circle, triangle, square, diamond, octagon, and an empty circle. @type {Readonly<Record<State, string>>} */
const SHAPES = Object.freeze({
  autonomous: "M2.5 8a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0z",
  correcting: "M8 1.8 15 14H1z",
  paused: "M2.5 2.5h11v11h-11z",
  lost: "M8 .8 15.2 8 8 15.2.8 8z",
  stopped: "M5.2 1.2h5.6l4 4v5.6l-4 4H5.2l-4-4V5.2z",
  silent: "M2.5 8a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0z",
});

/**
 * The state to show: a robot that does not report is not what it last said it was.
 * @param {LiveRobot | null | undefined} robot
 * @returns {State}
 */
export function stateOf(robot) {
  if (!robot || now.value - robot.received_ms > SILENT_MS) return "silent";
  return robot.mode in SHAPES ? robot.mode : "silent";
}

/**
 * @param {object} props
 * @param {State} props.state
 * @param {number} [props.size] in CSS pixels
 */
export function StateShape({ state, size = 14 }) {
  return html`<svg class=${`mode-shape state-${state}`} width=${size} height=${size} viewBox="0 0 16 16" aria-hidden="true">
    <path d=${SHAPES[state]} />
  </svg>`;
}

/**
 * @param {object} props
 * @param {State} props.state
 * @param {number} [props.size] of the shape
 */
export function StateBadge({ state, size = 14 }) {
  return html`<span class=${`mode-badge state-${state}`}><${StateShape} state=${state} size=${size} /><span>${STATES[state]}</span></span>`;
}

/** How many of three bars are full. @type {Readonly<Record<HelpRequest["severity"], number>>} */
const LEVELS = Object.freeze({ info: 1, warning: 2, error: 3 });

/**
 * @param {object} props
 * @param {HelpRequest["severity"]} props.severity
 */
export function SeverityBadge({ severity }) {
  const level = LEVELS[severity] ?? 1;
  return html`<span class=${`severity severity-${severity}`}>
    <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
      ${[0, 1, 2].map((bar) => html`<rect key=${bar} class=${bar < level ? "is-full" : ""} x=${1.5 + bar * 4.75} y=${10 - bar * 4} width="3.5" height=${4.5 + bar * 4} rx="1" />`)}
    </svg>
    <span>${SEVERITIES[severity] ?? severity}</span>
  </span>`;
}
