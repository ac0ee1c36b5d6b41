import assert from "node:assert/strict";
import { test } from "node:test";

import { PictureRing } from "../../console/static/js/core/picture_ring.js";

const picture = (receivedMs) => ({ receivedMs, jpeg: new ArrayBuffer(1) });

test("a ring keeps the newest seconds, oldest first, with their time before the newest", () => {
  const ring = new PictureRing();
  for (const timeMs of [0, 4000, 9000, 12_000]) ring.add("a", 10_000, picture(timeMs));
  assert.deepEqual(
    ring.clip("a").map(({ beforeMs }) => beforeMs),
    [8000, 3000, 0],
  );
});

test("views have rings of their own, and a view that goes takes its pictures along", () => {
  const ring = new PictureRing();
  ring.add("a", 10_000, picture(1));
  assert.deepEqual(ring.clip("b"), []);
  ring.forget("a");
  assert.deepEqual(ring.clip("a"), []);
});
