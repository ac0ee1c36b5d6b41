import assert from "node:assert/strict";
import { test } from "node:test";

import { clipped } from "../../console/static/js/core/device.js";
import { actionOf, firstSpeedLevel, mappingProblem, shape } from "../../console/static/js/core/mapping.js";
import { fixture } from "./fixtures.js";

const TABLE = fixture("mapping_cases.json");
const MAPPING = TABLE.mappings[0];

test("every row of the table that the Python mapping shares", () => {
  for (const { mapping, axes, speed_level: speedLevel, num_action: numAction, action } of TABLE.cases) {
    const got = actionOf(axes, TABLE.mappings[mapping], { speedLevel, numAction });
    assert.equal(got.length, numAction);
    got.forEach((value, i) => assert.ok(Math.abs(value - action[i]) < 1e-11, `${got} is not ${action}`));
  }
});

test("nothing moves inside the dead-zone, and the curve is odd, rising and full at the end", () => {
  for (const value of [0, 0.049, 0.05, -0.05]) assert.equal(shape(value, MAPPING), 0);
  const values = Array.from({ length: 101 }, (_, i) => shape(i / 100, MAPPING));
  assert.deepEqual(values, [...values].sort((a, b) => a - b));
  assert.equal(values.at(-1), 1);
  values.forEach((value, i) => assert.equal(shape(-i / 100, MAPPING) + value, 0));
});

test("a rest is a plain 0 on the wire", () => {
  const action = actionOf([0, 0, 0, 0, 0, 0], { ...MAPPING, axes: ["-x", "y"] }, { speedLevel: 0, numAction: 3 });
  assert.ok(action.every((value) => Object.is(value, 0)));
  assert.ok(Object.is(clipped(-0), 0));
});

test("a person starts at the middle speed, and settings that make no sense are said in words", () => {
  assert.equal(firstSpeedLevel(MAPPING), 1);
  assert.equal(mappingProblem(MAPPING), "");
  for (const wrong of [{ dead_zone: 1 }, { curve: 0 }, { speeds: [] }, { speeds: [2] }, { axes: ["w"] }]) {
    assert.notEqual(mappingProblem({ ...MAPPING, ...wrong }), "");
  }
});

test("what is not a number is rest", () => {
  assert.deepEqual([NaN, Infinity, 2, -2, 0.5].map(clipped), [0, 0, 1, -1, 0.5]);
});
