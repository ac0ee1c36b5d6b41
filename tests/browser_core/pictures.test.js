import assert from "node:assert/strict";
import { test } from "node:test";

import { frameHeader } from "../../console/static/js/core/frame_header.js";
import { PictureViews } from "../../console/static/js/core/picture_views.js";

const view = (fields = {}) => ({ viewId: "a", robotId: "r1", camera: 0, fps: 10, width: 320, ...fields });

function header({ version = 1, camera = 2, place = 3, watch = 7, sequence = 4_000_000_000, captureNs = 2n ** 40n } = {}) {
  const bytes = new DataView(new ArrayBuffer(20));
  [version, camera, place, watch].forEach((value, i) => bytes.setUint8(i, value));
  bytes.setUint32(4, sequence, true);
  bytes.setBigUint64(8, captureNs, true);
  return bytes.buffer;
}

test("the header is read as Python packs it", () => {
  assert.deepEqual(frameHeader(header()), { camera: 2, view: 3, watch: 7, sequence: 4_000_000_000, captureNs: 2 ** 40 });
  assert.equal(frameHeader(header({ version: 2 })), null);
  assert.equal(frameHeader(new ArrayBuffer(15)), null);
});

test("what to watch names every view; a hidden page wants nothing of them", () => {
  const views = new PictureViews();
  views.show(view(), 0);
  views.show(view({ viewId: "b", camera: 1 }), 0);
  assert.deepEqual(views.watchMessage(true).views[1], { robot_id: "r1", camera: 1, fps: 10, width: 320 });
  assert.deepEqual(views.watchMessage(false).views.map((row) => row.fps), [0, 0]);
});

test("a late picture of an older list, of another camera, or that was overtaken is not shown", () => {
  const views = new PictureViews();
  views.show(view(), 0);
  views.watchMessage(true);
  const picture = { camera: 0, view: 0, watch: 1, sequence: 5, captureNs: 500 };
  assert.equal(views.take(picture)?.view.viewId, "a");
  assert.equal(views.take({ ...picture, sequence: 4, captureNs: 400 }), null);
  assert.equal(views.take({ ...picture, sequence: 6, camera: 1 }), null);
  assert.equal(views.take({ ...picture, sequence: 6, view: 9 }), null);
  assert.ok(views.take({ ...picture, sequence: 0, captureNs: 900 }), "a robot that started anew counts from 0");
  views.show(view({ robotId: "r2" }), 10);
  views.watchMessage(true);
  assert.equal(views.take({ ...picture, sequence: 7, captureNs: 950 }), null);
  views.connected();
  views.watchMessage(true);
  assert.ok(views.take({ ...picture, sequence: 8, captureNs: 960 }));
});

test("a picture ages on the robot's clock, and after a second without another it is frozen", () => {
  const views = new PictureViews();
  views.show(view(), 0);
  views.watchMessage(true);
  assert.deepEqual([views.health(100)[0].ageMs, views.health(100)[0].isFrozen], [-1, false]);
  views.clocks([{ robotId: "r1", sentNs: 1_000_000_000, receivedMs: 1000 }]);
  const shown = views.take({ camera: 0, view: 0, watch: 1, sequence: 0, captureNs: 1_010_000_000 });
  views.drawn(shown, 1_010_000_000, 1050);
  const [fresh] = views.health(1050);
  assert.deepEqual([fresh.ageMs, fresh.drawnAgeMs, fresh.fps, fresh.isFrozen], [40, 40, 1, false]);
  const [old] = views.health(2011);
  assert.deepEqual([old.ageMs, old.isFrozen, old.numDrawn], [1001, true, 1]);
});

test("another camera in the same place starts as if nothing was drawn", () => {
  const views = new PictureViews();
  views.show(view(), 0);
  views.watchMessage(true);
  views.drawn(views.take({ camera: 0, view: 0, watch: 1, sequence: 0, captureNs: 1 }), 1, 10);
  views.show(view({ fps: 5 }), 20);
  assert.equal(views.health(20)[0].numDrawn, 1, "only slower");
  views.show(view({ camera: 1 }), 30);
  assert.equal(views.health(30)[0].numDrawn, 0);
  views.hide("a");
  assert.deepEqual(views.health(40), []);
});
