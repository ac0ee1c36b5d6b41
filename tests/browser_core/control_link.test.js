import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../../console/static/js/core/backoff.js";
import { ControlLink } from "../../console/static/js/core/control_link.js";

const REPORT = { robot_id: "r1", mode: "paused", lease_epoch: 3, command_delay_ms: -1, sent_ns: 5_000_000_000 };

/** A link on a clock of its own: every message both ways is kept. */
function rig() {
  const self = {
    now: 0,
    /** @type {any[]} */ sent: [],
    /** @type {any[]} */ posted: [],
    /** @type {any[]} */ clocks: [],
    /** @type {any[]} */ later: [],
    isClosed: false,
  };
  const backoff = new Backoff((run, ms) => void self.later.push({ run, ms }), () => 0.5);
  const link = new ControlLink({
    options: { renewMs: 1000, wishMs: 250 },
    post: (message) => void self.posted.push(message),
    open: () => ({ send: (text) => void self.sent.push(JSON.parse(text)), close: () => (self.isClosed = true) }),
    nowMs: () => self.now,
    tellClocks: (news) => void self.clocks.push(...news),
    backoff,
  });
  return Object.assign(self, {
    link,
    hear: (message) => link.received(JSON.stringify(message)),
    connect: () => {
      link.connect();
      link.page({ type: "ticket", ticket: "t" });
      link.opened();
    },
    /** Time goes on at 50 Hz; gives what was sent meanwhile. */
    run: (ms) => {
      const first = self.sent.length;
      for (let left = ms; left > 0; left -= 20) {
        self.now += 20;
        link.tick();
      }
      return self.sent.slice(first);
    },
    control: () => self.posted.filter((message) => message.type === "control").at(-1)?.control,
  });
}

const lease = (fields = {}) => ({
  type: "lease",
  robot_id: "r1",
  epoch: 3,
  is_held: true,
  operator_id: "ann",
  end_reason: "",
  is_yours: true,
  ...fields,
});

/** Connected, holding r1, the dead-man seen released once. */
function driving() {
  const made = rig();
  made.connect();
  made.hear({ type: "reports", states: [REPORT] });
  made.link.page({ type: "acquire", robotId: "r1" });
  made.hear(lease());
  made.link.page({ type: "wish", action: [0, 0], isDeadmanHeld: false });
  return made;
}

const commands = (sent) => sent.filter((message) => message.type === "command");

test("it asks for a ticket, dials, and says again what to watch after every reconnect", () => {
  const made = rig();
  made.link.page({ type: "send", message: { type: "watch", is_all: true } });
  made.connect();
  const dialled = made.posted.filter((message) => message.type !== "control").slice(0, 2);
  assert.deepEqual(dialled.map((message) => message.type), ["connection", "ticket_wanted"]);
  assert.equal(made.sent.filter((message) => message.type === "watch").length, 1);
  made.link.closed("");
  assert.equal(made.later[0].ms, 500);
  made.later[0].run();
  made.link.page({ type: "ticket", ticket: "u" });
  made.link.opened();
  assert.equal(made.sent.filter((message) => message.type === "watch").length, 2);
});

test("while a robot is held the newest wish leaves at 50 Hz, numbered, on the robot's clock, also when it is zero", () => {
  const made = driving();
  const zero = commands(made.run(100));
  assert.equal(zero.length, 5);
  assert.ok(zero.every((command) => !command.is_deadman_held && command.action.every((value) => value === 0)));
  made.link.page({ type: "wish", action: [0.5, -0.25], isDeadmanHeld: true });
  const [command] = commands(made.run(20));
  assert.deepEqual([command.robot_id, command.lease_epoch, command.seq], ["r1", 3, 5]);
  assert.equal(command.sent_ns, 5_000_000_000 + 120 * 1e6);
  assert.deepEqual(command.action, [0.5, -0.25]);
  assert.equal(command.is_deadman_held, true);
});

test("a page that hangs: its wish is zero after 250 ms", () => {
  const made = driving();
  made.link.page({ type: "wish", action: [1, 1], isDeadmanHeld: true });
  const sent = commands(made.run(400));
  assert.equal(sent.filter((command) => command.is_deadman_held).length, 12);
  assert.equal(sent.at(-1).is_deadman_held, false);
});

test("the lease is renewed and the gateway pinged once a second", () => {
  const made = driving();
  const sent = made.run(3000);
  assert.equal(sent.filter((message) => message.type === "renew").length, 3);
  assert.equal(sent.filter((message) => message.type === "ping").length, 3);
});

for (const cause of ["hidden", "blurred", "frozen", "unplugged", "left"]) {
  test(`${cause}: zero at once, zeros for 300 ms, then silence without renewal`, () => {
    const made = driving();
    made.link.page({ type: "wish", action: [1, 1], isDeadmanHeld: true });
    made.run(20);
    const before = made.sent.length;
    made.link.page({ type: "still", cause });
    const [first] = made.sent.slice(before);
    assert.deepEqual([first.type, first.action, first.is_deadman_held], ["command", [0], false]);
    made.link.page({ type: "wish", action: [1, 1], isDeadmanHeld: true });
    const sent = made.run(2500);
    assert.ok(commands(sent).every((command) => !command.is_deadman_held));
    assert.equal(commands(sent).length, 15);
    assert.equal(sent.filter((message) => message.type === "renew").length, 0);
    assert.equal(sent.filter((message) => message.type === "release").length, 0, "a policy must not resume by itself");
  });
}

