// A button that opens a small panel under it. Esc, a click elsewhere, or leaving it closes it.

import { html } from "htm/preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

/**
 * @param {object} props
 * @param {string} props.label of the button, where its content is not words enough
 * @param {import("preact").ComponentChildren} props.button what the button shows
 * @param {string} [props.class] of the button
 * @param {(close: () => void) => import("preact").ComponentChildren} props.children the panel
 */
export function Menu({ label, button, class: className = "", children }) {
  const [isOpen, setIsOpen] = useState(false);
  const root = useRef(/** @type {HTMLDivElement | null} */ (null));
  const opener = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const id = useId();
  const close = () => setIsOpen(false);
  useEffect(() => {
    if (!isOpen) return undefined;
    const onPointer = (/** @type {PointerEvent} */ event) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) close();
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [isOpen]);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !isOpen) return;
    event.stopPropagation();
    close();
    opener.current?.focus();
  };
  const onFocusOut = (/** @type {FocusEvent} */ event) => {
    if (event.relatedTarget instanceof Node && !root.current?.contains(event.relatedTarget)) close();
  };
  return html`<div ref=${root} class="menu" onKeyDown=${onKeyDown} onFocusOut=${onFocusOut}>
    <button ref=${opener} type="button" class=${className} aria-label=${label} aria-expanded=${isOpen} aria-controls=${id} onClick=${() => setIsOpen(!isOpen)}>${button}</button>
    ${isOpen && html`<div id=${id} class="menu-panel">${children(close)}</div>`}
  </div>`;
}
