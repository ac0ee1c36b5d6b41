/**
 * Everything a person can hold, as one device: keyboard, SpaceMouse, gamepad and on-screen pads add up.
 *
 * @import { Button, DeviceState } from "../../core/types.js"
 * @import { Keymap } from "../../core/keymap.js"
 */

import { nowMs } from "../../core/clock.js";
import { atRest, pressed, together } from "../../core/device.js";
import { readGamepad } from "../../core/gamepad.js";
import { Keyboard } from "../../core/keyboard.js";
import { SpaceMouseHid } from "./spacemouse_hid.js";

const POLL_MS = 10;

/** @typedef {{device: "spacemouse" | "gamepad" | "pads", button: Button}} Press keys are heard as they go down, not here */

export class Hands {
  /** What the on-screen pads hold; they write it. */
  pads = atRest();
  /** @type {DeviceState} all devices together */
  state = atRest();
  /** @type {Keyboard} */
  keyboard;
  /** @type {SpaceMouseHid} */
  spacemouse;
  /** Name of the pad in use; empty before one said anything. */
  gamepadName = "";
  #gamepadIndex = -1;
  /** @type {Map<string, Set<Button>>} */
  #down = new Map();
  #timer = 0;
  #listeners;
  #gamepadGone = (/** @type {GamepadEvent} */ event) => {
    if (event.gamepad.index !== this.#gamepadIndex) return;
    this.#gamepadIndex = -1;
    this.gamepadName = "";
    this.#listeners.lost("gamepad");
  };

  /**
   * @param {Keymap} keymap
   * @param {object} listeners
   * @param {(state: DeviceState) => void} listeners.polled 100 times a second
   * @param {(press: Press) => void} listeners.press a button went down
   * @param {(name: string) => void} listeners.lost a device in use is gone
   * @param {() => void} listeners.found one came, or came back
   */
  constructor(keymap, listeners) {
    this.#listeners = listeners;
    this.keyboard = new Keyboard(keymap, nowMs());
    const changed = () => void (this.spacemouse.mouse && listeners.found());
    this.spacemouse = new SpaceMouseHid({ changed, lost: () => listeners.lost("SpaceMouse") });
  }

  start() {
    void this.spacemouse.start();
    window.addEventListener("gamepaddisconnected", this.#gamepadGone);
    this.#timer = window.setInterval(() => this.#poll(), POLL_MS);
  }

  stop() {
    window.clearInterval(this.#timer);
    window.removeEventListener("gamepaddisconnected", this.#gamepadGone);
    this.spacemouse.stop();
  }

  /** Nothing is held that only a later event would let go. */
  clear() {
    this.keyboard.clear();
    this.pads = atRest();
  }

  /** What is there, for the screen. */
  get names() {
    const names = [this.spacemouse.mouse?.name ?? "", this.gamepadName, "keyboard", "on-screen pads"];
    return names.filter(Boolean);
  }

  #poll() {
    const now = nowMs();
    const mouse = this.spacemouse.mouse;
    /** @type {[Press["device"], DeviceState][]} */
    const states = [["pads", this.pads], ["gamepad", this.#gamepad()]];
    if (mouse) states.push(["spacemouse", mouse.read(now)]);
    this.state = together([this.keyboard.read(now), ...states.map(([, state]) => state)]);
    for (const [device, state] of states) {
      for (const button of pressed(state.buttons, this.#down.get(device) ?? new Set())) {
        this.#listeners.press({ device, button });
      }
      this.#down.set(device, new Set(state.buttons));
    }
    this.#listeners.polled(this.state);
  }

  /** @returns {DeviceState} */
  #gamepad() {
    const pads = navigator.getGamepads?.() ?? [];
    const pad = pads[this.#gamepadIndex] ?? pads.find((one) => one?.connected);
    if (!pad) return atRest();
    const state = readGamepad(pad);
    const isUsed = state.buttons.size > 0 || state.axes.some((value) => Math.abs(value) > 0.3);
    if (isUsed && this.#gamepadIndex < 0) {
      this.#gamepadIndex = pad.index;
      this.gamepadName = pad.id.replace(/\s*\(.*$/, "") || "gamepad";
    }
    return this.#gamepadIndex >= 0 ? state : atRest();
  }
}
