// Short words at the lower edge about what was just done or refused. They stay long enough to read, longer with
// the pointer or the focus on them, and are read aloud by their own status region.

import { signal } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";

/** @typedef {{id: number, text: string, isProblem: boolean}} Toast */

const STAY_MS = 6000;
const MAX_SHOWN = 3;

const toasts = signal(/** @type {readonly Toast[]} */ ([]));
let lastId = 0;

/**
 * @param {string} text
 * @param {{isProblem?: boolean}} [options]
 */
export function toast(text, { isProblem = false } = {}) {
  // The same words twice are one toast that starts anew.
  const others = toasts.peek().filter((one) => one.text !== text);
  lastId += 1;
  toasts.value = [...others, { id: lastId, text, isProblem }].slice(-MAX_SHOWN);
}

/** @param {number} id */
function dismiss(id) {
  toasts.value = toasts.peek().filter((one) => one.id !== id);
}

export function Toasts() {
  return html`<div class="toasts" role="status">${toasts.value.map((one) => html`<${OneToast} key=${one.id} one=${one} />`)}</div>`;
}

/** @param {{one: Toast}} props */
function OneToast({ one }) {
  const [isRead, setIsRead] = useState(false);
  useEffect(() => {
    if (isRead) return undefined;
    const timer = setTimeout(() => dismiss(one.id), STAY_MS);
    return () => clearTimeout(timer);
  }, [isRead]);
  return html`<div
    class=${`toast ${one.isProblem ? "is-problem" : ""}`}
    onMouseEnter=${() => setIsRead(true)}
    onMouseLeave=${() => setIsRead(false)}
    onFocusIn=${() => setIsRead(true)}
    onFocusOut=${() => setIsRead(false)}
  >
    <p>${one.text}</p>
    <button type="button" class="quiet-button" onClick=${() => dismiss(one.id)}>Dismiss</button>
  </div>`;
}
