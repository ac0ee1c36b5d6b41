/**
 * What a person wants now, and how it becomes the next command; corrections/wish.py, with the page's rules on top:
 * nothing moves while a reason to be still lasts, nor until the dead-man was seen released after it, and the
 * speed obeys the delay.
 *
 * @import { StillCause } from "./types.js"
 */

export class CommandStream {
  /** @type {{action: number[], isDeadmanHeld: boolean, timeMs: number} | null} */
  #wish = null;
  #wishMs;
  /** @type {Set<StillCause>} */
  #still = new Set();
  #mustRelease = false;

  /** @param {number} wishMs a wish that nobody refreshes for this long becomes zero */
  constructor(wishMs) {
    this.#wishMs = wishMs;
  }

  /**
   * @param {number[]} action in [-1, 1]
   * @param {boolean} isDeadmanHeld
   * @param {number} nowMs
   */
  want(action, isDeadmanHeld, nowMs) {
    this.#wish = { action, isDeadmanHeld, timeMs: nowMs };
    if (!isDeadmanHeld) this.#mustRelease = false;
  }

  /** Want nothing; motion starts again only after the dead-man was let go. */
  rest() {
    this.#wish = null;
    this.#mustRelease = true;
  }

  /** @param {StillCause} cause */
  still(cause) {
    this.#still.add(cause);
    this.rest();
  }

  /** @param {StillCause} cause */
  alive(cause) {
    this.#still.delete(cause);
  }

  get stillCauses() {
    return [...this.#still];
  }

  /**
   * The wish as it may be sent now.
   * @param {number} nowMs
   * @param {number} speedCap in [0, 1]; 0 lets the dead-man go
   * @returns {{action: number[], isDeadmanHeld: boolean}}
   */
  next(nowMs, speedCap) {
    const wish = this.#wish;
    const isFresh = wish !== null && nowMs - wish.timeMs <= this.#wishMs;
    const mayMove = isFresh && wish.isDeadmanHeld && this.#still.size === 0 && !this.#mustRelease && speedCap > 0;
    if (!mayMove) return { action: new Array(wish?.action.length || 1).fill(0), isDeadmanHeld: false };
    // A cap, not a factor: fine motion stays as fine as it was.
    return { action: wish.action.map((value) => Math.max(-speedCap, Math.min(speedCap, value))), isDeadmanHeld: true };
  }
}
