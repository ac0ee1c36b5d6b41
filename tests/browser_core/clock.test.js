import assert from "node:assert/strict";
import { test } from "node:test";

import { RobotClock } from "../../console/static/js/core/clock.js";

test("the robot's clock runs on from its last report, whatever ours says", () => {
  const clock = new RobotClock();
  assert.equal(clock.isKnown, false);
  clock.heard(7_000_000_000, 1_790_000_000_000);
  assert.equal(clock.nowNs(1_790_000_000_012.5), 7_012_500_000);
  assert.equal(clock.ageMs(6_900_000_000, 1_790_000_000_012.5), 112.5);
  assert.equal(clock.silentMs(1_790_000_000_250), 250);
});

test("it never runs backwards, and an age is never below 0", () => {
  const clock = new RobotClock();
  clock.heard(1000, 500);
  assert.equal(clock.nowNs(400), 1000);
  assert.equal(clock.ageMs(9e9, 500), 0);
});

test("beyond 2^53 a number of nanoseconds is off by a microsecond at most, and is written as an integer", () => {
  for (const exact of [2n ** 53n + 1n, 2n ** 60n + 12_345n, 2n ** 63n - 1_025n]) {
    const clock = new RobotClock();
    clock.heard(JSON.parse(String(exact)), 0);
    const sent = JSON.stringify(clock.nowNs(20));
    assert.match(sent, /^\d+$/);
    const error = BigInt(sent) - (exact + 20_000_000n);
    assert.ok(error < 1_100n && error > -1_100n, `${error}`);
  }
});
