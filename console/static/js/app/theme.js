/**
 * Theme, text size and motion on the page, as the person or the system chose.
 */

import { effect } from "@preact/signals";

import { prefer, preferences } from "./preferences.js";

/** Follow the preferences from now on. */
export function followTheme() {
  effect(() => {
    const { theme, text, motion } = preferences.value;
    const root = document.documentElement;
    put(root, "theme", theme === "system" ? "" : theme);
    put(root, "text", text === "normal" ? "" : text);
    put(root, "motion", motion === "system" ? "" : motion);
  });
}

/** The next of system, light, dark. */
export function switchTheme() {
  const order = /** @type {const} */ (["system", "light", "dark"]);
  const next = (order.indexOf(preferences.value.theme) + 1) % order.length;
  prefer({ theme: order[next] ?? "system" });
}

/** Whether things should keep still. */
export function isStillPreferred() {
  const { motion } = preferences.value;
  return motion === "reduced" || (motion === "system" && matchMedia("(prefers-reduced-motion: reduce)").matches);
}

/**
 * @param {HTMLElement} root
 * @param {string} name
 * @param {string} value empty: no attribute
 */
function put(root, name, value) {
  if (value) root.dataset[name] = value;
  else delete root.dataset[name];
}
