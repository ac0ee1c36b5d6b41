/**
 * The control socket: commands at a fixed rate, the lease, the delay, and what the gateway says; without a
 * socket, clock or worker of its own, so that it runs under a test.
 *
 * A reason to be still (page hidden, window blurred, device unplugged) sends zeros for 300 ms and then says
 * nothing, renewals included: the robot holds at once and, 3 s later, is lost and asks for help. It is not
 * handed back, because a policy never resumes by itself after a person who went away. Whoever returns
 * within the 3 s still holds it.
 *
 * @import { FromControl, GatewayMessage, PromptMessage, RobotState, StartControl, StillCause, ToControl,
 *           RobotClock as ClockNews } from "./types.js"
 * @typedef {{send: (text: string) => void, close: () => void}} Socket
 * @typedef {{type: string, [field: string]: unknown}} Outgoing
 */

import { Backoff } from "./backoff.js";
import { CommandStream } from "./command.js";
import { Lease } from "./lease.js";
import { LinkDelay } from "./link_delay.js";
import { News } from "./news.js";

const NEWS_MS = 50;
const STATUS_MS = 250;
const ZEROS_MS = 300;
/** A gateway that says nothing for this long, pongs included, is gone, whatever the socket thinks. */
const SILENT_MS = 5000;
/** Reports further apart than this are not one stretch of correcting. */
const STRETCH_MS = 500;

export class ControlLink {
  #lease = new Lease();
  #delay = new LinkDelay();
  #commands;
  #backoff;
  #news = new News();
  /** @type {Socket | null} */
  #socket = null;
  #isOpen = false;
  /** @type {Outgoing | null} what to watch, said again after a reconnect */
  #watch = null;
  #correcting = { totalMs: 0, lastMs: -Infinity };
  #stillSinceMs = 0;
  #heardMs = 0;
  #renewedMs = -Infinity;
  #newsMs = -Infinity;
  #statusMs = -Infinity;
  #status = "";
  #post;
  #open;
  #clock;
  #tellClocks;
  #options;

  /**
   * @param {object} parts
   * @param {Pick<StartControl, "renewMs" | "wishMs">} parts.options
   * @param {(message: FromControl) => void} parts.post to the page
   * @param {(ticket: string) => Socket} parts.open dials; its events come back through `opened`, `received` and `closed`
   * @param {() => number} parts.nowMs
   * @param {(clocks: ClockNews[]) => void} parts.tellClocks to the pictures worker
   * @param {Backoff} [parts.backoff]
   */
  constructor({ options, post, open, nowMs, tellClocks, backoff = new Backoff() }) {
    this.#options = options;
    this.#commands = new CommandStream(options.wishMs);
    this.#post = post;
    this.#open = open;
    this.#clock = nowMs;
    this.#tellClocks = tellClocks;
    this.#backoff = backoff;
  }

  /** Dial. */
  connect() {
    this.#post({ type: "connection", state: "connecting", reason: "", retryInMs: 0 });
    this.#post({ type: "ticket_wanted" });
  }

  /**
   * The page said something.
   * @param {Exclude<ToControl, StartControl>} message
   */
  page(message) {
    const now = this.#clock();
    if (message.type === "wish") this.#commands.want(message.action, message.isDeadmanHeld, now);
    else if (message.type === "picture") this.#delay.picture(message, now);
    else if (message.type === "still") this.#beStill(message.cause);
    else if (message.type === "alive") this.#commands.alive(message.cause);
    else if (message.type === "ticket") this.#socket = this.#open(message.ticket);
    else if (message.type === "ticket_failed") this.#lost(message.reason, message.isFinal);
    else if (message.type === "hand_back") this.#handBack();
    else if (message.type === "answer") this.#answer(message.robotId, message.give);
    else if (message.type === "acquire") this.#acquire(message);
    else this.#say(message.message);
    this.#tellStatus(now);
  }

