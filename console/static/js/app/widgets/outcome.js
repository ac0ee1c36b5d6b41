// How an episode went: shape and word, never colour alone.

import { html } from "htm/preact";

/** @type {Readonly<Record<string, {sign: string, word: string}>>} */
const OUTCOMES = {
  success: { sign: "✓", word: "success" },
  failure: { sign: "✕", word: "failure" },
  timed_out: { sign: "◷", word: "timed out" },
  unlabelled: { sign: "?", word: "no label" },
};

/** @param {{outcome: string}} props */
export function OutcomeMark({ outcome }) {
  const { sign, word } = OUTCOMES[outcome] ?? { sign: "?", word: outcome };
  return html`<span class=${`outcome outcome-${outcome}`}><span aria-hidden="true">${sign}</span> ${word}</span>`;
}

/**
 * @param {string} outcome
 * @returns {string}
 */
export function outcomeWord(outcome) {
  return OUTCOMES[outcome]?.word ?? outcome;
}
