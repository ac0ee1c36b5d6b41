/**
 * Short tones by severity, and notices of the desktop. Never a tone alone: the same words are on the screen and in
 * the live region. Browsers allow sound only after a click or a key, so nothing sounds before.
 *
 * @import { HelpRequest } from "../core/types.js"
 */

import { preferences } from "./preferences.js";

/** @typedef {HelpRequest["severity"] | "lost" | "taken" | "released"} Tone */

/** Notes as [frequency in Hz, start in s, length in s]. @type {Readonly<Record<Tone, readonly [number, number, number][]>>} */
const TONES = Object.freeze({
  info: [[660, 0, 0.12]],
  warning: [
    [660, 0, 0.12],
    [880, 0.16, 0.16],
  ],
  error: [
    [880, 0, 0.12],
    [660, 0.16, 0.12],
    [880, 0.32, 0.2],
  ],
  lost: [
    [392, 0, 0.18],
    [294, 0.24, 0.3],
  ],
  taken: [[523, 0, 0.1]],
  released: [[392, 0, 0.1]],
});
const APART_MS = 900;

/** @type {AudioContext | null} */
let context = null;
let lastMs = -Infinity;

/** Get ready at the first click or key. */
export function readySound() {
  const ready = () => {
    context ??= new AudioContext();
    void context.resume();
    removeEventListener("pointerdown", ready);
    removeEventListener("keydown", ready);
  };
  addEventListener("pointerdown", ready);
  addEventListener("keydown", ready);
}

/**
 * @param {Tone} tone
 * @param {{isTest?: boolean}} [options] a test sounds even right after another tone
 */
export function play(tone, { isTest = false } = {}) {
  const { volume, isMuted } = preferences.value.sounds;
  if (!context || isMuted || volume <= 0) return;
  if (!isTest && performance.now() - lastMs < APART_MS) return;
  lastMs = performance.now();
  for (const [frequency, start, length] of TONES[tone]) note(context, frequency, context.currentTime + start, length, volume);
}

/**
 * One soft note: it swells and fades, so that it does not click.
 * @param {AudioContext} audio
 * @param {number} frequency
 * @param {number} start
 * @param {number} length
 * @param {number} volume
 */
function note(audio, frequency, start, length, volume) {
  const tone = audio.createOscillator();
  const gain = audio.createGain();
  tone.type = "triangle";
  tone.frequency.value = frequency;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(volume * 0.4, start + 0.015);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + length);
  tone.connect(gain).connect(audio.destination);
  tone.start(start);
  tone.stop(start + length + 0.02);
}

/** @returns {"granted" | "denied" | "default" | "missing"} whether the desktop shows notices of ours */
export function noticePermission() {
  return "Notification" in window ? Notification.permission : "missing";
}

/** Ask the person for notices; a browser asks once. */
export async function askForNotices() {
  return "Notification" in window ? Notification.requestPermission() : "denied";
}

/**
 * A notice of the desktop, if it is wanted, allowed, and the page is not in front.
 * @param {string} title
 * @param {string} body
 * @param {() => void} onClick
 */
export function notice(title, body, onClick) {
  const isWanted = preferences.value.sounds.hasNotices && noticePermission() === "granted";
  if (!isWanted || document.hasFocus()) return;
  const shown = new Notification(title, { body, tag: `touchline ${title}` });
  shown.onclick = () => {
    window.focus();
    shown.close();
    onClick();
  };
}