  /** The socket is up. */
  opened() {
    this.#isOpen = true;
    this.#heardMs = this.#clock();
    this.#backoff.reset();
    this.#post({ type: "connection", state: "open", reason: "", retryInMs: 0 });
    if (this.#watch) this.#say(this.#watch);
  }

  /**
   * The socket is gone, or never came up.
   * @param {string} reason
   */
  closed(reason) {
    if (this.#socket !== null) this.#lost(reason || "The connection to the gateway is gone.", false);
  }

  /**
   * The gateway said something.
   * @param {string} text
   */
  received(text) {
    const now = this.#clock();
    this.#heardMs = now;
    const message = /** @type {GatewayMessage} */ (JSON.parse(text));
    if (message.type === "reports") for (const state of message.states) this.#report(state, now);
    else if (message.type === "values") for (const value of message.values) this.#news.value(value);
    else if (message.type === "pong") this.#delay.pong(message.id, this.#lease.robotId, now);
    else this.#prompt(message, now);
    this.#tellStatus(now);
  }

  /** The fixed clock: the command, then whatever else is due. */
  tick() {
    const now = this.#clock();
    if (now - this.#newsMs >= NEWS_MS) this.#tellNews(now);
    if (this.#isOpen && now - this.#heardMs > SILENT_MS) {
      this.#socket?.close();
      this.closed("The gateway does not answer.");
    } else if (this.#isOpen) {
      const ping = this.#delay.ping(now);
      if (ping) this.#say({ type: "ping", id: ping });
      const isAway = this.#commands.stillCauses.length > 0;
      if (this.#lease.isHeld && !(isAway && now - this.#stillSinceMs > ZEROS_MS)) this.#command(now);
      if (this.#lease.isHeld && !isAway && now - this.#renewedMs >= this.#options.renewMs) {
        this.#renewedMs = now;
        this.#say({ type: "renew", robot_id: this.#lease.robotId, lease_epoch: this.#lease.epoch });
      }
    }
    this.#tellStatus(now);
  }

  /** @param {number} now */
  #command(now) {
    const clock = this.#news.clockOf(this.#lease.robotId);
    if (!clock.isKnown) return;
    const { action, isDeadmanHeld } = this.#commands.next(now, this.#delay.read(this.#lease.robotId, now).speedCap);
    this.#say({
      type: "command",
      robot_id: this.#lease.robotId,
      lease_epoch: this.#lease.epoch,
      seq: this.#lease.nextSeq(),
      sent_ns: clock.nowNs(now),
      action,
      is_deadman_held: isDeadmanHeld,
    });
  }

  /** @param {StillCause} cause */
  #beStill(cause) {
    const now = this.#clock();
    if (this.#commands.stillCauses.length === 0) this.#stillSinceMs = now;
    this.#commands.still(cause);
    // At once, not at the next tick: a page that is being frozen may not get one.
    if (this.#lease.isHeld && this.#isOpen) this.#command(now);
  }

  #handBack() {
    if (!this.#lease.isHeld) return;
    this.#commands.rest();
    if (this.#isOpen) this.#command(this.#clock());
    this.#lease.letGo();
    this.#say({ type: "release", robot_id: this.#lease.robotId, lease_epoch: this.#lease.epoch });
  }

  /**
   * @param {string} robotId
   * @param {boolean} give
   */
  #answer(robotId, give) {
    if (give && this.#lease.isHeld) {
      this.#commands.rest();
      if (this.#isOpen) this.#command(this.#clock());
      this.#lease.letGo();
    }
    this.#say({ type: "answer", robot_id: robotId, give });
  }

  /** @param {Extract<ToControl, {type: "acquire"}>} request */
  #acquire({ robotId, ask = false, force = false, reason = "" }) {
    if (!this.#say({ type: "acquire", robot_id: robotId, ask, force, reason })) return;
    this.#lease.ask(robotId);
    this.#commands.rest();
    this.#delay.reset();
  }

  /**
   * @param {PromptMessage} message
   * @param {number} now
   */
  #prompt(message, now) {
    if (message.type === "lease") {
      const before = this.#lease.epoch;
      this.#lease.told(message, now);
      if (this.#lease.isHeld && this.#lease.epoch !== before) {
        this.#commands.rest();
        this.#renewedMs = now;
        this.#correcting = { totalMs: 0, lastMs: -Infinity };
      }
    } else if (message.type === "refused") {
      this.#lease.refused(message);
    } else if (message.type === "gateway" && !message.is_up) {
      this.#commands.rest();
      this.#lease.disconnected();
    }
    this.#post({ type: "message", message });
  }

  /**
   * @param {RobotState} state
   * @param {number} now
   */
  #report(state, now) {
    this.#news.report(state, now);
    if (!this.#lease.isHeld || state.robot_id !== this.#lease.robotId || state.lease_epoch !== this.#lease.epoch) return;
    if (state.mode === "correcting") {
      this.#correcting.totalMs += Math.min(STRETCH_MS, Math.max(0, now - this.#correcting.lastMs));
      this.#correcting.lastMs = now;
    } else {
      this.#correcting.lastMs = -Infinity;
    }
    if (state.command_delay_ms >= 0) this.#delay.applied(state.command_delay_ms, state.robot_id, now);
  }

  /**
   * @param {Outgoing} message
   * @returns {boolean} whether it left
   */
  #say(message) {
    if (message.type === "watch") this.#watch = message;
    if (this.#isOpen && this.#socket) {
      this.#socket.send(JSON.stringify(message));
      return true;
    }
    if (message.type !== "watch") this.#post({ type: "unsent", message });
    return false;
  }

  /**
   * @param {string} reason
   * @param {boolean} isFinal
   */
  #lost(reason, isFinal) {
    this.#isOpen = false;
    this.#socket = null;
    this.#delay.disconnected();
    this.#commands.rest();
    this.#lease.disconnected();
    const retryInMs = isFinal ? 0 : this.#backoff.nextMs();
    this.#post({ type: "connection", state: isFinal ? "refused" : "lost", reason, retryInMs });
    if (!isFinal) this.#backoff.later(retryInMs, () => this.connect());
    this.#tellStatus(this.#clock());
  }

  /** @param {number} now */
  #tellNews(now) {
    this.#newsMs = now;
    const batch = this.#news.batch();
    if (!batch) return;
    this.#post({ type: "news", states: batch.states, values: batch.values });
    this.#tellClocks(batch.clocks);
  }

  /** @param {number} now */
  #tellStatus(now) {
    const lease = this.#lease;
    const delay = this.#delay.read(lease.robotId, now);
    const isArmed = lease.isHeld && this.#commands.next(now, delay.speedCap).isDeadmanHeld;
    const stillCauses = this.#commands.stillCauses;
    const { phase, robotId, epoch, reason, heldSinceMs } = lease;
    const status = [phase, robotId, epoch, reason, isArmed, stillCauses.join(), delay.tier].join("|");
    const isDue = lease.isHeld && now - this.#statusMs >= STATUS_MS;
    if (status === this.#status && !isDue) return;
    this.#status = status;
    this.#statusMs = now;
    const shown = { phase, robotId, epoch, reason, heldSinceMs, isArmed, stillCauses, ...delay };
    const control = { ...shown, roundTripMs: this.#delay.roundTripMs, correctingMs: this.#correcting.totalMs };
    this.#post({ type: "control", control });
  }
}
