/**
 * The keyboard of a page: unlike a terminal's it says when a key is let go, so a hold is a hold.
 *
 * Feed it key events of the drive surface only, and `clear()` it whenever the surface or the window loses
 * focus: a key-up that happens elsewhere is never heard.
 *
 * @import { Button, DeviceState } from "./types.js"
 * @import { Keymap } from "./keymap.js"
 */

import { atRest, AXES, clipped } from "./device.js";
import { actionFor } from "./keymap.js";

const BUTTONS = new Set(["deadman", "take", "hand_back", "stop", "success", "failure", "slower", "faster", "gripper", "leave"]);

export class Keyboard {
  name = "keyboard";
  /** @type {Map<string, string>} action of each key that is down, as it was when it went down */
  #down = new Map();
  /** @type {Keymap} */
  #keymap;
  #heardMs;

  /**
   * @param {Keymap} keymap
   * @param {number} nowMs
   */
  constructor(keymap, nowMs) {
    this.#keymap = keymap;
    this.#heardMs = nowMs;
  }

  /**
   * A key went down. Returns its action, empty for one without or for a repeat.
   * @param {{code: string, repeat: boolean}} event
   * @param {number} nowMs
   */
  down(event, nowMs) {
    const action = actionFor(this.#keymap, event.code);
    if (action) this.#heardMs = nowMs;
    if (!action || event.repeat || this.#down.has(event.code)) return "";
    this.#down.set(event.code, action);
    return action;
  }

  /**
   * @param {{code: string}} event
   * @param {number} nowMs
   */
  up(event, nowMs) {
    if (this.#down.delete(event.code)) this.#heardMs = nowMs;
  }

  /**
   * Whether a key means anything, so that the page must not also scroll or press a button with it.
   * @param {string} code
   */
  knows(code) {
    return actionFor(this.#keymap, code) !== "";
  }

  /** Nothing is held any more. */
  clear() {
    this.#down.clear();
  }

  /**
   * @param {number} nowMs
   * @returns {DeviceState}
   */
  read(nowMs) {
    const state = atRest(nowMs - this.#heardMs);
    for (const action of this.#down.values()) {
      const axis = AXES.indexOf(action.slice(0, -1));
      if (axis >= 0) state.axes[axis] = clipped((state.axes[axis] ?? 0) + (action.endsWith("+") ? 1 : -1));
      else if (BUTTONS.has(action)) state.buttons.add(/** @type {Button} */ (action));
    }
    return state;
  }
}
