import assert from "node:assert/strict";
import { test } from "node:test";

import { framesOf, inBaseFrame, translationOnly, yawOf } from "../../console/static/js/core/camera_frame.js";
import { Judgement } from "../../console/static/js/core/judgement.js";
import { Timeline } from "../../console/static/js/core/timeline.js";

const report = (mode, step_index = 0, fields = {}) => ({
  mode,
  step_index,
  episode_id: "e1",
  help: { request_id: "", reason: "" },
  ...fields,
});

test("a judgement waits five seconds, and longer while somebody says more or looks", () => {
  const sent = [];
  const judgement = new Judgement((label) => sent.push(label));
  judgement.say({ episodeId: "e1", outcome: "failure" }, 0);
  judgement.tick(4999);
  assert.equal(sent.length, 0);
  judgement.add({ reason: "dropped" }, 4999);
  judgement.add({ progress: 3 }, 5000);
  assert.equal(judgement.leftMs(6000), 4000);
  judgement.extend(9000);
  judgement.tick(13_999);
  assert.equal(sent.length, 0);
  judgement.tick(14_000);
  assert.deepEqual(sent, [{ episodeId: "e1", outcome: "failure", reason: "dropped", progress: 3 }]);
  assert.equal(judgement.leftMs(14_000), 0);
});

test("what is taken back is never sent; leaving sends at once; so does judging another episode", () => {
  const sent = [];
  const judgement = new Judgement((label) => sent.push(label.episodeId));
  judgement.say({ episodeId: "e1", outcome: "success" }, 0);
  judgement.undo();
  judgement.tick(60_000);
  judgement.flush();
  assert.deepEqual(sent, []);
  judgement.say({ episodeId: "e2", outcome: "success" }, 0);
  judgement.say({ episodeId: "e3", outcome: "failure" }, 100);
  assert.deepEqual(sent, ["e2"]);
  judgement.flush();
  assert.deepEqual(sent, ["e2", "e3"]);
});

test("a second thought about the same episode replaces the first", () => {
  const sent = [];
  const judgement = new Judgement((label) => sent.push(label));
  judgement.say({ episodeId: "e1", outcome: "failure" }, 0);
  judgement.add({ reason: "stuck", progress: 2 }, 0);
  judgement.say({ episodeId: "e1", outcome: "success" }, 0);
  judgement.flush();
  assert.deepEqual(sent, [{ episodeId: "e1", outcome: "success", reason: "", progress: 2 }]);
});

test("the timeline joins equal modes, leaves gaps, and forgets after a minute", () => {
  const timeline = new Timeline();
  timeline.report(report("autonomous"), 0);
  timeline.report(report("autonomous", 1), 500);
  timeline.report(report("correcting", 2), 900);
  assert.deepEqual(timeline.bands, [
    { mode: "autonomous", fromMs: 0, toMs: 500 },
    { mode: "correcting", fromMs: 500, toMs: 900 },
  ]);
  timeline.report(report("correcting", 3), 5000);
  assert.equal(timeline.bands.at(-1).fromMs, 5000, "nobody knows what it did meanwhile");
  timeline.report(report("paused", 4), 64_000);
  assert.deepEqual(timeline.bands.map((band) => band.mode), ["correcting", "paused"]);
  assert.match(timeline.summary(), /^Last minute: /);
});

test("the timeline knows requests, new episodes, and which step a moment was", () => {
  const timeline = new Timeline();
  assert.equal(timeline.stepAt(0), null);
  timeline.report(report("autonomous", 10), 1000);
  timeline.report(report("autonomous", 12, { help: { request_id: "h", reason: "no progress for 2.0 s" } }), 1200);
  timeline.report(report("autonomous", 13, { help: { request_id: "h" } }), 1300);
  timeline.report(report("autonomous", 0, { episode_id: "e2" }), 1400);
  assert.deepEqual(timeline.flags.map((flag) => flag.kind), ["help", "episode"]);
  assert.deepEqual(timeline.stepAt(1250), { timeMs: 1200, step: 12, episodeId: "e1" });
  assert.equal(timeline.stepAt(9999).episodeId, "e2");
});

test("a push to the right moves right in a picture that is turned, where the robot says how", () => {
  const orientation = { yawsRad: { scene: Math.PI / 2 }, isToolFixed: false };
  assert.equal(yawOf("wrist", orientation), null);
  const turned = inBaseFrame([1, 0, 0.5, 1, 0, 0.25], "camera", yawOf("scene", orientation));
  [0, 1, 0.5, 0, 1, 0.25].forEach((value, i) => assert.ok(Math.abs(turned[i] - value) < 1e-12));
  assert.deepEqual(inBaseFrame([1, 0, 0, 0, 0, 0], "base", 1), [1, 0, 0, 0, 0, 0]);
  assert.deepEqual(translationOnly([1, 2, 3, 4, 5, 6]), [1, 2, 3, 0, 0, 0]);
});

test("frames that a robot does not support say why", () => {
  const words = (...args) => framesOf(...args).map((row) => [row.frame, row.whyNot !== ""]);
  assert.deepEqual(words("scene", { yawsRad: {}, isToolFixed: false }), [["camera", true], ["tool", true], ["base", false]]);
  assert.deepEqual(words("scene", { yawsRad: { scene: 0 }, isToolFixed: true }), [["camera", false], ["tool", false], ["base", false]]);
  assert.deepEqual(words("toString", { yawsRad: { scene: 0 }, isToolFixed: false })[0], ["camera", true]);
});
