/**
 * Starts the two workers and passes messages; what they mean is in core/types.js. One pair for the page.
 *
 * @import { FromControl, FromPictures, ToControl, ToPictures } from "../core/types.js"
 */

/** @type {Worker | null} */
let control = null;
/** @type {Worker | null} */
let pictures = null;
/** @type {Set<(message: FromPictures) => void>} */
const pictureListeners = new Set();
/** @type {ToPictures[]} said before there was a worker */
const early = [];

/** A ticket was refused: signed out, or the server is away. */
export class TicketError extends Error {
  /**
   * @param {string} reason
   * @param {boolean} isFinal trying again is of no use
   */
  constructor(reason, isFinal) {
    super(reason);
    this.isFinal = isFinal;
  }
}

/**
 * @param {object} options
 * @param {{command_rate_hz: number, renew_s: number}} options.limits from GET /api/session
 * @param {() => Promise<string>} options.getTicket POST /api/tickets; throws `TicketError`
 * @param {(message: FromControl) => void} options.onControl
 */
export function startLinks({ limits, getTicket, onControl }) {
  const { port1, port2 } = new MessageChannel();
  const base = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
  control = new Worker(new URL("../workers/control.js", import.meta.url), { type: "module", name: "control" });
  control.onmessage = ({ data }) => {
    if (data.type === "ticket_wanted") void giveTicket(control, getTicket);
    else onControl(data);
  };
  pictures = new Worker(new URL("../workers/pictures.js", import.meta.url), { type: "module", name: "pictures" });
  pictures.onmessage = ({ data }) => {
    if (data.type === "ticket_wanted") void giveTicket(pictures, getTicket);
    else for (const listener of pictureListeners) listener(data);
  };
  const rates = { rateHz: limits.command_rate_hz, renewMs: limits.renew_s * 1000, wishMs: 250 };
  control.postMessage({ type: "start", url: `${base}/ws/control`, ...rates, clocks: port1 }, [port1]);
  pictures.postMessage({ type: "start", url: `${base}/ws/pictures`, clocks: port2 }, [port2]);
  for (const message of early.splice(0)) postPictures(message);
  watchPage();
}

/** @param {ToControl} message */
export function postControl(message) {
  control?.postMessage(message);
}

/** @param {ToPictures} message */
export function postPictures(message) {
  if (!pictures) early.push(message);
  else pictures.postMessage(message, message.type === "show" && message.canvas ? [message.canvas] : []);
}

/**
 * @param {(message: FromPictures) => void} listener
 * @returns {() => void} stops it
 */
export function onPictures(listener) {
  pictureListeners.add(listener);
  return () => void pictureListeners.delete(listener);
}

/**
 * @param {Worker | null} worker
 * @param {() => Promise<string>} getTicket
 */
async function giveTicket(worker, getTicket) {
  try {
    worker?.postMessage({ type: "ticket", ticket: await getTicket() });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const isFinal = error instanceof TicketError && error.isFinal;
    worker?.postMessage({ type: "ticket_failed", reason, isFinal });
  }
}

/** Whatever takes the page from under a person's eyes or hands keeps the robot still. */
function watchPage() {
  const say = (/** @type {"hidden" | "blurred" | "frozen"} */ cause, /** @type {boolean} */ isStill) =>
    postControl({ type: isStill ? "still" : "alive", cause });
  const visibility = () => {
    say("hidden", document.visibilityState === "hidden");
    postPictures({ type: "visible", isVisible: document.visibilityState === "visible" });
  };
  document.addEventListener("visibilitychange", visibility);
  window.addEventListener("blur", () => say("blurred", true));
  window.addEventListener("focus", () => say("blurred", false));
  document.addEventListener("freeze", () => say("frozen", true));
  document.addEventListener("resume", () => say("frozen", false));
  window.addEventListener("pagehide", () => say("hidden", true));
  window.addEventListener("pageshow", visibility);
  if (document.visibilityState === "hidden") visibility();
}
