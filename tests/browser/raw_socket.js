// A hand-made client in the page, with the person's own session: what scripts of a stranger, or a broken page, could say.
(() => {
  class RawSocket {
    heard = [];
    closed = null;
    clocks = new Map();
    numPictures = 0;

    /** @param {string} url */
    constructor(url) {
      this.socket = new WebSocket(url);
      this.socket.binaryType = "arraybuffer";
      this.socket.onmessage = ({ data }) => (typeof data === "string" ? this.take(JSON.parse(data)) : this.numPictures++);
      this.socket.onclose = ({ code, reason }) => (this.closed = { code, reason });
      this.ready = new Promise((resolve) => {
        this.socket.onopen = () => resolve(true);
        this.socket.onerror = () => resolve(false);
      });
    }

    take(message) {
      if (message.type !== "reports") this.heard.push(message);
      else for (const state of message.states) this.clocks.set(state.robot_id, { sentNs: state.sent_ns, atMs: performance.now() });
    }

    /** A command of a lease, with a fresh time by the robot's clock. */
    command(robot_id, lease_epoch, seq) {
      const { sentNs, atMs } = this.clocks.get(robot_id);
      const sent_ns = Math.round(sentNs + (performance.now() - atMs) * 1e6);
      this.say({ type: "command", robot_id, lease_epoch, seq, sent_ns, action: [1, 1, 1], is_deadman_held: true });
    }

    say(message) {
      this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
    }
  }

  globalThis.call = async (/** @type {string} */ method, /** @type {string} */ path, body, headers = {}) => {
    const { csrf } = await (await fetch("/api/session")).json();
    const sent = { "Content-Type": "application/json", "X-Touchline-CSRF": csrf, ...headers };
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await fetch(path, { method, headers: sent, ...(method === "GET" ? {} : { body: text }) });
    return { status: answer.status, body: await answer.json().catch(() => null) };
  };

  globalThis.rawSocket = async (/** @type {string} */ path, ticket = "") => {
    const { csrf } = await (await fetch("/api/session")).json();
    const headers = { "Content-Type": "application/json", "X-Touchline-CSRF": csrf };
    const found = ticket || (await (await fetch("/api/tickets", { method: "POST", headers, body: "{}" })).json()).ticket;
    const raw = new RawSocket(`ws://${location.host}${path}?ticket=${encodeURIComponent(found)}`);
    raw.isOpen = await raw.ready;
    return raw;
  };
})();
