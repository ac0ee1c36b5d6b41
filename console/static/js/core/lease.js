/**
 * Who drives, as this page knows it: free, asking, held, lost or denied; pure.
 *
 *     free --ask--> asking --granted--> held --hand back--> free
 *                      |                  |
 *                   refused        taken, silent, link gone
 *                      v                  v
 *                   denied              lost          both may ask again
 *
 * The epoch grows with every grant, and commands of a lease are numbered: the robot drops what is not newer.
 *
 * @import { LeaseMessage, LeasePhase, RefusedMessage } from "./types.js"
 */

/** @type {Record<string, string>} */
const END_WORDS = {
  silent: "This page was silent for too long. The robot holds still and asks for help.",
  idle: "The dead-man was not touched for a minute. The robot holds still and asks for help.",
  gateway_restarted: "The gateway started anew. Take control again.",
};

export class Lease {
  /** @type {LeasePhase} */
  phase = "free";
  robotId = "";
  epoch = 0;
  reason = "";
  heldSinceMs = 0;
  #seq = -1;
  #isLettingGo = false;

  /** Whether this page may send commands. */
  get isHeld() {
    return this.phase === "held";
  }

  /**
   * This page asked for a robot.
   * @param {string} robotId
   */
  ask(robotId) {
    if (this.isHeld && this.robotId === robotId) return;
    Object.assign(this, { phase: "asking", robotId, reason: "" });
  }

  /** This page hands back, or gives the robot to a colleague: the end that follows is not a loss. */
  letGo() {
    this.#isLettingGo = true;
  }

  /**
   * The gateway says who holds a robot.
   * @param {LeaseMessage} message
   * @param {number} nowMs
   */
  told(message, nowMs) {
    if (message.is_yours) {
      const isNew = !this.isHeld || message.robot_id !== this.robotId || message.epoch !== this.epoch;
      if (!isNew) return;
      Object.assign(this, { phase: "held", robotId: message.robot_id, epoch: message.epoch, reason: "" });
      this.heldSinceMs = nowMs;
      this.#seq = -1;
      this.#isLettingGo = false;
    } else if (this.isHeld && message.robot_id === this.robotId) {
      this.#end(message);
    }
  }

  /**
   * The gateway refused something.
   * @param {RefusedMessage} message
   */
  refused(message) {
    const isOurs = !message.robot_id || message.robot_id === this.robotId;
    if (message.request === "acquire" && this.phase === "asking" && isOurs) {
      this.phase = "denied";
      this.reason = message.reason;
    }
  }

  /** The socket is gone: the gateway ends our lease, and so does the robot, each by itself. */
  disconnected() {
    if (this.isHeld) {
      this.#over("lost", "The connection is gone. The robot holds still and asks for help.");
    } else if (this.phase === "asking") {
      this.#over("denied", "The connection went away before the answer came.");
    }
  }

  /** Number of the next command; grows by one per command of a lease, from 0. */
  nextSeq() {
    this.#seq += 1;
    return this.#seq;
  }

  /** @param {LeaseMessage} message */
  #end(message) {
    const wasOurs = this.#isLettingGo || (!message.is_held && message.end_reason === "handed_back");
    if (wasOurs) {
      this.#over("free", "");
    } else if (message.is_held) {
      this.#over("lost", `${message.operator_id} has taken this robot.`);
    } else {
      this.#over("lost", END_WORDS[message.end_reason] ?? "Control ended. The robot holds still.");
    }
  }

  /**
   * @param {LeasePhase} phase
   * @param {string} reason
   */
  #over(phase, reason) {
    this.phase = phase;
    this.reason = reason;
    this.heldSinceMs = 0;
    this.#isLettingGo = false;
  }
}
