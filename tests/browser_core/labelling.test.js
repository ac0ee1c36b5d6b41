import assert from "node:assert/strict";
import { mock, test } from "node:test";

globalThis.addEventListener = () => {};
/** @type {{path: string, body: any}[]} */
const sent = [];
let answer = () => new Response('{"taken": true}');
globalThis.fetch = async (path, options) => {
  sent.push({ path: String(path), body: JSON.parse(options.body) });
  return answer();
};
const { UNDO_S, giveLabel, outcomeNow, pendingLabels, sendWaiting, takeBack } = await import("../../console/static/js/app/labelling.js");

/** Let what was sent be answered. */
async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

test("a label waits five seconds and is then sent", async (context) => {
  context.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ["setTimeout"] });
  giveLabel("robot/1", "success", "", 4);
  mock.timers.tick(UNDO_S * 1000 - 1);
  assert.equal(sent.length, 0);
  assert.equal(outcomeNow({ episode_id: "robot/1", outcome: "failure" }), "success");
  mock.timers.tick(1);
  await settle();
  assert.deepEqual(sent.splice(0), [{ path: "/api/episodes/robot%2F1/labels", body: { outcome: "success", reason: "", progress: 4 } }]);
  assert.equal(pendingLabels.value[0].state, "sent");
});

test("a label that is taken back is never sent", async (context) => {
  context.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ["setTimeout"] });
  giveLabel("2", "failure");
  takeBack("2");
  mock.timers.tick(60_000);
  await settle();
  assert.equal(sent.length, 0);
  assert.equal(outcomeNow({ episode_id: "2", outcome: "success" }), "success");
});

test("a second label of the same episode replaces the first", async (context) => {
  context.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ["setTimeout"] });
  giveLabel("3", "failure");
  mock.timers.tick(3000);
  giveLabel("3", "success");
  mock.timers.tick(UNDO_S * 1000);
  await settle();
  assert.deepEqual(sent.splice(0).map((one) => one.body.outcome), ["success"]);
});

test("leaving sends what waits, once", async (context) => {
  context.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ["setTimeout"] });
  giveLabel("4", "success");
  sendWaiting();
  sendWaiting();
  mock.timers.tick(60_000);
  await settle();
  assert.equal(sent.splice(0).length, 1);
});

test("a label that is refused stays, with the reason", async (context) => {
  context.after(() => mock.timers.reset());
  mock.timers.enable({ apis: ["setTimeout"] });
  answer = () => new Response('{"error": "the gateway is away: try again"}', { status: 503 });
  giveLabel("5", "success");
  mock.timers.tick(UNDO_S * 1000);
  await settle();
  const label = pendingLabels.value.find((one) => one.episodeId === "5");
  assert.deepEqual([label?.state, label?.words], ["failed", "the gateway is away: try again"]);
  assert.equal(outcomeNow({ episode_id: "5", outcome: "unlabelled" }), "unlabelled");
});
