/**
 * The last minute of one robot: who moved it, what the critic thought, and what people pointed out.
 *
 * @import { ControlMode, RobotState } from "./types.js"
 * @typedef {{mode: ControlMode, fromMs: number, toMs: number}} Band
 * @typedef {{timeMs: number, kind: "mark" | "recovered" | "help" | "outcome" | "episode", words: string}} Flag
 */

export const SPAN_MS = 60_000;
/** A silence longer than this is a gap in the bands: nobody knows what the robot did. */
const GAP_MS = 1000;

export class Timeline {
  /** @type {Band[]} */
  bands = [];
  /** @type {{timeMs: number, value: number}[]} */
  values = [];
  /** @type {Flag[]} */
  flags = [];
  /** @type {{timeMs: number, step: number, episodeId: string}[]} */
  #steps = [];
  #episodeId = "";
  #helpId = "";

  /**
   * A report came.
   * @param {RobotState} state
   * @param {number} nowMs
   */
  report(state, nowMs) {
    const last = this.bands.at(-1);
    if (last && last.mode === state.mode && nowMs - last.toMs <= GAP_MS) last.toMs = nowMs;
    else this.bands.push({ mode: state.mode, fromMs: last && nowMs - last.toMs <= GAP_MS ? last.toMs : nowMs, toMs: nowMs });
    if (state.episode_id !== this.#episodeId) {
      if (this.#episodeId) this.flag("episode", "new episode", nowMs);
      this.#episodeId = state.episode_id;
    }
    if (state.help.request_id && state.help.request_id !== this.#helpId) this.flag("help", state.help.reason, nowMs);
    this.#helpId = state.help.request_id;
    this.#steps.push({ timeMs: nowMs, step: state.step_index, episodeId: state.episode_id });
    this.#forget(nowMs);
  }

  /**
   * @param {number} value
   * @param {number} nowMs
   */
  value(value, nowMs) {
    this.values.push({ timeMs: nowMs, value });
  }

  /**
   * @param {Flag["kind"]} kind
   * @param {string} words
   * @param {number} timeMs
   */
  flag(kind, words, timeMs) {
    this.flags.push({ timeMs, kind, words });
  }

  /**
   * Which step of which episode a moment was; null before the first report.
   * @param {number} timeMs
   */
  stepAt(timeMs) {
    return this.#steps.findLast((row) => row.timeMs <= timeMs) ?? this.#steps[0] ?? null;
  }

  /** In words, for those who do not see the drawing. */
  summary() {
    const shares = new Map();
    for (const band of this.bands) shares.set(band.mode, (shares.get(band.mode) ?? 0) + band.toMs - band.fromMs);
    const words = [...shares].map(([mode, ms]) => `${mode} ${Math.round(ms / 1000)} s`);
    const value = this.values.at(-1);
    return `Last minute: ${words.join(", ") || "nothing yet"}${value ? `; value ${value.value.toFixed(2)}` : ""}.`;
  }

  /** @param {number} nowMs */
  #forget(nowMs) {
    const oldest = nowMs - SPAN_MS;
    while (this.bands[0] && this.bands[0].toMs < oldest) this.bands.shift();
    while (this.values[0] && this.values[0].timeMs < oldest) this.values.shift();
    while (this.flags[0] && this.flags[0].timeMs < oldest) this.flags.shift();
    while (this.#steps[0] && this.#steps[0].timeMs < oldest) this.#steps.shift();
  }
}
