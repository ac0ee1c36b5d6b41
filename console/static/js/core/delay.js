/**
 * How late the picture of a command is, what that is called, and what speed it leaves (console.md 5.3).
 *
 * Command to picture = age of the applied command, as the robot measured it, + age of the picture when it
 * was drawn. The first is too high by the way from robot to browser and the second too low by the same way,
 * because both use the extrapolated clock (clock.js): the sum is right whatever that way is.
 *
 * @typedef {"calm" | "slow" | "very_slow" | "too_slow" | "unknown"} Tier
 */

import { milliseconds } from "./format.js";

/** @type {readonly {tier: Tier, belowMs: number, words: string, speedCap: number}[]} */
export const TIERS = Object.freeze([
  { tier: "calm", belowMs: 150, words: "", speedCap: 1 },
  { tier: "slow", belowMs: 300, words: "slow link", speedCap: 0.5 },
  { tier: "very_slow", belowMs: 500, words: "very slow", speedCap: 0.2 },
  { tier: "too_slow", belowMs: Infinity, words: "too slow to drive", speedCap: 0 },
]);
/** Until something was measured. */
const UNKNOWN = Object.freeze({ tier: /** @type {Tier} */ ("unknown"), belowMs: 0, words: "measuring", speedCap: 0.5 });
/** Longer than the time between two pings, so that there is always a sample. */
const WINDOW_MS = 1500;
const CALM_DOWN_MS = 2000;

/**
 * @param {Tier} tier
 */
export function tierNamed(tier) {
  return TIERS.find((row) => row.tier === tier) ?? UNKNOWN;
}

/**
 * @param {number} delayMs negative while unknown
 */
export function tierOf(delayMs) {
  return delayMs < 0 ? UNKNOWN : /** @type {(typeof TIERS)[number]} */ (TIERS.find((row) => delayMs < row.belowMs));
}

/**
 * The chip's text: a number, then a word where there is something to say, then what it costs.
 * @param {Tier} tier
 * @param {number} delayMs
 */
export function chipText(tier, delayMs) {
  const { words, speedCap } = tierNamed(tier);
  const number = delayMs < 0 ? "" : milliseconds(delayMs);
  const cap = speedCap === 1 || speedCap === 0 || tier === "unknown" ? "" : `speed at most ${speedCap * 100} %`;
  return [number, words, cap].filter(Boolean).join(", ");
}

/** The median of the last moments; a worse tier counts at once, a better one after two seconds of it. */
export class DelayMeter {
  /** @type {{timeMs: number, delayMs: number}[]} */
  #samples = [];
  /** @type {Tier} */
  #tier = "unknown";
  #betterSinceMs = Infinity;

  /**
   * @param {number} delayMs one measurement
   * @param {number} nowMs
   */
  add(delayMs, nowMs) {
    this.#samples.push({ timeMs: nowMs, delayMs });
  }

  /** Forget everything: another robot. */
  reset() {
    this.#samples = [];
    this.#tier = "unknown";
  }

  /**
   * @param {number} nowMs
   * @returns {{delayMs: number, tier: Tier, speedCap: number}}
   */
  read(nowMs) {
    this.#samples = this.#samples.filter((sample) => nowMs - sample.timeMs <= WINDOW_MS);
    const sorted = this.#samples.map((sample) => sample.delayMs).sort((a, b) => a - b);
    const delayMs = sorted.length ? /** @type {number} */ (sorted[Math.floor(sorted.length / 2)]) : -1;
    const next = tierOf(delayMs);
    const current = tierNamed(this.#tier);
    const isBetter = delayMs >= 0 && this.#tier !== "unknown" && next.belowMs < current.belowMs;
    if (!isBetter) this.#betterSinceMs = Infinity;
    else this.#betterSinceMs = Math.min(this.#betterSinceMs, nowMs);
    if (!isBetter || nowMs - this.#betterSinceMs >= CALM_DOWN_MS) this.#tier = next.tier;
    return { delayMs, tier: this.#tier, speedCap: tierNamed(this.#tier).speedCap };
  }
}
