// Numbers to places: linear scales and round ticks for our own small charts.

/**
 * @typedef {object} Scale
 * @property {number} low  value at the start of the range
 * @property {number} high  value at the end of the range
 * @property {(value: number) => number} at  place of a value, in the range's units
 */

/**
 * @param {number} low
 * @param {number} high  where equal to `low` the scale is widened, so that nothing divides by zero
 * @param {number} start  place of `low`
 * @param {number} end  place of `high`
 * @returns {Scale}
 */
export function linear(low, high, start, end) {
  const span = high - low || 1;
  return { low, high, at: (value) => start + ((value - low) / span) * (end - start) };
}

/**
 * Round values between two ends: steps of 1, 2 or 5 times a power of ten.
 * @param {number} low
 * @param {number} high
 * @param {number} count  about how many
 * @returns {number[]}
 */
export function ticks(low, high, count) {
  const span = high - low;
  if (!(span > 0) || count < 1) return [low];
  // A few more than asked for are better than half as many.
  const rough = span / (count * 1.5);
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((step) => step * power >= rough * 0.999) ?? 10;
  const step = factor * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

const MINUTE_NS = 60e9;
/** Steps of a clock that people count in. */
const TIME_STEPS_NS = [1, 2, 5, 15, 30, 60, 120, 360, 720, 1440, 2880, 10_080, 43_200].map((minutes) => minutes * MINUTE_NS);

/**
 * Round moments of the reader's clock between two times.
 * @param {number} low  nanoseconds since the epoch
 * @param {number} high
 * @param {number} count  about how many
 * @returns {number[]}
 */
export function timeTicks(low, high, count) {
  const step = TIME_STEPS_NS.find((candidate) => candidate * count >= high - low) ?? TIME_STEPS_NS[TIME_STEPS_NS.length - 1];
  const offset = new Date(low / 1e6).getTimezoneOffset() * MINUTE_NS;
  const first = Math.ceil((low - offset) / step) * step + offset;
  return Array.from({ length: Math.max(0, Math.floor((high - first) / step) + 1) }, (_, index) => first + index * step);
}

/** Steps of a stopwatch. */
const SECOND_STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 43_200, 86_400];

/**
 * Round lengths of time from 0.
 * @param {number} high  seconds
 * @param {number} count  at most
 * @returns {number[]}
 */
export function durationTicks(high, count) {
  if (high < count) return ticks(0, high, Math.max(1, count - 2));
  const step = SECOND_STEPS.find((seconds) => high / seconds <= count) ?? high / count;
  return Array.from({ length: Math.floor(high / step + 1e-9) + 1 }, (_, index) => index * step);
}

/**
 * Smallest and largest of the finite numbers; the fallback where there is none.
 * @param {Iterable<number | null | undefined>} values
 * @param {[number, number]} fallback
 * @returns {[number, number]}
 */
export function extent(values, fallback) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : fallback;
}
