/**
 * Which pictures are wanted and how old each one is; the pictures worker without sockets and canvases.
 *
 * The server names a picture by its place in the newest list of views it heard.
 *
 * @import { PictureView, RobotClock as ClockNews, ViewHealth } from "./types.js"
 */

import { RobotClock } from "./clock.js";

export const FROZEN_MS = 1000;
export const OLD_MS = 300;
/** The server takes no longer list. */
const MAX_VIEWS = 32;
const RATE_WINDOW_MS = 1000;

/**
 * @typedef {object} Shown
 * @property {PictureView} view
 * @property {number} sequence of the newest picture taken, -1 before
 * @property {number} captureNs
 * @property {number} drawnMs when it was drawn, or the view began
 * @property {number} drawnAgeMs
 * @property {number} numDrawn
 * @property {number[]} drawnAtMs the last second's
 */

export class PictureViews {
  /** @type {Map<string, Shown>} */
  #shown = new Map();
  /** @type {Shown[]} as the server was told last */
  #places = [];
  #numWatches = 0;
  /** @type {Map<string, RobotClock>} */
  #clocks = new Map();

  /**
   * Show a view, or change what it shows.
   * @param {PictureView} view
   * @param {number} now
   */
  show(view, now) {
    const before = this.#shown.get(view.viewId);
    const isSame = before?.view.robotId === view.robotId && before.view.camera === view.camera;
    const fresh = { sequence: -1, captureNs: 0, drawnMs: now, drawnAgeMs: -1, numDrawn: 0, drawnAtMs: [] };
    this.#shown.set(view.viewId, before && isSame ? Object.assign(before, { view }) : { ...fresh, view });
  }

  /** @param {string} viewId */
  hide(viewId) {
    this.#shown.delete(viewId);
  }

  /** A new connection: the server has heard nothing yet. */
  connected() {
    this.#numWatches = 0;
  }

  /**
   * What to tell the server; each message made is one sent.
   * @param {boolean} isVisible hidden pages want nothing
   */
  watchMessage(isVisible) {
    this.#numWatches += 1;
    this.#places = [...this.#shown.values()].slice(0, MAX_VIEWS);
    const views = this.#places.map(({ view: { robotId, camera, fps, width } }) => {
      return { robot_id: robotId, camera, fps: isVisible ? fps : 0, width };
    });
    return { type: "watch", views };
  }

  /**
   * A picture came. Null if nobody wants it any more, or a newer one is there.
   * @param {{camera: number, view: number, watch: number, sequence: number, captureNs: number}} header
   * @returns {Shown | null}
   */
  take({ camera, view, watch, sequence, captureNs }) {
    const shown = this.#places[view];
    if (!shown || watch !== this.#numWatches % 256 || shown.view.camera !== camera) return null;
    // A robot that started anew counts from 0 again: its clock tells.
    if (sequence <= shown.sequence && captureNs <= shown.captureNs) return null;
    shown.sequence = sequence;
    shown.captureNs = captureNs;
    return shown;
  }

  /**
   * It is on the screen now.
   * @param {Shown} shown
   * @param {number} captureNs
   * @param {number} now
   */
  drawn(shown, captureNs, now) {
    const clock = this.#clocks.get(shown.view.robotId);
    shown.drawnAgeMs = clock?.isKnown ? clock.ageMs(captureNs, now) : -1;
    shown.drawnMs = now;
    shown.numDrawn += 1;
    shown.drawnAtMs.push(now);
  }

  /** @param {ClockNews[]} news */
  clocks(news) {
    for (const { robotId, sentNs, receivedMs } of news) {
      const clock = this.#clocks.get(robotId) ?? new RobotClock();
      this.#clocks.set(robotId, clock);
      clock.heard(sentNs, receivedMs);
    }
  }

  /**
   * Every view as the eye sees it now.
   * @param {number} now
   * @returns {ViewHealth[]}
   */
  health(now) {
    return [...this.#shown.values()].map((shown) => healthOf(shown, now));
  }
}

/**
 * @param {Shown} shown
 * @param {number} now
 * @returns {ViewHealth}
 */
function healthOf(shown, now) {
  shown.drawnAtMs = shown.drawnAtMs.filter((timeMs) => now - timeMs <= RATE_WINDOW_MS);
  // Where the robot's clock is not known, the time since the drawing is the least that can be said.
  const waitedMs = now - shown.drawnMs;
  const ageMs = shown.numDrawn === 0 ? -1 : Math.max(0, shown.drawnAgeMs) + waitedMs;
  return {
    viewId: shown.view.viewId,
    robotId: shown.view.robotId,
    ageMs,
    drawnAgeMs: shown.drawnAgeMs,
    fps: shown.drawnAtMs.length,
    numDrawn: shown.numDrawn,
    isFrozen: ageMs > FROZEN_MS,
  };
}
