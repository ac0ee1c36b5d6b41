// Stands in for navigator.hid and getGamepads: `fakeMouse` replays recorded reports, `fakePad` is what it is set to.
(() => {
  const REPEAT_MS = 20;

  class Mouse extends EventTarget {
    vendorId = 0x256f;
    productId = 0;
    productName = "SpaceMouse, replayed";
    collections = [{ usagePage: 1, usage: 8 }];
    opened = false;
    async open() {
      this.opened = true;
    }
    async close() {
      this.opened = false;
    }
  }

  class Hid extends EventTarget {
    device = new Mouse();
    isPlugged = false;
    async getDevices() {
      return this.isPlugged ? [this.device] : [];
    }
    async requestDevice() {
      this.plug();
      return [this.device];
    }
    plug() {
      this.isPlugged = true;
    }
  }

  const hid = new Hid();
  let timer = 0;
  const say = (/** @type {number[][]} */ reports) => {
    for (const [reportId, ...bytes] of reports) {
      const data = new DataView(new Uint8Array(bytes).buffer);
      hid.device.dispatchEvent(Object.assign(new Event("inputreport"), { reportId, data }));
    }
  };
  const tell = (/** @type {string} */ type) => hid.dispatchEvent(Object.assign(new Event(type), { device: hid.device }));

  globalThis.fakeMouse = {
    plug() {
      hid.plug();
      tell("connect");
    },
    /** Says the same again and again, as a device that is held does. */
    hold(/** @type {number[][]} */ reports) {
      clearInterval(timer);
      say(reports);
      timer = setInterval(() => say(reports), REPEAT_MS);
    },
    unplug() {
      clearInterval(timer);
      hid.isPlugged = false;
      tell("disconnect");
    },
  };
  globalThis.fakePad = null;
  Object.defineProperty(Navigator.prototype, "hid", { configurable: true, get: () => hid });
  Navigator.prototype.getGamepads = () => [globalThis.fakePad];
})();
