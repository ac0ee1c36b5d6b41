/**
 * Open requests, most urgent first. One that is over fades before it goes, so that nothing vanishes under a hand.
 *
 * @import { HelpRequest } from "../../../core/types.js"
 */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { countdown } from "../../../core/format.js";
import { now } from "../../store.js";
import { SeverityBadge } from "../../widgets/state-badge.js";
import { FALLBACKS, QUEUE } from "../../words.js";
import { claimOf } from "./claim.js";

/** @typedef {HelpRequest & {heard_ms: number}} Heard */

const FADE_MS = 5000;

/**
 * @param {object} props
 * @param {Heard[]} props.requests
 * @param {string} props.shownId
 * @param {(requestId: string) => void} props.onChoose
 */
export function RequestList({ requests, shownId, onChoose }) {
  const over = useOver(requests);
  const list = useRef(/** @type {HTMLOListElement | null} */ (null));
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const rows = [...(list.current?.querySelectorAll("button") ?? [])];
    const next = rows[rows.findIndex((row) => row === document.activeElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  return html`<ol ref=${list} class="request-list" aria-label=${QUEUE.list} onKeyDown=${onKeyDown}>
    ${requests.map((request) => html`<li key=${request.request_id}><${Row} request=${request} isShown=${request.request_id === shownId} onChoose=${onChoose} /></li>`)}
    ${over.map((request) => html`<li key=${`over ${request.request_id}`} class="is-over"><div class="request-row"><strong>${request.robot_id}</strong><p>${request.reason}</p><p class="quiet">${QUEUE.over}</p></div></li>`)}
  </ol>`;
}

/**
 * @param {object} props
 * @param {Heard} props.request
 * @param {boolean} props.isShown
 * @param {(requestId: string) => void} props.onChoose
 */
function Row({ request, isShown, onChoose }) {
  const { waitingS, leftS } = timesOf(request);
  const claim = claimOf(request);
  return html`<button type="button" class=${`request-row severity-edge-${request.severity}`} aria-current=${isShown ? "true" : null} onClick=${() => onChoose(request.request_id)}>
    <span class="request-head"><${SeverityBadge} severity=${request.severity} /><strong>${request.robot_id}</strong><span class="request-waits tabular">${QUEUE.waits(waitingS)}</span></span>
    <span class="request-reason">${request.reason}</span>
    <span class="request-foot"><span>${request.task_id.replaceAll("_", " ")}</span>${claim !== "nobody" && html`<span class="request-claim">${claim === "me" ? QUEUE.mine : QUEUE.looks(request.claimed_by)}</span>`}</span>
    ${request.deadline_s > 0 && html`<${Deadline} request=${request} leftS=${leftS} />`}
  </button>`;
}

/**
 * @param {object} props
 * @param {Heard} props.request
 * @param {number} props.leftS
 */
export function Deadline({ request, leftS }) {
  const share = Math.max(0, Math.min(1, leftS / request.deadline_s));
  return html`<span class="deadline">
    <span class="deadline-bar" aria-hidden="true"><span style=${{ width: `${share * 100}%` }}></span></span>
    <span class="tabular">${QUEUE.deadline(countdown(leftS), FALLBACKS[request.fallback] ?? request.fallback)}</span>
  </span>`;
}

/**
 * Waiting and left, counted on since the gateway said so.
 * @param {Heard} request
 */
export function timesOf(request) {
  const sinceS = Math.max(0, now.value - request.heard_ms) / 1000;
  return { waitingS: request.waiting_s + sinceS, leftS: Math.max(0, request.left_s - sinceS) };
}

/**
 * @param {Heard[]} requests
 * @returns {Heard[]} those that were open a moment ago
 */
function useOver(requests) {
  const before = useRef(/** @type {Heard[]} */ ([]));
  const [over, setOver] = useState(/** @type {Heard[]} */ ([]));
  useEffect(() => {
    const open = new Set(requests.map((request) => request.request_id));
    const ended = before.current.filter((request) => !open.has(request.request_id));
    before.current = requests;
    if (!ended.length) return;
    setOver((list) => [...ended, ...list].slice(0, 5));
    // Not taken back when the list changes again: each fades on its own.
    setTimeout(() => setOver((list) => list.filter((request) => !ended.includes(request))), FADE_MS);
  }, [requests]);
  return over;
}
