/**
 * From the parts of a delay to the tier that counts: commands applied, pictures drawn, round trips.
 *
 * @import { Tier } from "./delay.js"
 */

import { DelayMeter } from "./delay.js";

const PING_MS = 1000;
const PICTURE_LASTS_MS = 2000;
const FROZEN_MS = 1000;

export class LinkDelay {
  roundTripMs = -1;
  #meter = new DelayMeter();
  #picture = { robotId: "", ageMs: -1, timeMs: 0 };
  #ping = { id: 0, sentMs: -Infinity };
  #appliedMs = -Infinity;

  /** A new connection, or none: nothing measured so far holds. */
  disconnected() {
    this.roundTripMs = -1;
    this.#ping.sentMs = -Infinity;
  }

  /** Another robot. */
  reset() {
    this.#meter.reset();
    this.#appliedMs = -Infinity;
  }

  /**
   * The number of the ping to send now; 0 if none is due.
   * @param {number} now
   */
  ping(now) {
    if (now - this.#ping.sentMs < PING_MS) return 0;
    this.#ping = { id: this.#ping.id + 1, sentMs: now };
    return this.#ping.id;
  }

  /**
   * @param {number} id
   * @param {string} robotId held, may be empty
   * @param {number} now
   */
  pong(id, robotId, now) {
    if (id !== this.#ping.id) return;
    this.roundTripMs = now - this.#ping.sentMs;
    // While no command is applied the way to the gateway and back is the best that is known.
    if (now - this.#appliedMs > PING_MS) this.#meter.add(this.roundTripMs + this.#pictureMs(robotId, now), now);
  }

  /**
   * The robot applied a command of this age.
   * @param {number} delayMs
   * @param {string} robotId
   * @param {number} now
   */
  applied(delayMs, robotId, now) {
    this.#appliedMs = now;
    this.#meter.add(delayMs + this.#pictureMs(robotId, now), now);
  }

  /**
   * Age of the big picture.
   * @param {{robotId: string, ageMs: number}} picture
   * @param {number} now
   */
  picture({ robotId, ageMs }, now) {
    this.#picture = { robotId, ageMs, timeMs: now };
  }

  /**
   * @param {string} robotId held, may be empty
   * @param {number} now
   * @returns {{delayMs: number, tier: Tier, speedCap: number}}
   */
  read(robotId, now) {
    const measured = this.#meter.read(now);
    const pictureMs = this.#pictureMs(robotId, now);
    // A frozen picture shows no command at all: it does not wait for an average.
    return pictureMs > FROZEN_MS ? { delayMs: pictureMs, tier: "too_slow", speedCap: 0 } : measured;
  }

  /**
   * @param {string} wanted
   * @param {number} now
   */
  #pictureMs(wanted, now) {
    const { robotId, ageMs, timeMs } = this.#picture;
    return robotId === wanted && now - timeMs <= PICTURE_LASTS_MS ? Math.max(0, ageMs) : 0;
  }
}
