/**
 * A person's judgement of an episode before it is sent: five seconds to take it back.
 *
 * It is held back rather than sent and overruled, because a label stays in the history and would hide the
 * robot's own judgement for good. Leaving the page, or judging another episode, sends it at once: nothing is lost.
 *
 * @import { Outcome } from "./types.js"
 * @typedef {{episodeId: string, outcome: Outcome, reason: string, progress: number}} Label
 */

export const UNDO_MS = 5000;
export const FAILURE_REASONS = Object.freeze(["missed grasp", "dropped", "collision", "wrong object", "stuck", "other"]);

export class Judgement {
  /** @type {Label | null} */
  waiting = null;
  #dueMs = 0;
  #send;

  /**
   * @param {(label: Label) => void} send
   */
  constructor(send) {
    this.#send = send;
  }

  /**
   * Judge, or judge again: the five seconds start anew.
   * @param {{episodeId: string, outcome: Outcome}} label
   * @param {number} nowMs
   */
  say({ episodeId, outcome }, nowMs) {
    if (this.waiting && this.waiting.episodeId !== episodeId) this.flush();
    this.waiting = { episodeId, outcome, reason: "", progress: this.waiting?.progress ?? 0 };
    this.#dueMs = nowMs + UNDO_MS;
  }

  /**
   * Why, or how far it got; gives five more seconds.
   * @param {{reason?: string, progress?: number}} more
   * @param {number} nowMs
   */
  add(more, nowMs) {
    if (!this.waiting) return;
    this.waiting = { ...this.waiting, ...more };
    this.#dueMs = nowMs + UNDO_MS;
  }

  /** Take it back. */
  undo() {
    this.waiting = null;
  }

  /**
   * Keep it open, for as long as somebody looks at it.
   * @param {number} nowMs
   */
  extend(nowMs) {
    this.#dueMs = nowMs + UNDO_MS;
  }

  /**
   * How long it can still be taken back.
   * @param {number} nowMs
   */
  leftMs(nowMs) {
    return this.waiting ? Math.max(0, this.#dueMs - nowMs) : 0;
  }

  /**
   * Send what is due.
   * @param {number} nowMs
   */
  tick(nowMs) {
    if (this.waiting && nowMs >= this.#dueMs) this.flush();
  }

  /** Send it now. */
  flush() {
    if (!this.waiting) return;
    const label = this.waiting;
    this.waiting = null;
    this.#send(label);
  }
}
