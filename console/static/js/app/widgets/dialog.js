// A modal dialog: the focus stays inside, Esc closes it, and the focus goes back where it was.

import { html } from "htm/preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

/**
 * @param {object} props
 * @param {string} props.title
 * @param {() => void} props.onClose
 * @param {string} [props.class]
 * @param {boolean} [props.isAlert] read at once
 * @param {import("preact").ComponentChildren} [props.children]
 */
export function Dialog({ title, onClose, class: className = "", isAlert = false, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const onBackdrop = (/** @type {MouseEvent} */ event) => {
    if (event.target === dialog.current && !isAlert) onClose();
  };
  return html`<dialog ref=${dialog} class=${`dialog ${className}`} role=${isAlert ? "alertdialog" : null} aria-labelledby=${id} onClose=${onClose} onClick=${onBackdrop}>
    <div class="dialog-inside">
      <header class="dialog-head">
        <h2 id=${id}>${title}</h2>
        ${!isAlert && html`<button type="button" class="quiet-button" onClick=${onClose}>Close</button>`}
      </header>
      ${children}
    </div>
  </dialog>`;
}
