/**
 * The question as buttons: cheapest answer first, taking over always last.
 *
 * @import { HelpRequest } from "../../../core/types.js"
 */

import { html } from "htm/preact";
import { useState } from "preact/hooks";

import { announce } from "../../announce.js";
import { useKey } from "../../keys.js";
import { may } from "../../permission.js";
import { go } from "../../router.js";
import { refused, robots, send, session, tell } from "../../store.js";
import { QUEUE } from "../../words.js";
import { claimOf } from "./claim.js";

const TAKE_OVER = "take over";

/** @typedef {{answer: string, words: string}} Choice an empty answer cannot be given yet */

/**
 * The answers that a request takes in words, as buttons.
 * @param {HelpRequest} request
 * @param {import("./point-picture.js").Place | null} point
 * @returns {Choice[]}
 */
function choicesOf(request, point) {
  if (request.kind === "choose") return request.options.filter((option) => option !== TAKE_OVER).map((option) => ({ answer: option, words: capital(option) }));
  if (request.kind === "confirm_outcome") return Object.entries(QUEUE.outcomes).map(([answer, words]) => ({ answer, words }));
  if (request.kind === "reset_scene") return [{ answer: "done", words: QUEUE.done }];
  if (request.kind === "point") return [{ answer: point ? `${point.x.toFixed(4)} ${point.y.toFixed(4)} ${point.camera}` : "", words: QUEUE.pointHere }];
  return [];
}

/**
 * @param {object} props
 * @param {HelpRequest} props.request
 * @param {import("./point-picture.js").Place | null} props.point
 */
export function Question({ request, point }) {
  const [sent, setSent] = useState("");
  const refusal = refused.value?.request === "answer_help" && sent ? refused.value.reason : "";
  const isOther = claimOf(request) === "other";
  const isMine = may("operator") && !isOther;
  const mode = robots.value.get(request.robot_id)?.mode ?? "";
  const isStopped = mode === "stopped" || request.trigger === "stopped";
  const isLost = !isStopped && (mode === "lost" || request.trigger === "lost");
  const choices = isStopped || isLost ? [] : choicesOf(request, point);
  const isWaiting = Boolean(sent) && !refusal;
  const answer = (/** @type {string} */ words) => {
    refused.value = null;
    setSent(words);
    send({ type: "answer_help", request_id: request.request_id, answer: words });
    announce(QUEUE.sent);
  };
  const takeOver = () => takeOverOf(request);
  useKey("KeyT", QUEUE.takeOver, takeOver, isMine);
  if (!may("operator")) {
    return html`<p class="why-not">${QUEUE.notYou(session.value?.role ?? "viewer")}</p>
      <div class="answers"><button type="button" onClick=${() => go(drivePath(request), { watch: 1 })}>${QUEUE.watch}</button></div>`;
  }
  return html`<div class="answers" role="group" aria-label=${request.question || QUEUE.title}>
      ${choices.map(
        (choice, index) => html`<${AnswerButton} key=${choice.words} choice=${choice} index=${index} isOn=${isMine && !isWaiting && choice.answer !== ""} isSent=${sent === choice.answer && isWaiting} onAnswer=${answer} />`,
      )}
      ${request.kind === "confirm_outcome" && html`<button type="button" disabled=${!isMine} onClick=${() => go("/queue")}>${QUEUE.unclear}</button>`}
      ${isStopped && html`<button type="button" class="primary" onClick=${() => go(drivePath(request), { watch: 1 })}>${QUEUE.open}</button>`}
      <button type="button" class=${`answer-take ${choices.length || isStopped ? "" : "primary"}`} disabled=${!isMine} onClick=${takeOver}>${QUEUE.takeOver} <kbd>T</kbd></button>
    </div>
    ${isStopped && html`<p class="quiet">${QUEUE.stopOnly}</p>`}
    ${isLost && html`<p class="quiet">${QUEUE.lostOnly}</p>`}
    ${refusal && html`<p class="error-words" role="alert">${refusal}</p>`}
    ${isWaiting && html`<p class="quiet" role="status">${QUEUE.sent}</p>`}`;
}

/**
 * @param {object} props
 * @param {Choice} props.choice
 * @param {number} props.index its key is the next digit
 * @param {boolean} props.isOn
 * @param {boolean} props.isSent
 * @param {(answer: string) => void} props.onAnswer
 */
function AnswerButton({ choice, index, isOn, isSent, onAnswer }) {
  const digit = index < 9 ? String(index + 1) : "";
  useKey(`Digit${digit}`, choice.words, () => onAnswer(choice.answer), isOn && Boolean(digit));
  return html`<button type="button" class=${index === 0 ? "primary" : ""} disabled=${!isOn} aria-pressed=${isSent ? "true" : null} onClick=${() => onAnswer(choice.answer)}>
    ${choice.words} ${digit && html`<kbd>${digit}</kbd>`}
  </button>`;
}

/**
 * Who looks after it, and how to be that one or not.
 * @param {object} props
 * @param {HelpRequest} props.request
 * @param {boolean} props.isChosen
 * @param {(requestId: string) => void} props.onChoose
 */
export function Claim({ request, isChosen, onChoose }) {
  const claim = claimOf(request);
  if (claim === "other") return html`<p class="claim" role="status">${QUEUE.claimedBy(request.claimed_by, request.claim_left_s)}</p>`;
  if (!may("operator")) return null;
  if (isChosen) {
    return html`<p class="claim">${claim === "me" ? QUEUE.claimed : ""} <button type="button" class="quiet-button" onClick=${() => onChoose("")}>${QUEUE.unclaim}</button></p>`;
  }
  return html`<p class="claim"><button type="button" class="quiet-button" onClick=${() => onChoose(request.request_id)}>${QUEUE.claim}</button></p>`;
}

/**
 * Ask for the robot and go to its Drive screen, where taking over also ends the request.
 * @param {HelpRequest} request
 */
function takeOverOf(request) {
  send({ type: "claim", request_id: request.request_id });
  go(drivePath(request));
  tell({ type: "acquire", robotId: request.robot_id });
}

/** @param {HelpRequest} request */
function drivePath(request) {
  return `/drive/${encodeURIComponent(request.robot_id)}`;
}

/**
 * @param {string} text
 * @returns {string}
 */
function capital(text) {
  return text ? text[0]?.toUpperCase() + text.slice(1) : text;
}