test("whoever comes back in time holds it still, and moves after the dead-man was let go", () => {
  const made = driving();
  made.link.page({ type: "still", cause: "blurred" });
  made.run(1000);
  made.link.page({ type: "alive", cause: "blurred" });
  made.link.page({ type: "wish", action: [1, 1], isDeadmanHeld: true });
  assert.equal(commands(made.run(20))[0].is_deadman_held, false);
  made.link.page({ type: "wish", action: [1, 1], isDeadmanHeld: false });
  made.link.page({ type: "wish", action: [1, 1], isDeadmanHeld: true });
  assert.equal(commands(made.run(20))[0].is_deadman_held, true);
  assert.ok(made.run(1000).some((message) => message.type === "renew"));
});

test("handing back sends zero, then the release, and is no loss", () => {
  const made = driving();
  made.link.page({ type: "wish", action: [1, 1], isDeadmanHeld: true });
  made.run(20);
  const before = made.sent.length;
  made.link.page({ type: "hand_back" });
  const [zero, release] = made.sent.slice(before);
  assert.deepEqual([zero.action, zero.is_deadman_held], [[0], false]);
  assert.deepEqual(release, { type: "release", robot_id: "r1", lease_epoch: 3 });
  made.hear(lease({ is_held: false, is_yours: false, end_reason: "handed_back" }));
  assert.equal(made.control().phase, "free");
  assert.equal(commands(made.run(100)).length, 0);
});

test("giving the robot to a colleague sends zero first", () => {
  const made = driving();
  const before = made.sent.length;
  made.link.page({ type: "answer", robotId: "r1", give: true });
  assert.deepEqual(made.sent.slice(before).map((message) => message.type), ["command", "answer"]);
});

test("a socket that dies, or a gateway that goes away, ends the lease in words", () => {
  const made = driving();
  made.link.closed("");
  assert.equal(made.control().phase, "lost");
  assert.match(made.control().reason, /connection/);
  const other = driving();
  other.hear({ type: "gateway", is_up: false, reason: "it stopped" });
  assert.equal(other.control().phase, "lost");
});

test("a gateway that answers nothing for five seconds is hung up on", () => {
  const made = driving();
  made.run(5100);
  assert.equal(made.isClosed, true);
  assert.equal(made.control().phase, "lost");
});

test("without a ticket for good it does not dial again; otherwise it waits longer each time", () => {
  const made = rig();
  made.link.connect();
  for (const ms of [500, 1000, 2000, 4000, 8000, 8000]) {
    made.link.page({ type: "ticket_failed", reason: "away", isFinal: false });
    assert.equal(made.later.at(-1).ms, ms);
  }
  made.link.page({ type: "ticket_failed", reason: "signed out", isFinal: true });
  assert.equal(made.later.length, 6);
  assert.equal(made.posted.findLast((message) => message.type === "connection").state, "refused");
});

test("a link that is too slow stops the hand; a slow one caps it", () => {
  const made = driving();
  const report = { ...REPORT, mode: "correcting" };
  made.hear({ type: "reports", states: [{ ...report, command_delay_ms: 200 }] });
  made.link.page({ type: "wish", action: [1, 0.1], isDeadmanHeld: true });
  assert.deepEqual(commands(made.run(20))[0].action, [0.5, 0.1]);
  for (let i = 0; i < 5; i++) made.hear({ type: "reports", states: [{ ...report, command_delay_ms: 900 }] });
  made.link.page({ type: "wish", action: [1, 0.1], isDeadmanHeld: true });
  assert.equal(commands(made.run(20))[0].is_deadman_held, false);
  assert.equal(made.control().tier, "too_slow");
});

test("a frozen picture stops the hand too", () => {
  const made = driving();
  made.link.page({ type: "picture", robotId: "r1", ageMs: 1200 });
  made.hear({ type: "reports", states: [{ ...REPORT, mode: "correcting", command_delay_ms: 10 }] });
  made.link.page({ type: "wish", action: [1, 1], isDeadmanHeld: true });
  assert.equal(commands(made.run(20))[0].is_deadman_held, false);
});

test("reports come in batches of the newest, at most 20 a second; prompts at once", () => {
  const made = driving();
  made.run(100);
  const before = made.posted.length;
  for (let i = 0; i < 50; i++) {
    made.hear({ type: "reports", states: [{ ...REPORT, step_index: i }] });
    made.now += 2;
    made.link.tick();
  }
  const news = made.posted.slice(before).filter((message) => message.type === "news");
  assert.ok(news.length <= 3);
  assert.ok(news.every((message) => message.states.length === 1));
  made.hear({ type: "asked", robot_id: "r1", operator_id: "bob", reason: "", answer_within_s: 10 });
  assert.equal(made.posted.at(-1).message.type, "asked");
  assert.equal(made.clocks.at(-1).sentNs, REPORT.sent_ns);
});

test("the time that the robot itself says it was corrected is counted", () => {
  const made = driving();
  for (let i = 0; i <= 40; i++) {
    made.hear({ type: "reports", states: [{ ...REPORT, mode: i < 30 ? "correcting" : "paused" }] });
    made.run(100);
    made.hear({ type: "pong", id: 0 });
  }
  assert.ok(Math.abs(made.control().correctingMs - 3400) <= 500, `${made.control().correctingMs}`);
});

test("what cannot be sent is given back", () => {
  const made = rig();
  made.link.page({ type: "send", message: { type: "stop", robot_id: "r1" } });
  const unsent = made.posted.find((message) => message.type === "unsent");
  assert.deepEqual(unsent.message, { type: "stop", robot_id: "r1" });
  made.link.page({ type: "acquire", robotId: "r1" });
  assert.notEqual(made.control()?.phase, "asking");
});
