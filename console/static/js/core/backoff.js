/**
 * When to dial again: 0.5 s, then twice as long each time up to 8 s, spread by a fifth so that a whole shift
 * does not come back in the same instant.
 */

const FIRST_MS = 500;
const LAST_MS = 8000;

export class Backoff {
  #numFailures = 0;
  #later;
  #random;

  /**
   * @param {(run: () => void, ms: number) => void} later
   * @param {() => number} random in [0, 1)
   */
  constructor(later = (run, ms) => void setTimeout(run, ms), random = Math.random) {
    this.#later = later;
    this.#random = random;
  }

  /** How long to wait after one more failure. */
  nextMs() {
    const ms = Math.min(LAST_MS, FIRST_MS * 2 ** this.#numFailures);
    this.#numFailures += 1;
    return Math.round(ms * (0.8 + 0.4 * this.#random()));
  }

  /** It worked: the next failure is a first one. */
  reset() {
    this.#numFailures = 0;
  }

  /**
   * @param {number} ms
   * @param {() => void} run
   */
  later(ms, run) {
    this.#later(run, ms);
  }
}
