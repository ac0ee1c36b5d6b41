// Two deliberate steps before something that moves the fleet: first what will happen and why it is
// wanted, then the deed, on a button in another place (or once a name has been typed). What only makes
// robots safer takes one.

import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** A second press sooner than this is the first one's double click. */
const SETTLE_MS = 600;

/**
 * @param {object} props
 * @param {string} props.title  a question
 * @param {string} props.deed  words on the last button, such as "Roll back 4 robots to version 6"
 * @param {boolean} [props.needsReason]
 * @param {string} [props.reasonLabel]  what is asked for in words
 * @param {boolean} [props.isQuick]  one step is enough: nothing can go wrong by it
 * @param {string} [props.typed]  what must be typed before the last button works
 * @param {boolean} [props.isReady]  false while what will happen is not known yet
 * @param {(reason: string) => Promise<void>} props.onConfirm  rejects with words
 * @param {() => void} props.onClose
 * @param {import("preact").ComponentChildren} [props.children]  what will happen
 */
export function Confirm({ title, deed, needsReason = true, reasonLabel = "Reason, for the ledger", isQuick = false, typed = "", isReady = true, onConfirm, onClose, children }) {
  const dialog = useDialog();
  const [reason, setReason] = useState("");
  const [isSecond, setIsSecond] = useState(false);
  const [word, setWord] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState("");
  const act = async () => {
    setIsBusy(true);
    setError("");
    try {
      await onConfirm(reason.trim());
      onClose();
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
      setIsBusy(false);
    }
  };
  return html`<dialog ref=${dialog} class="confirm" aria-labelledby="confirm-title" onClose=${onClose}>
    <h2 id="confirm-title">${title}</h2>
    <div class="confirm-body">${children}</div>
    ${needsReason &&
    html`<label class="field">
      <span>${reasonLabel}</span>
      <textarea rows="2" maxlength="500" required value=${reason} readonly=${isSecond} onInput=${(/** @type {any} */ event) => setReason(event.currentTarget.value)}></textarea>
    </label>`}
    ${error && html`<p class="error-words" role="alert">${error}</p>`}
    ${isSecond
      ? html`<${SecondStep} deed=${deed} typed=${typed} word=${word} onWord=${setWord} isBusy=${isBusy} onAct=${act} onBack=${() => setIsSecond(false)} />`
      : html`<div class="confirm-buttons">
          <button type="button" onClick=${onClose}>Cancel</button>
          ${isQuick
            ? html`<button type="button" class="danger" disabled=${!isReady || isBusy} onClick=${act}>${deed}</button>`
            : html`<button type="button" class="primary" disabled=${!isReady || (needsReason && !reason.trim())} onClick=${() => setIsSecond(true)}>Continue</button>`}
        </div>`}
  </dialog>`;
}

/**
 * @param {object} props
 * @param {string} props.deed
 * @param {string} props.typed
 * @param {string} props.word
 * @param {(word: string) => void} props.onWord
 * @param {boolean} props.isBusy
 * @param {() => void} props.onAct
 * @param {() => void} props.onBack
 */
function SecondStep({ deed, typed, word, onWord, isBusy, onAct, onBack }) {
  const [isSettled, setIsSettled] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsSettled(true), SETTLE_MS);
    return () => clearTimeout(timer);
  }, []);
  const isAllowed = isSettled && !isBusy && (!typed || word.trim() === typed);
  return html`
    ${typed &&
    html`<label class="field">
      <span>Type <strong>${typed}</strong> to confirm</span>
      <input type="text" autocomplete="off" value=${word} onInput=${(/** @type {any} */ event) => onWord(event.currentTarget.value)} />
    </label>`}
    <div class="confirm-buttons is-second">
      <button type="button" class="danger" disabled=${!isAllowed} onClick=${onAct}>${isBusy ? "Working…" : deed}</button>
      <button type="button" onClick=${onBack}>Back</button>
    </div>
  `;
}

/** @returns {import("preact/hooks").MutableRef<HTMLDialogElement | null>} opened as a modal, which keeps the focus inside */
function useDialog() {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayoutEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return ref;
}
