/**
 * Keys of the page outside Drive, where a device is in somebody's hands and core/keymap.js rules.
 *
 * Ctrl + . stops the held robot from everywhere, also while typing. Keys without Ctrl do nothing while somebody
 * types or a dialog is open, and can be turned off altogether (WCAG 2.1.4).
 */

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { announce } from "./announce.js";
import { preferences } from "./preferences.js";
import { held, send } from "./store.js";
import { toast } from "./widgets/toast.js";
import { SHELL } from "./words.js";

/** @typedef {{code: string, key: string, words: string, act: () => void}} Shortcut `key` is as printed on it */

/** What has a key now, newest first: a screen's own key counts before the frame's. */
export const shortcuts = signal(/** @type {readonly Shortcut[]} */ ([]));

/**
 * A key for as long as the component lives.
 * @param {string} code its place on the keyboard (`event.code`), or "?" for the sign
 * @param {string} words what it does
 * @param {() => void} act
 * @param {boolean} [isOn]
 */
export function useKey(code, words, act, isOn = true) {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (!isOn) return undefined;
    const shortcut = { code, key: code.replace(/^(Key|Digit)/, ""), words, act: () => latest.current() };
    shortcuts.value = [shortcut, ...shortcuts.peek()];
    return () => {
      shortcuts.value = shortcuts.peek().filter((one) => one !== shortcut);
    };
  }, [code, words, isOn]);
}

/** Stop the robot that I hold. */
export function stopHeld() {
  const robotId = held.value;
  if (!robotId) {
    toast(SHELL.stopNone);
    return;
  }
  send({ type: "stop", robot_id: robotId, reason: SHELL.stopReason });
  announce(SHELL.stopped(robotId), { isUrgent: true });
}

/** Listen from now on. */
export function listenToKeys() {
  addEventListener("keydown", onStopKey, { capture: true });
  addEventListener("keydown", onKey);
}

/** @param {KeyboardEvent} event */
function onStopKey(event) {
  if (!event.ctrlKey || event.code !== "Period") return;
  event.preventDefault();
  event.stopPropagation();
  if (!event.repeat) stopHeld();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  if (!preferences.value.hasSingleKeys || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const found = shortcuts.value.find((one) => one.code === event.code || one.code === event.key);
  if (!found || (event.repeat && found.code !== "?")) return;
  event.preventDefault();
  found.act();
}

/**
 * @param {EventTarget | null} target
 * @returns {boolean} whether its keys are text, or its own
 */
function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("input, textarea, select, [data-own-keys] *, [data-own-keys]");
}
