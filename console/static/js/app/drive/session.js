/**
 * One person at one robot: what hands and keys do, and what the screen must know of it.
 *
 * @import { ControlState, DeviceState, Outcome } from "../../core/types.js"
 * @import { Frame } from "../../core/camera_frame.js"
 * @import { Label } from "../../core/judgement.js"
 * @import { LiveRobot } from "../store.js"
 * @import { Press } from "./hands.js"
 */

import { signal } from "@preact/signals";
import { framesOf, inBaseFrame, translationOnly, yawOf } from "../../core/camera_frame.js";
import { nowMs } from "../../core/clock.js";
import { atRest } from "../../core/device.js";
import { withGripper } from "../../core/gripper.js";
import { Judgement, UNDO_MS } from "../../core/judgement.js";
import { actionOf, firstSpeedLevel } from "../../core/mapping.js";
import { Timeline } from "../../core/timeline.js";
import { may } from "../permission.js";
import { go } from "../router.js";
import { control, leases, robotNow, rosterOf, send, tell, UNTOLD, values } from "../store.js";
import { pictureHealth } from "../widgets/picture.js";
import { Hands } from "./hands.js";
import { THIS } from "./outcome.js";
import { ownKeys, ownMapping } from "./own.js";

/** View id of the big picture; its age counts for the delay. */
export const BIG_VIEW = "drive-big";
const SHOWN_MS = 100;
/** In the first seconds of an episode keys still judge the one before, if this person corrected it or nobody else can. */
const JUDGE_LAST_MS = 15_000;
const DRAWN_AGE_COUNTS_MS = 1000;

export class DriveSession {
  hands;
  timeline = new Timeline();
  /** The hands as they are drawn, ten times a second. */
  hand = signal(/** @type {DeviceState} */ (atRest()));
  speedLevel = signal(0);
  frame = signal(/** @type {Frame} */ ("base"));
  isTranslationOnly = signal(false);
  bigCamera = signal(0);
  /** What the gripper's channel is told: -1, 1, or 0 before its key was pressed. */
  gripper = signal(0);
  waiting = signal(/** @type {Label | null} */ (null));
  leftMs = signal(0);
  target = signal({ episodeId: "", words: "" });
  /** The moment pointed at on the timeline; null is now. */
  cursorMs = signal(/** @type {number | null} */ (null));
  /** What was just done, in words, for the status line. */
  note = signal("");
  receipt = signal(/** @type {{correctingMs: number, untilMs: number} | null} */ (null));
  #judgement;
  /** Last episode in which this person moved the robot. */
  #correctedId = "";
  #episode = { id: "", previous: "", sinceMs: 0 };
  #lastControl = /** @type {ControlState | null} */ (null);
  /** @type {(() => void)[]} */
  #ends = [];

  /** @param {string} robotId */
  constructor(robotId) {
    this.robotId = robotId;
    this.speedLevel.value = ownMapping.value ? firstSpeedLevel(ownMapping.value) : 0;
    this.#judgement = new Judgement((label) => this.#sendLabel(label));
    this.hands = new Hands(ownKeys.value, {
      polled: (state) => this.#move(state),
      press: (press) => this.#press(press),
      lost: (name) => this.#deviceLost(name),
      found: () => this.goOn(),
    });
  }

  get isHeld() {
    return control.value?.phase === "held" && control.value.robotId === this.robotId;
  }

  get mayDrive() {
    return may("operator");
  }

