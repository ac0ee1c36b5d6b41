/**
 * Fewer points, every spike kept: the lowest and the highest of each bucket, in the order they came.
 */

/**
 * @param {readonly number[]} x rising
 * @param {readonly (number | null)[]} y null where there is a gap
 * @param {number} numBuckets
 * @returns {{x: number[], y: (number | null)[]}} at most two points a bucket; the same lists where they are short
 */
export function minMaxBuckets(x, y, numBuckets) {
  if (x.length <= 2 * numBuckets) return { x: [...x], y: [...y] };
  /** @type {{x: number[], y: (number | null)[]}} */
  const out = { x: [], y: [] };
  for (let bucket = 0; bucket < numBuckets; bucket++) {
    const first = Math.floor((bucket * x.length) / numBuckets);
    const end = Math.floor(((bucket + 1) * x.length) / numBuckets);
    const kept = extremes(y, first, end);
    for (const i of kept.length ? kept : [first]) {
      out.x.push(/** @type {number} */ (x[i]));
      out.y.push(kept.length ? /** @type {number} */ (y[i]) : null);
    }
  }
  return out;
}

/**
 * Places of the lowest and the highest value, in order; none if all are gaps.
 * @param {readonly (number | null)[]} y
 * @param {number} first
 * @param {number} end
 */
function extremes(y, first, end) {
  let low = -1;
  let high = -1;
  for (let i = first; i < end; i++) {
    const value = y[i];
    if (value === null || value === undefined || Number.isNaN(value)) continue;
    if (low < 0 || value < /** @type {number} */ (y[low])) low = i;
    if (high < 0 || value > /** @type {number} */ (y[high])) high = i;
  }
  if (low < 0) return [];
  return low === high ? [low] : [Math.min(low, high), Math.max(low, high)];
}
