// Times of the lake (nanoseconds since the epoch) in the reader's own clock.

import { duration } from "../../core/format.js";

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const EXACT = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY_MS = 86_400_000;

/**
 * "14:05", with the day where it is not today.
 * @param {number} ns  0 where it never was
 * @returns {string}
 */
export function clock(ns) {
  if (!ns) return "–";
  const date = new Date(ns / 1e6);
  return Math.abs(Date.now() - date.getTime()) < DAY_MS / 2 ? CLOCK.format(date) : DAY.format(date);
}

/**
 * "14:05:09".
 * @param {number} ns
 * @returns {string}
 */
export function exactClock(ns) {
  return ns ? EXACT.format(new Date(ns / 1e6)) : "–";
}

/**
 * "3 min 05 s ago".
 * @param {number} ns  0 where it never was
 * @param {number} nowNs  the server's clock
 * @returns {string}
 */
export function ago(ns, nowNs) {
  return ns ? `${duration(Math.max(0, (nowNs - ns) / 1e9))} ago` : "never";
}
