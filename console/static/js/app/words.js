/**
 * What the frame of the console and its operator screens say: one place, plain words, verb first.
 *
 * Every text is a constant or a function of the facts in it, so that another language is another copy of this file.
 *
 * @import { ControlMode, HelpRequest, Role } from "../core/types.js"
 */

import { counted, duration } from "../core/format.js";

/** @type {Readonly<Record<ControlMode | "silent", string>>} */
export const STATES = Object.freeze({
  autonomous: "Autonomous",
  correcting: "Person drives",
  paused: "Paused",
  lost: "Link lost",
  stopped: "Stopped",
  silent: "No report",
});

/** @type {Readonly<Record<HelpRequest["severity"], string>>} */
export const SEVERITIES = Object.freeze({ info: "Info", warning: "Warning", error: "Error" });

/** What it means that nobody answers in time, by the request's fallback. @type {Readonly<Record<string, string>>} */
export const FALLBACKS = Object.freeze({
  continue: "goes on by itself",
  hold: "holds still",
  end_episode: "ends the episode",
});

/** What is asked, where the request has no question of its own. @type {Readonly<Record<HelpRequest["kind"], string>>} */
export const QUESTIONS = Object.freeze({
  choose: "What should the robot do?",
  point: "Where? Click the place in the picture.",
  confirm_outcome: "How did the episode go?",
  reset_scene: "Put the scene back as it was, then say so.",
  take_over: "The robot needs a person to drive it.",
});

/** @type {Readonly<Record<string, string>>} */
export const RESULTS = Object.freeze({
  answered: "answered",
  taken_over: "took over",
  self_resolved: "resolved itself",
  expired: "ran out of time",
});

/** @type {Readonly<Record<Role, string>>} */
export const ROLES = Object.freeze({
  viewer: "Sees everything and may stop any robot",
  operator: "Helps, drives, labels and marks",
  engineer: "Promotes, freezes, rolls back, clears stops",
  admin: "Says who may do what",
});

export const SHELL = Object.freeze({
  product: "Touchline",
  skip: "Skip to the screen",
  navigation: "Screens",
  screens: Object.freeze({
    queue: "Queue",
    wall: "Wall",
    "device-check": "Check",
    episodes: "Episodes",
    learning: "Learning",
    weights: "Weights",
    fleet: "Fleet",
    settings: "Settings",
  }),
  titles: Object.freeze({ drive: "Drive", player: "Episode", robot: "Robot", "device-check": "Device check" }),
  simulated: "Simulated robots",
  stop: "STOP",
  stopHeld: (/** @type {string} */ robotId) => `Stop ${robotId} (Ctrl + .)`,
  stopNone: "You hold no robot. To stop one, open it and press STOP there.",
  stopped: (/** @type {string} */ robotId) => `Stop sent to ${robotId}`,
  stopReason: "stopped by hand, from the console",
  holding: (/** @type {string} */ robotId) => `Driving ${robotId}`,
  holdingNone: "holds no robot",
  load: (/** @type {number} */ numActive, /** @type {number} */ numRobots, /** @type {number} */ numPeople) =>
    `${numActive} of ${counted(numRobots, "robot")} autonomous, ${counted(numPeople, "person", "people")} helping`,
  noAlarms: "No alarms",
  alarms: (/** @type {number} */ num) => counted(num, "alarm"),
  signOut: "Sign out",
  theme: "Theme",
  themes: Object.freeze({ system: "As the system", light: "Light", dark: "Dark" }),
  keys: "Keys",
  loading: "Loading…",
  failedTitle: "This screen could not be shown",
  failedHint: "Everything else goes on working. Try again, or reload the page.",
  retry: "Try again",
  notFound: "There is no such screen",
  notFoundHint: "The address may be old or mistyped.",
  toQueue: "Go to the queue",
  startFailed: "The console could not be opened",
});

export const BANNERS = Object.freeze({
  lost: (/** @type {string} */ reason, /** @type {number} */ leftS) =>
    `${reason} What you see is old. ${leftS > 0 ? `Trying again in ${Math.ceil(leftS)} s.` : "Trying again…"}`,
  refused: (/** @type {string} */ reason) => `${reason} Sign in again to go on.`,
  signIn: "Sign in",
  gateway: (/** @type {string} */ reason) =>
    `The gateway is away: nobody can drive or answer, and robots that were driven hold still. ${sentence(reason)}`,
  old: (/** @type {number} */ ageMs) => `No robot has reported for ${duration(ageMs / 1000)}. What you see is old.`,
  lake: (/** @type {string} */ words) => `History is not up to date: ${sentence(words)} Robots and driving go on.`,
  frozen: (/** @type {{author: string, reason: string}} */ by) => `Promotions are frozen by ${by.author}: ${by.reason}`,
  openWeights: "Open weights",
  unhealthy: (/** @type {string} */ words) => sentence(words),
  openFleet: "Open fleet",
});

