// What was just labelled, with 5 s to take it back.

import { html } from "htm/preact";

import { UNDO_S, giveLabel, pendingLabels, takeBack } from "../labelling.js";
import { outcomeWord } from "./outcome.js";

const MAX_SHOWN = 3;

/** Also reads aloud what it shows. */
export function LabelReceipts() {
  return html`<div class="receipts" role="status" aria-live="polite">
    ${pendingLabels.value.slice(0, MAX_SHOWN).map((label) => html`<${Receipt} key=${label.episodeId} label=${label} />`)}
  </div>`;
}

/**
 * @param {object} props
 * @param {import("../labelling.js").PendingLabel} props.label
 */
function Receipt({ label }) {
  const name = html`<span class="receipt-name">${label.episodeId}</span>`;
  const word = outcomeWord(label.outcome);
  if (label.state === "waiting") {
    return html`<p class="receipt">${word}: ${name} <button type="button" onClick=${() => takeBack(label.episodeId)}>Undo (${UNDO_S} s)</button></p>`;
  }
  if (label.state === "sending") return html`<p class="receipt">Saving ${word}: ${name}</p>`;
  if (label.state === "failed") {
    return html`<p class="receipt error-words">Not saved: ${name}. ${label.words}
      <button type="button" onClick=${() => giveLabel(label.episodeId, label.outcome, label.reason, label.progress)}>Try again</button>
      <button type="button" onClick=${() => takeBack(label.episodeId)}>Dismiss</button></p>`;
  }
  return html`<p class="receipt">Saved as ${word}: ${name} <button type="button" class="quiet-button" onClick=${() => takeBack(label.episodeId)}>Dismiss</button></p>`;
}
