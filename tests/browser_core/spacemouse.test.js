import assert from "node:assert/strict";
import { test } from "node:test";

import { SpaceMouse } from "../../console/static/js/core/spacemouse.js";
import { fixture } from "./fixtures.js";

for (const { name, product_id: productId, steps } of fixture("spacemouse_reports.json")) {
  test(`recorded reports: ${name}`, () => {
    const startMs = 5000;
    const mouse = new SpaceMouse({ productId, nowMs: startMs });
    for (const step of steps) {
      const now = startMs + step.at_ms;
      for (const [number, ...bytes] of step.reports) mouse.report(number, new DataView(Uint8Array.from(bytes).buffer), now);
      const state = mouse.read(now);
      state.axes.forEach((value, i) => assert.ok(Math.abs(value - step.axes[i]) < 1e-9, `${state.axes} is not ${step.axes}`));
      assert.deepEqual([...state.buttons].sort(), step.buttons);
    }
  });
}

test("a report of a view that starts inside a larger buffer is read from its own start", () => {
  const mouse = new SpaceMouse({ nowMs: 0 });
  const buffer = Uint8Array.from([9, 9, 94, 1, 0, 0, 0, 0]).buffer;
  mouse.report(1, new DataView(buffer, 2, 6), 0);
  assert.equal(mouse.read(0).axes[0], 1);
});
