/**
 * A person's own choices: kept by the server under their name, and by this browser so that the page starts in them.
 */

import { signal } from "@preact/signals";

import { api } from "./api.js";

/**
 * @typedef {object} Preferences
 * @property {"system" | "light" | "dark"} theme
 * @property {"normal" | "large" | "largest"} text
 * @property {"system" | "reduced" | "full"} motion
 * @property {{volume: number, isMuted: boolean, hasNotices: boolean}} sounds volume in [0, 1]
 * @property {Record<string, string[]>} keys choices over the default key map, by action
 * @property {boolean} hasSingleKeys whether keys without Ctrl do anything outside Drive
 * @property {{dead_zone: number, curve: number} | null} mapping of the devices; null: as the server says
 */

const STORED = "touchline.preferences";
const SAVE_MS = 600;

/** @type {Readonly<Preferences>} */
const DEFAULTS = Object.freeze({
  theme: "system",
  text: "normal",
  motion: "system",
  sounds: { volume: 0.5, isMuted: false, hasNotices: false },
  keys: {},
  hasSingleKeys: true,
  mapping: null,
});

export const preferences = signal(overDefaults(readBrowser()));
/** How the last change fared: empty before any. */
export const saving = signal(/** @type {"" | "waiting" | "saved" | "failed"} */ (""));
/** Why it was not saved. */
export const savingProblem = signal("");

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Read what the server keeps. */
export async function loadPreferences() {
  preferences.value = overDefaults(await api.get("/api/settings"));
  writeBrowser();
}

/**
 * Change some; it takes effect at once and is saved soon.
 * @param {Partial<Preferences>} changes
 */
export function prefer(changes) {
  preferences.value = { ...preferences.value, ...changes };
  writeBrowser();
  saving.value = "waiting";
  clearTimeout(timer);
  timer = setTimeout(() => void save(), SAVE_MS);
}

async function save() {
  try {
    await api.put("/api/settings", preferences.value);
    saving.value = "saved";
    savingProblem.value = "";
  } catch (problem) {
    saving.value = "failed";
    savingProblem.value = problem instanceof Error ? problem.message : String(problem);
  }
}

/**
 * The defaults with what was kept over them; whatever has another shape is left out.
 * @param {unknown} kept
 * @returns {Preferences}
 */
function overDefaults(kept) {
  const found = /** @type {Partial<Preferences>} */ (typeof kept === "object" && kept !== null ? kept : {});
  return {
    ...DEFAULTS,
    ...oneOf("theme", found.theme, ["system", "light", "dark"]),
    ...oneOf("text", found.text, ["normal", "large", "largest"]),
    ...oneOf("motion", found.motion, ["system", "reduced", "full"]),
    sounds: soundsOf(found.sounds),
    keys: typeof found.keys === "object" && found.keys !== null ? found.keys : {},
    hasSingleKeys: found.hasSingleKeys !== false,
    mapping: isMapping(found.mapping) ? found.mapping : null,
  };
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {string[]} choices
 */
function oneOf(name, value, choices) {
  return typeof value === "string" && choices.includes(value) ? { [name]: value } : {};
}

/**
 * @param {Partial<Preferences["sounds"]> | null | undefined} found
 * @returns {Preferences["sounds"]}
 */
function soundsOf(found) {
  const volume = Number(found?.volume ?? DEFAULTS.sounds.volume);
  return {
    volume: Number.isFinite(volume) ? Math.max(0, Math.min(1, volume)) : DEFAULTS.sounds.volume,
    isMuted: Boolean(found?.isMuted),
    hasNotices: Boolean(found?.hasNotices),
  };
}

/**
 * @param {unknown} value
 * @returns {value is {dead_zone: number, curve: number}}
 */
function isMapping(value) {
  const found = /** @type {{dead_zone?: unknown, curve?: unknown} | null | undefined} */ (value);
  return typeof found?.dead_zone === "number" && typeof found.curve === "number";
}

/** @returns {unknown} */
function readBrowser() {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "{}");
  } catch {
    return {};
  }
}

function writeBrowser() {
  try {
    localStorage.setItem(STORED, JSON.stringify(preferences.value));
  } catch {
    // A browser that keeps nothing starts in the system's theme; the server still knows the rest.
  }
}
