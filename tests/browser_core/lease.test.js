import assert from "node:assert/strict";
import { test } from "node:test";

import { Lease } from "../../console/static/js/core/lease.js";

const told = (fields) => ({
  type: "lease",
  robot_id: "r1",
  epoch: 1,
  is_held: true,
  operator_id: "ann",
  end_reason: "",
  is_yours: true,
  ...fields,
});
const ended = (end_reason, fields = {}) => told({ is_held: false, is_yours: false, operator_id: "", end_reason, ...fields });

function held() {
  const lease = new Lease();
  lease.ask("r1");
  lease.told(told({}), 1000);
  return lease;
}

test("ask, be granted, hand back", () => {
  const lease = new Lease();
  lease.ask("r1");
  assert.equal(lease.phase, "asking");
  lease.told(told({ epoch: 7 }), 1000);
  assert.deepEqual([lease.phase, lease.robotId, lease.epoch, lease.heldSinceMs], ["held", "r1", 7, 1000]);
  lease.letGo();
  lease.told(ended("handed_back", { epoch: 7 }), 2000);
  assert.deepEqual([lease.phase, lease.reason, lease.heldSinceMs], ["free", "", 0]);
});

test("numbers of commands grow by one, from 0 with every grant", () => {
  const lease = held();
  assert.deepEqual([lease.nextSeq(), lease.nextSeq()], [0, 1]);
  lease.told(told({}), 1500);
  assert.equal(lease.nextSeq(), 2, "a renewal is no grant");
  lease.told(ended("silent"), 2000);
  lease.told(told({ epoch: 2 }), 3000);
  assert.equal(lease.nextSeq(), 0);
});

test("a refusal of the request is a denial in words; other refusals are not", () => {
  const lease = new Lease();
  lease.ask("r1");
  lease.refused({ type: "refused", request: "command", reason: "old", robot_id: "r1" });
  assert.equal(lease.phase, "asking");
  lease.refused({ type: "refused", request: "acquire", reason: "somebody else holds this robot", robot_id: "r1" });
  assert.deepEqual([lease.phase, lease.reason], ["denied", "somebody else holds this robot"]);
  lease.ask("r1");
  assert.deepEqual([lease.phase, lease.reason], ["asking", ""]);
});

test("an end that we did not want is a loss, and says why", () => {
  for (const reason of ["silent", "idle", "gateway_restarted", "something_new"]) {
    const lease = held();
    lease.told(ended(reason), 2000);
    assert.equal(lease.phase, "lost");
    assert.ok(lease.reason.length > 10);
  }
  const lease = held();
  lease.told(told({ operator_id: "bob", epoch: 2, is_yours: false }), 2000);
  assert.equal(lease.reason, "bob has taken this robot.");
});

test("what was given away is not lost", () => {
  const lease = held();
  lease.letGo();
  lease.told(told({ operator_id: "bob", epoch: 2, is_yours: false }), 2000);
  assert.equal(lease.phase, "free");
});

test("other robots' leases are none of ours", () => {
  const lease = held();
  lease.told(ended("silent", { robot_id: "r2" }), 2000);
  assert.equal(lease.phase, "held");
});

test("without a connection nothing is held, and nothing is being asked", () => {
  const lease = held();
  lease.disconnected();
  assert.equal(lease.phase, "lost");
  lease.ask("r1");
  lease.disconnected();
  assert.equal(lease.phase, "denied");
});
