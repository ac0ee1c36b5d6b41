/**
 * How the episode went: one key, five seconds to take it back, then why and how far.
 *
 * @import { Outcome } from "../../core/types.js"
 * @import { Keymap } from "../../core/keymap.js"
 * @import { Label } from "../../core/judgement.js"
 */

import { html } from "htm/preact";
import { FAILURE_REASONS } from "../../core/judgement.js";
import { keyHint } from "../../core/keymap.js";
import { OUTCOMES } from "./words.js";

/** The usual target, which needs no words. */
export const THIS = "this episode";
/** @type {readonly Outcome[]} */
const CHOICES = ["success", "failure", "timed_out"];

/**
 * The three keys.
 * @param {object} props
 * @param {Keymap} props.keymap
 * @param {{episodeId: string, words: string}} props.target
 * @param {Label | null} props.waiting
 * @param {boolean} props.isAllowed
 * @param {(outcome: Outcome) => void} props.onSay
 */
export function OutcomeKeys({ keymap, target, waiting, isAllowed, onSay }) {
  return html`<div class="row judge-keys" role="group" aria-label=${`How did ${target.words} go?`}>
    ${CHOICES.map(
      (outcome) => html`<button
        key=${outcome}
        type="button"
        class="judge-${outcome}"
        aria-pressed=${waiting?.outcome === outcome}
        disabled=${!isAllowed || !target.episodeId}
        onClick=${() => onSay(outcome)}
      >
        ${OUTCOMES[outcome]} <kbd>${keyHint(keymap, outcome)}</kbd>
      </button>`,
    )}
    ${target.words !== THIS && html`<span class="row-note">of ${target.words}</span>`}
  </div>`;
}

/**
 * What was judged, until it is sent: why, how far, and the way back.
 * @param {object} props
 * @param {Keymap} props.keymap
 * @param {Label} props.waiting
 * @param {number} props.leftMs
 * @param {(more: {reason?: string, progress?: number}) => void} props.onAdd
 * @param {() => void} props.onUndo
 * @param {() => void} props.onExtend somebody looks at it
 */
export function OutcomeMore({ keymap, waiting, leftMs, onAdd, onUndo, onExtend }) {
  return html`<section class="judge-more" aria-label="Outcome" onPointerMove=${onExtend} onFocusIn=${onExtend}>
    <p class="judge-undo" role="status">
      <span><b>${OUTCOMES[waiting.outcome]}</b>, sent in ${Math.ceil(leftMs / 1000)} s</span>
      <button type="button" class="chip" onClick=${onUndo}>Undo <kbd>${keyHint(keymap, "undo")}</kbd></button>
    </p>
    ${waiting.outcome === "failure" && html`<${Reasons} chosen=${waiting.reason} onChoose=${(/** @type {string} */ reason) => onAdd({ reason })} />`}
    <${Progress} chosen=${waiting.progress} onChoose=${(/** @type {number} */ progress) => onAdd({ progress })} />
  </section>`;
}

/** @param {{chosen: string, onChoose: (reason: string) => void}} props */
function Reasons({ chosen, onChoose }) {
  return html`<div class="judge-chips" role="group" aria-label="Why it failed">
    ${FAILURE_REASONS.map(
      (reason) => html`<button key=${reason} type="button" class="chip" aria-pressed=${chosen === reason} onClick=${() => onChoose(reason)}>${reason}</button>`,
    )}
  </div>`;
}

/** @param {{chosen: number, onChoose: (progress: number) => void}} props */
function Progress({ chosen, onChoose }) {
  return html`<div class="judge-progress" role="group" aria-label="How far it got, 1 to 5">
    <span>How far?</span>
    ${[1, 2, 3, 4, 5].map(
      (step) => html`<button key=${step} type="button" class="chip" aria-pressed=${chosen === step} onClick=${() => onChoose(step)}>${step}</button>`,
    )}
  </div>`;
}
