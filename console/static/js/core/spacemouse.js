/**
 * A SpaceMouse over HID: report bytes in, `DeviceState` out; what corrections/spacemouse.py does, tested on the
 * same recorded reports (tests/fixtures/spacemouse_reports.json). Which of the two layouts a model speaks is
 * decided by report length, so models that nobody listed work too:
 *
 *     two reports    1: x y z (6 bytes)             2: rotation (6 bytes)    3: buttons
 *     one report     1: x y z rotation (12 bytes)                            3: buttons
 *
 * Lengths are without the report number, which WebHID gives apart. Some models say nothing while the cap is
 * held steady: silence becomes zero after 100 ms, with the dead-man held after 250 ms.
 *
 * @import { Button, DeviceState } from "./types.js"
 */

import { atRest, clipped, NUM_AXES } from "./device.js";

export const VENDOR_IDS = Object.freeze([0x256f, 0x046d]);
/** WebHID's filters: every 3Dconnexion device, and the old ids by usage "multi-axis controller". */
export const HID_FILTERS = Object.freeze([{ vendorId: 0x256f }, { vendorId: 0x046d, usagePage: 0x01, usage: 0x08 }]);
const FULL_SCALE = 350;
const SILENCE_MS = 100;
const SILENCE_DRIVING_MS = 250;
/** x right, y away, z up, then rotation about each, from HID's z down: `AxisConvention.HID_Z_UP`. */
const SIGNS = [1, -1, -1, 1, -1, -1];

/** @typedef {readonly [Button, number, number]} ButtonPlace meaning, byte and bit in report 3 */
/** @type {readonly ButtonPlace[]} */
const TWO_BUTTONS = [["deadman", 0, 0], ["hand_back", 0, 1]];
/** @type {readonly ButtonPlace[]} */
const PRO = [
  ["take", 0, 0],
  ["stop", 2, 6],
  ["deadman", 1, 4],
  ["hand_back", 1, 5],
  ["success", 1, 6],
  ["failure", 1, 7],
];
/** Models whose buttons sit elsewhere than left and right, by product id. @type {Record<number, readonly ButtonPlace[]>} */
const BUTTONS = {
  0xc62b: PRO,
  0xc632: PRO,
  0xc638: PRO,
  0xc652: PRO,
  0xc633: [...PRO, ["hand_back", 0, 4]],
  0xc627: [["stop", 0, 6], ["deadman", 0, 0], ["hand_back", 0, 1]],
  0xc625: [["deadman", 0, 0], ["hand_back", 0, 1], ["success", 0, 2], ["failure", 0, 3], ["stop", 1, 2]],
  0xc629: [["stop", 2, 6], ["deadman", 2, 1], ["hand_back", 2, 2], ["success", 1, 6], ["failure", 1, 7], ["take", 0, 0]],
};

export class SpaceMouse {
  #axes = new Array(NUM_AXES).fill(0);
  /** @type {Set<Button>} */
  #buttons = new Set();
  #isOneReport = false;
  #heardMs;
  #places;

  /**
   * @param {{name?: string, productId?: number, nowMs: number}} options
   */
  constructor({ name = "SpaceMouse", productId = 0, nowMs }) {
    this.name = name;
    this.#heardMs = nowMs;
    this.#places = BUTTONS[productId] ?? TWO_BUTTONS;
  }

  /**
   * One input report; what is not known is ignored.
   * @param {number} number
   * @param {DataView} data without the number
   * @param {number} nowMs
   */
  report(number, data, nowMs) {
    if (number === 1 && data.byteLength >= 6) {
      this.#motion(data);
    } else if (number === 2 && data.byteLength >= 6) {
      // A model that says everything in report 1 means something else by report 2.
      if (!this.#isOneReport) this.#set(3, data, 3);
    } else if (number === 3) {
      const down = this.#places.filter(([, byte, bit]) => byte < data.byteLength && (data.getUint8(byte) >> bit) & 1);
      this.#buttons = new Set(down.map(([button]) => button));
    } else {
      return;
    }
    this.#heardMs = nowMs;
  }

  /**
   * @param {number} nowMs
   * @returns {DeviceState}
   */
  read(nowMs) {
    const ageMs = nowMs - this.#heardMs;
    // Forgotten for good: the next report may bring half of a deflection only.
    if (ageMs > (this.#buttons.has("deadman") ? SILENCE_DRIVING_MS : SILENCE_MS)) this.#axes.fill(0);
    return { ...atRest(ageMs), axes: [...this.#axes], buttons: new Set(this.#buttons) };
  }

  /** @param {DataView} data */
  #motion(data) {
    const isOneReport = data.byteLength >= 12;
    if (isOneReport !== this.#isOneReport) this.#axes.fill(0);
    this.#isOneReport = isOneReport;
    this.#set(0, data, isOneReport ? 6 : 3);
  }

  /**
   * @param {number} first axis
   * @param {DataView} data little-endian int16
   * @param {number} num axes
   */
  #set(first, data, num) {
    for (let i = 0; i < num; i++) {
      const raw = data.getInt16(2 * i, true) / FULL_SCALE;
      this.#axes[first + i] = clipped(raw * /** @type {number} */ (SIGNS[first + i]));
    }
  }
}
