/**
 * A robot's own clock, extrapolated from its last report, as corrections/wish.py does it: clocks of two
 * hosts are never compared, and any skew between them does no harm.
 *
 * Nanoseconds are plain numbers. They are exact up to 2^53 ns (104 days since the robot started); beyond,
 * and up to the wire's limit of 2^63, a number is off by at most 512 ns, five orders of magnitude below the
 * 100 ms that the robot allows a command. BigInt would buy nothing and cannot be written as JSON.
 */

const NS_PER_MS = 1e6;

export class RobotClock {
  sentNs = 0;
  receivedMs = -Infinity;

  /**
   * A report came.
   * @param {number} sentNs the robot's clock when it left
   * @param {number} receivedMs our clock when it came
   */
  heard(sentNs, receivedMs) {
    this.sentNs = sentNs;
    this.receivedMs = receivedMs;
  }

  /** Whether any report came. */
  get isKnown() {
    return this.receivedMs > -Infinity;
  }

  /**
   * How long the robot has been silent.
   * @param {number} nowMs
   */
  silentMs(nowMs) {
    return nowMs - this.receivedMs;
  }

  /**
   * The robot's clock now, behind by one way of the link; an integer, as the wire wants it.
   * @param {number} nowMs
   */
  nowNs(nowMs) {
    return Math.round(this.sentNs + Math.max(0, nowMs - this.receivedMs) * NS_PER_MS);
  }

  /**
   * How long ago something on the robot happened; low by one way of the link, never below 0.
   * @param {number} thenNs the robot's clock
   * @param {number} nowMs
   */
  ageMs(thenNs, nowMs) {
    return Math.max(0, (this.nowNs(nowMs) - thenNs) / NS_PER_MS);
  }
}

/** Milliseconds since the epoch, by a clock that never jumps and that page and workers share. */
export function nowMs() {
  return performance.timeOrigin + performance.now();
}
