/**
 * The control worker: owns the control socket and its clock. A worker's timers go on while the page is busy
 * drawing, and while it is hidden. What it does is in core/control_link.js; the messages are in core/types.js.
 *
 * @import { FromControl, StartControl, ToControl } from "../core/types.js"
 */

import { nowMs } from "../core/clock.js";
import { ControlLink } from "../core/control_link.js";

/** @type {ControlLink | null} */
let link = null;

/** @type {WebSocket | null} */
let current = null;

/**
 * A socket whose events reach the link until another one takes its place: one that was given up may still
 * close much later.
 * @param {string} url
 */
function dial(url) {
  const socket = new WebSocket(url);
  const ifCurrent = (/** @type {() => void} */ act) => void (socket === current && act());
  socket.onopen = () => ifCurrent(() => link?.opened());
  socket.onmessage = (event) => ifCurrent(() => link?.received(event.data));
  socket.onclose = (event) => ifCurrent(() => link?.closed(event.reason));
  current = socket;
  return socket;
}

/** @param {StartControl} start */
function begin({ url, rateHz, renewMs, wishMs, clocks }) {
  link = new ControlLink({
    options: { renewMs, wishMs },
    post: (/** @type {FromControl} */ message) => postMessage(message),
    open: (ticket) => dial(`${url}?ticket=${encodeURIComponent(ticket)}`),
    nowMs,
    tellClocks: (news) => clocks?.postMessage(news),
  });
  link.connect();
  setInterval(() => link?.tick(), 1000 / rateHz);
}

onmessage = (/** @type {MessageEvent<ToControl>} */ event) => {
  if (event.data.type === "start") begin(event.data);
  else link?.page(event.data);
};
