import assert from "node:assert/strict";
import { test } from "node:test";

import { atRest, pressed, together } from "../../console/static/js/core/device.js";
import { readGamepad } from "../../console/static/js/core/gamepad.js";
import { Keyboard } from "../../console/static/js/core/keyboard.js";
import { actionFor, ACTIONS, conflicts, defaultKeymap, keyHint, keymapWith, keyName } from "../../console/static/js/core/keymap.js";

const key = (code, repeat = false) => ({ code, repeat });
const pad = (mapping, axes, down = []) => ({
  mapping,
  axes,
  buttons: Array.from({ length: 16 }, (_, i) => ({ pressed: down.includes(i) })),
});

test("a key is held until it is let go, and repeats are nothing new", () => {
  const keyboard = new Keyboard(defaultKeymap(), 0);
  assert.equal(keyboard.down(key("KeyJ"), 0), "deadman");
  assert.equal(keyboard.down(key("KeyD"), 0), "x+");
  assert.equal(keyboard.down(key("KeyD", true), 500), "");
  const state = keyboard.read(60_000);
  assert.deepEqual(state.axes, [1, 0, 0, 0, 0, 0]);
  assert.ok(state.buttons.has("deadman"));
  keyboard.up(key("KeyD"), 60_000);
  assert.deepEqual(keyboard.read(60_000).axes, atRest().axes);
});

test("opposite keys rest, and losing the focus lets go of everything", () => {
  const keyboard = new Keyboard(defaultKeymap(), 0);
  for (const code of ["KeyA", "KeyD", "KeyW", "KeyJ"]) keyboard.down(key(code), 0);
  assert.deepEqual(keyboard.read(0).axes, [0, 1, 0, 0, 0, 0]);
  keyboard.clear();
  assert.deepEqual(keyboard.read(0).axes, atRest().axes);
  assert.equal(keyboard.read(0).buttons.size, 0);
});

test("keys without a meaning are left to the page", () => {
  const keyboard = new Keyboard(defaultKeymap(), 0);
  assert.equal(keyboard.down(key("Tab"), 0), "");
  assert.equal(keyboard.knows("Tab"), false);
  assert.equal(keyboard.knows("Space"), true);
});

test("the default keys do not collide, and every action has one", () => {
  assert.deepEqual(conflicts(defaultKeymap()), []);
  assert.ok(ACTIONS.every(({ action }) => keyHint(defaultKeymap(), action)));
  assert.equal(actionFor(defaultKeymap(), "Space"), "stop");
  assert.deepEqual(["KeyW", "Digit1", "Escape", "ArrowLeft"].map(keyName), ["W", "1", "Esc", "←"]);
});

test("a person's keys count, collisions are found, and stop wins a collision", () => {
  const keymap = keymapWith({ mark: ["KeyX"], take: ["Space"] });
  assert.equal(actionFor(keymap, "KeyX"), "mark");
  assert.equal(actionFor(keymap, "KeyM"), "");
  assert.deepEqual(conflicts(keymap), [{ code: "Space", actions: ["stop", "take"] }]);
  assert.equal(actionFor(keymap, "Space"), "stop");
});

test("choices that would lock a person in, or are no choices, are left out", () => {
  for (const wrong of [{ leave: ["KeyL"] }, { stop: [] }, { mark: "KeyX" }, { mark: [3] }, { fly: ["KeyX"] }, null, 7, "x"]) {
    assert.deepEqual(keymapWith(wrong), defaultKeymap());
  }
});

test("a gamepad is read by position, in our axes", () => {
  const state = readGamepad(pad("standard", [0.5, -1, 0.25, -0.5], [5, 12]));
  assert.deepEqual(state.axes, [0.5, 1, 0.5, 0, 0, -0.25]);
  assert.deepEqual([...state.buttons].sort(), ["deadman", "faster"]);
});

test("a pad that the browser does not know has its right stick behind the trigger", () => {
  assert.deepEqual(readGamepad(pad("", [0, 0, -1, 0.5, -0.25, -1])).axes, [0, 0, 0.25, 0, 0, -0.5]);
  assert.deepEqual(readGamepad(pad("", [0, 0, 0.5, -0.25])).axes, [0, 0, 0.25, 0, 0, -0.5]);
  assert.deepEqual(readGamepad(pad("standard", [])).axes, atRest().axes);
});

test("several devices add up, and a pedal arms a cap", () => {
  const cap = { ...atRest(20), axes: [0.7, 0, 0, 0, 0, 0] };
  const pedal = { ...atRest(5), axes: [0.7, 0, 0, 0, 0, 0], buttons: new Set(["deadman"]) };
  const both = together([cap, pedal]);
  assert.equal(both.axes[0], 1);
  assert.ok(both.buttons.has("deadman"));
  assert.equal(both.ageMs, 5);
  assert.deepEqual(pressed(new Set(["deadman", "stop"]), new Set(["deadman"])), ["stop"]);
});
