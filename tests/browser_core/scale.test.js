import assert from "node:assert/strict";
import { test } from "node:test";

import { durationTicks, extent, linear, ticks, timeTicks } from "../../console/static/js/app/widgets/scale.js";

test("a scale maps its ends to the ends of the range", () => {
  const scale = linear(-1, 1, 100, 0);
  assert.deepEqual([scale.at(-1), scale.at(0), scale.at(1)], [100, 50, 0]);
});

test("a scale of one value does not divide by zero", () => {
  assert.ok(Number.isFinite(linear(3, 3, 0, 10).at(3)));
});

test("ticks are round, inside, and about as many as asked for", () => {
  assert.deepEqual(ticks(0, 1, 4), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks(-0.92, -0.02, 4), [-0.8, -0.6, -0.4, -0.2]);
  assert.deepEqual(ticks(0, 1200, 4), [0, 200, 400, 600, 800, 1000, 1200]);
  assert.deepEqual(ticks(5, 5, 4), [5]);
});

test("lengths of time are marked as a stopwatch would", () => {
  assert.deepEqual(durationTicks(400, 4), [0, 120, 240, 360]);
  assert.deepEqual(durationTicks(2, 4), [0, 1, 2]);
});

test("extent leaves out what is not a number", () => {
  assert.deepEqual(extent([null, 2, Number.NaN, -1, undefined], [0, 1]), [-1, 2]);
  assert.deepEqual(extent([null], [0, 1]), [0, 1]);
});

test("time ticks lie on round times between the ends", () => {
  const hour = 3600e9;
  const low = 1_700_000_000e9;
  const found = timeTicks(low, low + 24 * hour, 4);
  assert.ok(found.length >= 3 && found.length <= 5);
  assert.ok(found.every((tick) => tick >= low && tick <= low + 24 * hour));
  assert.ok(found.every((tick) => (tick - found[0]) % (6 * hour) === 0));
});