export const QUEUE = Object.freeze({
  title: "Queue",
  numOpen: (/** @type {number} */ num) => (num ? `${counted(num, "request")} open` : "No open requests"),
  list: "Requests for help, most urgent first",
  waits: (/** @type {number} */ seconds) => `waits ${duration(seconds)}`,
  mine: "you",
  looks: (/** @type {string} */ name) => `${name} looks at it`,
  over: "Over: it needs nobody any more",
  nobody: "Nobody needs you",
  unlabelled: (/** @type {number} */ num) => `${counted(num, "episode waits", "episodes wait")} for a label.`,
  allLabelled: "Every episode has a label.",
  review: "Review them",
  quietHint: "The next request shows here, with a sound if you want one.",
  pick: "Choose a request on the left, or press N.",
  gone: "This request is over.",
  next: "Next request",
  clip: "10 s before",
  live: "Live",
  clipOf: (/** @type {string} */ robotId) => `The 10 seconds before ${robotId} asked, in a loop`,
  liveOf: (/** @type {string} */ robotId) => `${robotId}, live`,
  latest: "Latest 10 s",
  clipWaits: "Keeping pictures for the clip…",
  clipNone: "No pictures came from this robot.",
  noEpisode: "No episode runs, so there is no clip.",
  pause: "Pause",
  play: "Play",
  swap: "Enlarge",
  both: "Show both",
  value: "Value",
  valueNone: "The critic has no value for this robot yet.",
  takeOver: "Take over",
  watch: "Watch",
  open: "Open it",
  claim: "I look after it",
  claimed: "Yours. Nobody else can answer while you look.",
  unclaim: "Let it go",
  claimedBy: (/** @type {string} */ name, /** @type {number} */ leftS) =>
    `${name} looks after this for another ${Math.ceil(leftS)} s.`,
  outcomes: Object.freeze({ success: "It succeeded", failure: "It failed", timed_out: "It ran out of time" }),
  unclear: "Unclear: leave it for review",
  done: "Done: the scene is ready",
  pointHere: "Send this place",
  pointHint: "Click the place in the picture. With keys: arrows move the cross, Enter sends.",
  pointed: (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ camera) =>
    `${camera}: ${Math.round(x * 100)} % from the left, ${Math.round(y * 100)} % from the top`,
  sent: "Answer sent",
  notYou: (/** @type {Role} */ role) => `You are ${role}: answering needs the role operator. Ask an admin.`,
  stopOnly: "This robot is stopped: an engineer clears the stop on its Drive page, after a look at it.",
  lostOnly: "The link to its driver was lost. It holds still until somebody takes over.",
  deadline: (/** @type {string} */ left, /** @type {string} */ fallback) => `${left} left, then it ${fallback}`,
  noDeadline: "It waits as long as it takes.",
  facts: "Facts",
  version: "Weights",
  task: "Task",
  instruction: "Instruction",
  driver: "Held by",
  lastOutcomes: "Last three episodes",
  noOutcomes: "None yet.",
  similar: "Similar requests before",
  noSimilar: "None yet.",
  fleet: "Fleet",
  openRobot: (/** @type {string} */ robotId, /** @type {string} */ state) => `${robotId}: ${state}. Watch it`,
});

export const WALL = Object.freeze({
  title: "Wall",
  counters: Object.freeze({ autonomous: "autonomous", helped: "with a person", waiting: "waiting for a person", down: "down" }),
});

export const FIRST_RUN = Object.freeze({
  title: "No robots yet",
  lead: "The console is up and waits for the first robot to connect.",
  steps: Object.freeze([
    { words: "Start a whole fleet on this machine, with simulated robots:", code: "touchline up" },
    { words: "Or start the robots of a fleet that runs already:", code: "touchline actor" },
    { words: "Not sure what runs? Ask:", code: "touchline status" },
  ]),
  hint: "Robots show here by themselves as soon as they are connected. Nothing needs a reload.",
});

export const SETTINGS = Object.freeze({
  title: "Settings",
  sections: Object.freeze({
    look: "Look",
    devices: "Devices",
    keys: "Keys",
    sounds: "Sounds and notices",
    people: "People",
    about: "About",
  }),
  saved: "Saved",
  notSaved: "Not saved",
});

/**
 * @param {string} text
 * @returns {string} with a capital and a full stop
 */
export function sentence(text) {
  const trimmed = text.trim();
  if (!trimmed) return "";
  const whole = trimmed[0]?.toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
