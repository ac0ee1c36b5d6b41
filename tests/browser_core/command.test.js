import assert from "node:assert/strict";
import { test } from "node:test";

import { CommandStream } from "../../console/static/js/core/command.js";

const REST = { action: [0, 0], isDeadmanHeld: false };

test("a wish is sent as it is, and becomes zero when nobody refreshes it", () => {
  const commands = new CommandStream(250);
  assert.deepEqual(commands.next(0, 1), { action: [0], isDeadmanHeld: false });
  commands.want([0.5, -1], true, 0);
  assert.deepEqual(commands.next(250, 1), { action: [0.5, -1], isDeadmanHeld: true });
  assert.deepEqual(commands.next(251, 1), REST);
});

test("without the dead-man nothing moves", () => {
  const commands = new CommandStream(250);
  commands.want([1, 1], false, 0);
  assert.deepEqual(commands.next(0, 1), REST);
});

test("the delay's cap bounds the speed and leaves fine motion alone; no speed lets the dead-man go", () => {
  const commands = new CommandStream(250);
  commands.want([1, -0.1], true, 0);
  assert.deepEqual(commands.next(0, 0.2), { action: [0.2, -0.1], isDeadmanHeld: true });
  assert.deepEqual(commands.next(0, 0), REST);
});

test("after a reason to be still the dead-man must be let go first, and all reasons be over", () => {
  const commands = new CommandStream(250);
  commands.want([1, 1], true, 0);
  commands.still("hidden");
  commands.still("blurred");
  commands.want([1, 1], true, 1);
  assert.deepEqual(commands.next(1, 1), REST);
  commands.alive("hidden");
  commands.want([0, 0], false, 2);
  commands.want([1, 1], true, 3);
  assert.deepEqual(commands.next(3, 1), REST);
  assert.deepEqual(commands.stillCauses, ["blurred"]);
  commands.alive("blurred");
  assert.equal(commands.next(3, 1).isDeadmanHeld, true);
});

test("a dead-man held since before the grant does not arm", () => {
  const commands = new CommandStream(250);
  commands.rest();
  commands.want([1, 1], true, 0);
  assert.deepEqual(commands.next(0, 1), REST);
  commands.want([1, 1], false, 1);
  commands.want([1, 1], true, 2);
  assert.equal(commands.next(2, 1).isDeadmanHeld, true);
});
