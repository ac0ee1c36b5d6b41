/**
 * On-screen pads: the fallback that always works, with a finger, a pen or a mouse. Two thumbs: one holds the
 * dead-man, the other pushes. Each pointer is captured, so leaving the pad's edge does not let go of it, and
 * letting go, or losing the pointer, is rest.
 *
 * @import { Hands } from "./hands.js"
 */

import { html } from "htm/preact";
import { useRef, useState } from "preact/hooks";
import { clipped } from "../../core/device.js";

/** @param {{hands: Hands}} props */
export function Pads({ hands }) {
  const set = (/** @type {[number, number][]} */ values) => {
    const axes = [...hands.pads.axes];
    for (const [axis, value] of values) axes[axis] = value;
    hands.pads = { ...hands.pads, axes };
  };
  return html`<div class="pads" role="group" aria-label="On-screen pads">
    <${DeadmanPad} hands=${hands} />
    <${Pad} words="Move" across="left, right" along="away, nearer" onMove=${(/** @type {number} */ a, /** @type {number} */ b) => set([[0, a], [1, b]])} />
    <${Pad} words="Up and twist" across="twist" along="up, down" onMove=${(/** @type {number} */ a, /** @type {number} */ b) => set([[5, -a + 0], [2, b]])} />
  </div>`;
}

/** @param {{hands: Hands}} props */
function DeadmanPad({ hands }) {
  const [isHeld, setIsHeld] = useState(false);
  const hold = (/** @type {boolean} */ isDown) => {
    const buttons = new Set(hands.pads.buttons);
    if (isDown) buttons.add("deadman");
    else buttons.delete("deadman");
    hands.pads = { ...hands.pads, buttons };
    setIsHeld(isDown);
  };
  const down = (/** @type {PointerEvent} */ event) => {
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
    hold(true);
  };
  return html`<button
    type="button"
    class="pad-deadman ${isHeld ? "is-armed" : ""}"
    aria-pressed=${isHeld}
    onPointerDown=${down}
    onPointerUp=${() => hold(false)}
    onPointerCancel=${() => hold(false)}
    onLostPointerCapture=${() => hold(false)}
    onContextMenu=${(/** @type {Event} */ event) => event.preventDefault()}
  >
    ${isHeld ? "Armed" : "Hold to move"}
  </button>`;
}

/**
 * @param {{words: string, across: string, along: string, onMove: (across: number, along: number) => void}} props
 */
function Pad({ words, across, along, onMove }) {
  const knob = useRef(/** @type {HTMLElement | null} */ (null));
  const pointer = useRef(-1);
  const move = (/** @type {number} */ a, /** @type {number} */ b) => {
    onMove(a, b);
    if (knob.current) knob.current.style.transform = `translate(${a * 100}%, ${-b * 100}%)`;
  };
  const follow = (/** @type {PointerEvent} */ event) => {
    if (event.pointerId !== pointer.current) return;
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const a = clipped((2 * (event.clientX - box.left)) / box.width - 1);
    move(a, clipped(1 - (2 * (event.clientY - box.top)) / box.height));
  };
  const down = (/** @type {PointerEvent} */ event) => {
    if (pointer.current >= 0) return;
    pointer.current = event.pointerId;
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
    follow(event);
  };
  const up = (/** @type {PointerEvent} */ event) => {
    if (event.pointerId !== pointer.current) return;
    pointer.current = -1;
    move(0, 0);
  };
  return html`<div
    class="pad"
    role="img"
    aria-label=${`${words}: ${across}; ${along}`}
    onPointerDown=${down}
    onPointerMove=${follow}
    onPointerUp=${up}
    onPointerCancel=${up}
    onLostPointerCapture=${up}
    onContextMenu=${(/** @type {Event} */ event) => event.preventDefault()}
  >
    <span class="pad-words">${words}</span>
    <span class="pad-knob" ref=${knob}></span>
  </div>`;
}
