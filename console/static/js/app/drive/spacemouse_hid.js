/**
 * A SpaceMouse through WebHID: ask once, open what was granted, come back after a re-plug.
 *
 * Chromium only, and only on a secure page; what to tell people elsewhere is `hidProblem`.
 */

import { nowMs } from "../../core/clock.js";
import { HID_FILTERS, SpaceMouse, VENDOR_IDS } from "../../core/spacemouse.js";

/**
 * What we use of WebHID; it is not in TypeScript's library.
 * @typedef {{vendorId: number, productId: number, productName: string, opened: boolean, open: () => Promise<void>,
 *            close: () => Promise<void>, addEventListener: (type: string, listen: (event: any) => void) => void,
 *            removeEventListener: (type: string, listen: (event: any) => void) => void,
 *            collections: {usagePage: number, usage: number}[]}} HidDevice
 * @typedef {{getDevices: () => Promise<HidDevice[]>, requestDevice: (options: object) => Promise<HidDevice[]>,
 *            addEventListener: (type: string, listen: (event: any) => void) => void,
 *            removeEventListener: (type: string, listen: (event: any) => void) => void}} Hid
 */

/** @returns {Hid | null} */
function hid() {
  return /** @type {any} */ (navigator).hid ?? null;
}

/** Why there can be no SpaceMouse here, in words; empty if there can. */
export function hidProblem() {
  if (!isSecureContext) {
    return "This page is not secure, so the browser hides the SpaceMouse. Open it as https://, or on this machine as http://localhost.";
  }
  if (!hid()) return "This browser has no WebHID. Use Chrome, Edge or Chromium for a SpaceMouse; gamepad and keyboard work here.";
  return "";
}

/** The last screen's letting go: opening what is still being closed would close it again. */
let closing = Promise.resolve();

export class SpaceMouseHid {
  /** @type {SpaceMouse | null} */
  mouse = null;
  /** @type {HidDevice | null} */
  #device = null;
  #isOver = false;
  #changed;
  #lost;
  #plugged = (/** @type {{device: HidDevice}} */ event) => void this.#use(event.device);
  #unplugged = (/** @type {{device: HidDevice}} */ event) => this.#gone(event.device);
  #report = (/** @type {{reportId: number, data: DataView}} */ event) =>
    this.mouse?.report(event.reportId, event.data, nowMs());

  /**
   * @param {object} listeners
   * @param {() => void} listeners.changed one came or went
   * @param {() => void} listeners.lost the one in use was unplugged: zero now
   */
  constructor({ changed, lost }) {
    this.#changed = changed;
    this.#lost = lost;
  }

  /** Open what this person allowed before, and wait for what is plugged in. */
  async start() {
    const bus = hid();
    if (!bus) return;
    bus.addEventListener("connect", this.#plugged);
    bus.addEventListener("disconnect", this.#unplugged);
    await closing;
    for (const device of await bus.getDevices()) await this.#use(device);
  }

  /** Let the browser ask which one; needs a click. Resolves to what went wrong, in words, or nothing. */
  async ask() {
    const bus = hid();
    if (!bus) return hidProblem();
    try {
      const [device] = await bus.requestDevice({ filters: HID_FILTERS });
      return device ? await this.#use(device) : "No device was chosen. Plug the SpaceMouse in and try again.";
    } catch (error) {
      return `The browser could not ask for the device: ${error instanceof Error ? error.message : error}`;
    }
  }

  /** Let go of it, for good. */
  stop() {
    this.#isOver = true;
    hid()?.removeEventListener("connect", this.#plugged);
    hid()?.removeEventListener("disconnect", this.#unplugged);
    this.#device?.removeEventListener("inputreport", this.#report);
    if (this.#device) closing = this.#device.close();
    this.#device = null;
    this.mouse = null;
  }

  /**
   * @param {HidDevice} device
   * @returns {Promise<string>}
   */
  async #use(device) {
    if (this.#isOver || this.#device || !VENDOR_IDS.includes(device.vendorId)) return "";
    try {
      if (!device.opened) await device.open();
    } catch {
      return `${device.productName} is there, but this machine does not let the browser open it. Install the udev rule from infra/deploy/browser, then plug it in again.`;
    }
    if (this.#isOver) return "";
    this.#device = device;
    this.mouse = new SpaceMouse({ name: device.productName, productId: device.productId, nowMs: nowMs() });
    device.addEventListener("inputreport", this.#report);
    this.#changed();
    return "";
  }

  /** @param {HidDevice} device */
  #gone(device) {
    if (device !== this.#device) return;
    device.removeEventListener("inputreport", this.#report);
    this.#device = null;
    this.mouse = null;
    this.#lost();
    this.#changed();
  }
}
