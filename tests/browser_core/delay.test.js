import assert from "node:assert/strict";
import { test } from "node:test";

import { chipText, DelayMeter, tierOf } from "../../console/static/js/core/delay.js";
import { LinkDelay } from "../../console/static/js/core/link_delay.js";

test("the tiers and their caps", () => {
  const rows = [-1, 0, 149, 150, 299, 300, 499, 500, 9999].map((ms) => [tierOf(ms).tier, tierOf(ms).speedCap]);
  assert.deepEqual(rows, [
    ["unknown", 0.5],
    ["calm", 1],
    ["calm", 1],
    ["slow", 0.5],
    ["slow", 0.5],
    ["very_slow", 0.2],
    ["very_slow", 0.2],
    ["too_slow", 0],
    ["too_slow", 0],
  ]);
});

test("the chip says the number, the word and what it costs", () => {
  assert.equal(chipText("calm", 41.6), "42 ms");
  assert.equal(chipText("slow", 210), "210 ms, slow link, speed at most 50 %");
  assert.equal(chipText("too_slow", 900), "900 ms, too slow to drive");
  assert.equal(chipText("unknown", -1), "measuring");
});

test("worse counts at once, better after two seconds of it", () => {
  const meter = new DelayMeter();
  assert.equal(meter.read(0).tier, "unknown");
  meter.add(40, 0);
  assert.equal(meter.read(0).tier, "calm");
  for (const ms of [100, 200, 300]) meter.add(400, ms);
  assert.deepEqual(meter.read(300), { delayMs: 400, tier: "very_slow", speedCap: 0.2 });
  for (let ms = 1900; ms <= 3800; ms += 100) {
    meter.add(40, ms);
    assert.equal(meter.read(ms).tier, "very_slow");
  }
  meter.add(40, 4000);
  assert.equal(meter.read(4000).tier, "calm");
});

test("when nothing is measured any more the tier is unknown, not calm", () => {
  const meter = new DelayMeter();
  meter.add(40, 0);
  meter.read(0);
  assert.deepEqual(meter.read(1501), { delayMs: -1, tier: "unknown", speedCap: 0.5 });
});

test("command and picture add up; round trips count only while no command is applied", () => {
  const delay = new LinkDelay();
  const id = delay.ping(0);
  assert.equal(delay.ping(500), 0);
  delay.pong(id, "a", 30);
  assert.equal(delay.roundTripMs, 30);
  assert.equal(delay.read("a", 30).delayMs, 30);
  delay.reset();
  delay.picture({ robotId: "a", ageMs: 100 }, 1000);
  delay.applied(80, "a", 1000);
  delay.pong(delay.ping(1001), "a", 1010);
  assert.equal(delay.read("a", 1010).delayMs, 180);
  delay.reset();
  delay.applied(80, "b", 1020);
  assert.equal(delay.read("b", 1020).delayMs, 80);
});

test("a frozen picture is too slow to drive at once, whatever was measured before", () => {
  const delay = new LinkDelay();
  for (let ms = 0; ms < 1000; ms += 50) delay.applied(10, "a", ms);
  delay.picture({ robotId: "a", ageMs: 1100 }, 1000);
  assert.deepEqual(delay.read("a", 1000), { delayMs: 1100, tier: "too_slow", speedCap: 0 });
  assert.equal(delay.read("b", 1000).tier, "calm", "another robot's");
  delay.picture({ robotId: "a", ageMs: 40 }, 1250);
  assert.equal(delay.read("a", 1250).tier, "calm");
});