  start() {
    tell({ type: "alive", cause: "left" });
    this.hands.start();
    const timer = setInterval(() => this.#show(), SHOWN_MS);
    const flush = () => this.#judgement.flush();
    window.addEventListener("pagehide", flush);
    this.#ends = [
      robotNow(this.robotId).subscribe((robot) => robot && this.#report(robot)),
      values.subscribe((all) => this.#value(all.get(this.robotId)?.at(-1))),
      control.subscribe((state) => this.#controlled(state)),
      pictureHealth.subscribe((views) => this.#picture(views.get(BIG_VIEW))),
      () => clearInterval(timer),
      () => window.removeEventListener("pagehide", flush),
    ];
  }

  /** Leave: the robot holds still; what was judged is sent. */
  stop() {
    if (this.isHeld) tell({ type: "still", cause: "left" });
    this.#judgement.flush();
    this.hands.stop();
    for (const end of this.#ends.splice(0)) end();
  }

  /**
   * Do what a key or a button means.
   * @param {string} action of core/keymap.js
   */
  act(action) {
    const camera = /^camera_([1-4])$/.exec(action);
    if (camera) this.showCamera(Number(camera[1]) - 1);
    else if (action === "success" || action === "failure" || action === "timed_out") this.judge(action);
    else this.#acts[action]?.();
  }

  /** @type {Record<string, () => void>} */
  #acts = {
    stop: () => this.stopRobot(),
    take: () => this.take(),
    hand_back: () => this.handBack(),
    leave: () => this.handBack(),
    slower: () => this.#changeSpeed(-1),
    faster: () => this.#changeSpeed(1),
    gripper: () => (this.gripper.value = this.gripper.value === 1 ? -1 : 1),
    mark: () => this.mark("moment"),
    recovered: () => this.mark("recovered"),
    undo: () => this.undo(),
    next: () => go("/queue"),
  };

  stopRobot() {
    send({ type: "stop", robot_id: this.robotId, reason: "stopped on the drive screen" });
    this.note.value = "Stop sent.";
  }

  /** @param {{ask?: boolean, force?: boolean, reason?: string}} [options] */
  take(options) {
    const lease = leases.value.get(this.robotId);
    if (!this.mayDrive || this.isHeld) return;
    this.goOn();
    tell({ type: "acquire", robotId: this.robotId, ...(options ?? { ask: lease?.is_held ?? false }) });
  }

  handBack() {
    if (this.isHeld) tell({ type: "hand_back" });
  }

  /** @param {Outcome} outcome */
  judge(outcome) {
    const { episodeId } = this.target.value;
    if (!episodeId || !this.mayDrive) return;
    this.#judgement.say({ episodeId, outcome }, nowMs());
    this.timeline.flag("outcome", outcome, nowMs());
    this.#show();
  }

  /** @param {{reason?: string, progress?: number}} more */
  judgeMore(more) {
    this.#judgement.add(more, nowMs());
    this.#show();
  }

  undo() {
    if (this.#judgement.waiting) this.note.value = "Taken back; nothing was sent.";
    this.#judgement.undo();
    this.#show();
  }

  extend() {
    this.#judgement.extend(nowMs());
    if (this.receipt.value) this.receipt.value = { ...this.receipt.value, untilMs: nowMs() + UNDO_MS };
  }

  /** @param {"moment" | "recovered"} kind */
  mark(kind) {
    const timeMs = this.cursorMs.value ?? nowMs();
    const step = this.timeline.stepAt(timeMs);
    if (!step?.episodeId || !this.mayDrive) return;
    send({ type: "mark", episode_id: step.episodeId, step_index: step.step, kind, note: "" });
    this.timeline.flag(kind === "moment" ? "mark" : "recovered", "", timeMs);
    this.note.value = kind === "moment" ? `Marked step ${step.step}: it went wrong here.` : `Marked step ${step.step}: good again.`;
    this.cursorMs.value = null;
  }

  /** @param {number} camera */
  showCamera(camera) {
    const robot = rosterOf(this.robotId);
    if (camera >= (robot?.spec?.cameras.length ?? 1)) return;
    this.bigCamera.value = camera;
    // A frame that this camera does not allow would go on turning the hand by the one before.
    const frames = framesOf(robot?.spec?.cameras[camera]?.name ?? "", robot?.orientation ?? UNTOLD);
    if (frames.find(({ frame }) => frame === this.frame.value)?.whyNot) this.frame.value = "base";
  }

  /** @param {number} change */
  #changeSpeed(change) {
    const last = (ownMapping.value?.speeds.length ?? 1) - 1;
    this.speedLevel.value = Math.max(0, Math.min(last, this.speedLevel.value + change));
  }

  /** @param {Press} press */
  #press({ device, button }) {
    // The smallest SpaceMouse has two buttons: pressing its dead-man takes the robot.
    if (button === "deadman" && device === "spacemouse" && control.value?.phase !== "held") this.take();
    this.act(button);
  }

  /** @param {string} name */
  #deviceLost(name) {
    tell({ type: "still", cause: "unplugged" });
    this.note.value = `The ${name} was unplugged.`;
  }

  /** Go on with whatever device is left, or came back. */
  goOn() {
    tell({ type: "alive", cause: "unplugged" });
    this.note.value = "";
  }

  /** @param {DeviceState} state */
  #move(state) {
    const mapping = ownMapping.value;
    const robot = rosterOf(this.robotId);
    const spec = robot?.spec;
    if (!mapping || !spec || !this.isHeld) return;
    const turned = inBaseFrame(state.axes, this.frame.value, yawOf(spec.cameras[this.bigCamera.value]?.name ?? "", robot.orientation));
    const axes = this.isTranslationOnly.value ? translationOnly(turned) : turned;
    const moved = actionOf(axes, mapping, { speedLevel: this.speedLevel.value, numAction: spec.action.length });
    const action = withGripper(moved, spec.action, this.gripper.value);
    const isDeadmanHeld = state.buttons.has("deadman");
    // Nobody moves a robot while looking at its past.
    if (isDeadmanHeld && this.cursorMs.value !== null) this.cursorMs.value = null;
    // Known here and not from the robot's reports: a busy page hears only the newest, and may miss a short correction.
    if (isDeadmanHeld && this.#episode.id) this.#correctedId = this.#episode.id;
    tell({ type: "wish", action, isDeadmanHeld });
  }

  /** @param {LiveRobot} robot */
  #report(robot) {
    this.timeline.report(robot, robot.received_ms);
    const { id } = this.#episode;
    // Between two episodes a robot reports none: the one that ended stays the previous one.
    if (id !== robot.episode_id) this.#episode = id ? { id: robot.episode_id, previous: id, sinceMs: nowMs() } : { ...this.#episode, id: robot.episode_id };
    const { previous, sinceMs } = this.#episode;
    const isNew = nowMs() - sinceMs < JUDGE_LAST_MS || robot.episode_id === "";
    const isPreviousOurs = previous !== "" && [this.#correctedId, robot.unlabelled_episode_id].includes(previous);
    const waiting = this.#judgement.waiting?.episodeId;
    const episodeId = waiting ?? (isNew && isPreviousOurs ? previous : robot.episode_id);
    const words = episodeId === robot.episode_id ? THIS : "the episode before";
    if (episodeId !== this.target.value.episodeId || words !== this.target.value.words) this.target.value = { episodeId, words };
  }

  /** @param {{value: number, t_ms: number} | undefined} point */
  #value(point) {
    if (point && point.t_ms !== this.timeline.values.at(-1)?.timeMs) this.timeline.value(point.value, point.t_ms);
  }

  /** @param {ControlState | null} state */
  #controlled(state) {
    const before = this.#lastControl;
    this.#lastControl = state;
    if (before?.phase !== "held" || before.robotId !== this.robotId || state?.phase === "held") return;
    if (before.correctingMs > 0) this.receipt.value = { correctingMs: before.correctingMs, untilMs: nowMs() + UNDO_MS };
  }

  /** @param {import("../../core/types.js").ViewHealth | undefined} view */
  #picture(view) {
    if (!view || view.ageMs < 0) return;
    const ageMs = view.ageMs > DRAWN_AGE_COUNTS_MS ? view.ageMs : view.drawnAgeMs;
    tell({ type: "picture", robotId: view.robotId, ageMs });
  }

  /** @param {Label} label */
  #sendLabel({ episodeId, outcome, reason, progress }) {
    send({ type: "label", episode_id: episodeId, outcome, reason, progress });
    this.note.value = "Outcome sent.";
  }

  #show() {
    const now = nowMs();
    this.#judgement.tick(now);
    this.waiting.value = this.#judgement.waiting;
    this.leftMs.value = this.#judgement.leftMs(now);
    this.hand.value = this.hands.state;
    if (this.receipt.value && now > this.receipt.value.untilMs && !this.waiting.value) this.receipt.value = null;
  }
}
