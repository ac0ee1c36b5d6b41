import assert from "node:assert/strict";
import { test } from "node:test";

import { ANSWER_WITHIN_MS, messageOf, resultOf } from "../../console/static/js/core/bulk.js";
import { gripperOf, withGripper } from "../../console/static/js/core/gripper.js";
import { isAtLeast, logLine, withMore } from "../../console/static/js/core/log_lines.js";

const line = (fields) => JSON.stringify({ time: "2026-11-21T17:41:02.125Z", level: "info", service: "actor-0", logger: "actor", message: "started", ...fields });

test("a log line is read as words, with what stands beside them", () => {
  const read = logLine(line({ level: "error", message: "swap failed", version: 3, cause: "hash", exception: "Traceback" }), 7);
  assert.deepEqual(read, { number: 7, time: "17:41:02.125", level: "error", logger: "actor", words: "swap failed", more: "version=3  cause=hash", exception: "Traceback" });
});

test("a line that is no JSON object stands as it is", () => {
  for (const text of ["not json", '"text"', "null", '{"cut": "off']) assert.equal(logLine(text, 0).words, text);
});

test("levels are in order, and an unknown one is never hidden", () => {
  const of = (level) => logLine(line({ level }), 0);
  assert.deepEqual(["debug", "info", "warning", "error", "critical", "odd"].map((level) => isAtLeast(of(level), "warning")), [false, false, true, true, true, true]);
});

test("new lines follow the known ones, and a process that started again replaces them", () => {
  const first = withMore([], { first_line: 0, lines: [line({}), line({})] });
  assert.equal(withMore(first, { first_line: 2, lines: [] }), first);
  const more = withMore(first, { first_line: 2, lines: [line({ message: "third" })] });
  assert.deepEqual(more.map((one) => one.number), [0, 1, 2]);
  assert.deepEqual(withMore(more, { first_line: 0, lines: [line({ message: "anew" })] }).map((one) => one.words), ["anew"]);
});

test("many robots are asked as one is", () => {
  assert.deepEqual(messageOf("stop", "r1", "why"), { type: "stop", robot_id: "r1", reason: "why" });
  assert.deepEqual(messageOf("clear_stop", "r1", "why"), { type: "clear_stop", robot_id: "r1", confirm: "r1", reason: "why" });
  assert.deepEqual(messageOf("instruct", "r1", "go left"), { type: "instruct", robot_id: "r1", instruction: "go left" });
});

test("what became of it is what the robot reports, not what was wished", () => {
  const robot = (mode, instruction = "") => ({ mode, instruction });
  const state = (...args) => resultOf(...args).state;
  assert.equal(state("stop", "", robot("autonomous"), "", 100), "waiting");
  assert.equal(state("stop", "", robot("stopped"), "", 100), "done");
  assert.equal(state("clear_stop", "", robot("stopped"), "", ANSWER_WITHIN_MS), "silent");
  assert.equal(state("clear_stop", "", robot("paused"), "", 100), "done");
  assert.equal(state("instruct", "go left", robot("autonomous", "go right"), "", 100), "waiting");
  assert.equal(state("instruct", "go left", robot("autonomous", "go left"), "", 100), "done");
  assert.equal(state("stop", "", undefined, "", ANSWER_WITHIN_MS), "silent");
  assert.deepEqual(resultOf("clear_stop", "", robot("stopped"), "needs the role engineer", 100), { state: "refused", words: "refused: needs the role engineer" });
});

test("the gripper's channel follows its key and no axis", () => {
  const channel = (name) => ({ name, unit: "1", low: -1, high: 1 });
  const arm = [channel("move_x"), channel("gripper"), channel("turn")];
  assert.equal(gripperOf(arm), 1);
  assert.deepEqual(withGripper([0.5, 0.7, 0.2], arm, 0), [0.5, 0, 0.2]);
  assert.deepEqual(withGripper([0.5, 0.7, 0.2], arm, -1), [0.5, -1, 0.2]);
  assert.equal(gripperOf([channel("move_x")]), -1);
  assert.deepEqual(withGripper([0.5], [channel("move_x")], 1), [0.5]);
});
