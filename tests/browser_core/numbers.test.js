import assert from "node:assert/strict";
import { test } from "node:test";

import { minMaxBuckets } from "../../console/static/js/core/downsample.js";
import { bytes, count, countdown, counted, duration, milliseconds, percent, percentWithInterval } from "../../console/static/js/core/format.js";

test("a spike survives any zoom", () => {
  const x = Array.from({ length: 100_000 }, (_, i) => i);
  const y = x.map((i) => (i === 77_777 ? 50 : i === 12_345 ? -50 : Math.sin(i)));
  const out = minMaxBuckets(x, y, 400);
  assert.ok(out.x.length <= 800);
  assert.equal(Math.max(...out.y), 50);
  assert.equal(Math.min(...out.y), -50);
  assert.deepEqual(out.x, [...out.x].sort((a, b) => a - b));
});

test("short series come as they are, and gaps stay gaps", () => {
  assert.deepEqual(minMaxBuckets([1, 2], [3, null], 10), { x: [1, 2], y: [3, null] });
  const x = Array.from({ length: 100 }, (_, i) => i);
  const y = x.map((i) => (i >= 50 ? null : 1));
  const out = minMaxBuckets(x, y, 10);
  assert.deepEqual(out.y, [1, 1, 1, 1, 1, null, null, null, null, null]);
});

test("durations", () => {
  const words = [0, 0.42, 9.96, 42, 185, 7800, 4 * 86_400, NaN].map(duration);
  assert.deepEqual(words, ["0.0 s", "0.4 s", "10 s", "42 s", "3 min 05 s", "2 h 10 min", "4 days", "–"]);
  assert.deepEqual([7, 0.2, 750, -3].map(countdown), ["0:07", "0:01", "12:30", "0:00"]);
  assert.deepEqual([12.4, 999.6, 1400, -1].map(milliseconds), ["12 ms", "1000 ms", "1.4 s", "–"]);
});

test("counts and shares; a share never comes without its interval", () => {
  assert.deepEqual([7, 12_345, 1_000_000].map(count), ["7", "12\u202f345", "1\u202f000\u202f000"]);
  assert.deepEqual([counted(1, "episode"), counted(2, "episode"), counted(0, "person", "people")], ["1 episode", "2 episodes", "0 people"]);
  assert.equal(percent(0.624), "62\u202f%");
  assert.equal(percent(null), "–");
  assert.equal(percentWithInterval({ estimate: 0.624, low: 0.48, high: 0.74, n: 50 }), "62\u202f% [48, 74], n 50");
  assert.equal(percentWithInterval({ estimate: null, low: null, high: null, n: 0 }), "no data yet");
  assert.deepEqual([12, 1536, 200 * 1024, 5e9].map(bytes), ["12 B", "1.5 KiB", "200 KiB", "4.7 GiB"]);
});
