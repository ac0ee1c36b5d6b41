/**
 * What robots and critics keep saying: the newest of each, told in batches, and each robot's clock.
 *
 * @import { LiveValue, RobotClock as ClockNews, RobotState } from "./types.js"
 */

import { RobotClock } from "./clock.js";

export class News {
  /** @type {Map<string, RobotClock>} */
  #clocks = new Map();
  /** @type {Map<string, RobotState>} */
  #states = new Map();
  /** @type {Map<string, LiveValue>} */
  #values = new Map();

  /**
   * @param {RobotState} state
   * @param {number} now
   */
  report(state, now) {
    this.#states.set(state.robot_id, state);
    this.clockOf(state.robot_id).heard(state.sent_ns, now);
  }

  /** @param {LiveValue} value */
  value(value) {
    this.#values.set(value.robot_id, value);
  }

  /** @param {string} robotId */
  clockOf(robotId) {
    const clock = this.#clocks.get(robotId) ?? new RobotClock();
    this.#clocks.set(robotId, clock);
    return clock;
  }

  /**
   * What is new since the last time; null if nothing is.
   * @returns {{states: RobotState[], values: LiveValue[], clocks: ClockNews[]} | null}
   */
  batch() {
    if (this.#states.size === 0 && this.#values.size === 0) return null;
    const states = [...this.#states.values()];
    const clocks = states.map(({ robot_id: robotId }) => {
      const { sentNs, receivedMs } = this.clockOf(robotId);
      return { robotId, sentNs, receivedMs };
    });
    const values = [...this.#values.values()];
    this.#states.clear();
    this.#values.clear();
    return { states, values, clocks };
  }
}
