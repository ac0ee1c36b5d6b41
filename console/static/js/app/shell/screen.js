/**
 * The screen that the address names, loaded when it is first wanted. A screen that fails says so; the frame, STOP
 * included, goes on.
 */

import { Component, html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { announce } from "../announce.js";
import { link, moves, route } from "../router.js";
import { SHELL } from "../words.js";

/** @typedef {import("preact").ComponentType<any>} AnyComponent */

/** @type {Readonly<Record<string, () => Promise<AnyComponent>>>} */
const SCREENS = Object.freeze({
  queue: async () => (await import("../screens/queue.js")).Queue,
  wall: async () => (await import("../screens/wall.js")).Wall,
  drive: async () => (await import("../screens/drive.js")).Drive,
  "device-check": async () => (await import("../screens/device-check.js")).DeviceCheck,
  episodes: async () => (await import("../screens/episodes.js")).Episodes,
  player: async () => (await import("../screens/player.js")).Player,
  learning: async () => (await import("../screens/learning.js")).Learning,
  weights: async () => (await import("../screens/weights.js")).Weights,
  fleet: async () => (await import("../screens/fleet.js")).Fleet,
  robot: async () => (await import("../screens/robot.js")).Robot,
  settings: async () => (await import("../screens/settings.js")).Settings,
});

/** @type {Map<string, AnyComponent>} */
const loaded = new Map();

export function Screen() {
  const { screen, id } = route.value;
  const [attempt, setAttempt] = useState(0);
  // A robot's or an episode's screen starts anew for another one.
  return html`<${Guard} key=${`${screen} ${id} ${attempt}`} onRetry=${() => setAttempt(attempt + 1)}><${Loaded} screen=${screen} id=${id} /><//>`;
}

/**
 * @param {object} props
 * @param {string} props.screen
 * @param {string} props.id
 */
function Loaded({ screen, id }) {
  const [problem, setProblem] = useState(/** @type {unknown} */ (null));
  const [component, setComponent] = useState(() => loaded.get(screen) ?? null);
  useEffect(() => {
    if (component || !SCREENS[screen]) return;
    SCREENS[screen]().then((found) => {
      loaded.set(screen, found);
      setComponent(() => found);
    }, setProblem);
  }, []);
  useArrival(screen, id, Boolean(component));
  if (problem) throw problem;
  if (!SCREENS[screen]) return html`<${NotFound} />`;
  if (!component) return html`<div class="state-page" role="status"><p>${SHELL.loading}</p></div>`;
  return html`<${component} id=${id} />`;
}

/**
 * The title of the page and, after a move, the focus on the heading: as a new page would do.
 * @param {string} screen
 * @param {string} id
 * @param {boolean} isThere
 */
function useArrival(screen, id, isThere) {
  const isDone = useRef(false);
  useEffect(() => {
    if (!isThere || isDone.current) return;
    isDone.current = true;
    const name = titleOf(screen);
    document.title = [id, name, SHELL.product].filter(Boolean).join(" · ");
    if (!moves()) return;
    const heading = document.querySelector("#main h1");
    const target = heading instanceof HTMLElement ? heading : document.getElementById("main");
    if (!target || target.contains(document.activeElement)) return;
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
    announce([name, id].filter(Boolean).join(" "));
  });
}

/**
 * @param {string} screen
 * @returns {string}
 */
function titleOf(screen) {
  const titles = /** @type {Record<string, string>} */ (SHELL.titles);
  const names = /** @type {Record<string, string>} */ (SHELL.screens);
  return titles[screen] ?? names[screen] ?? "";
}

function NotFound() {
  return html`<div class="state-page">
    <h1>${SHELL.notFound}</h1>
    <p>${SHELL.notFoundHint}</p>
    <a class="button primary" ...${link("/queue")}>${SHELL.toQueue}</a>
  </div>`;
}

/** @extends {Component<{onRetry: () => void, children?: any}, {problem: unknown}>} */
class Guard extends Component {
  constructor() {
    super();
    this.state = { problem: null };
  }

  /**
   * @override
   * @param {unknown} problem
   */
  static getDerivedStateFromError(problem) {
    return { problem };
  }

  /** @override */
  render() {
    const problem = /** @type {unknown} */ (this.state.problem);
    if (problem === null) return this.props.children;
    return html`<div class="state-page" role="alert">
      <h1>${SHELL.failedTitle}</h1>
      <p>${problem instanceof Error ? problem.message : String(problem)}</p>
      <p class="quiet">${SHELL.failedHint}</p>
      <div class="button-row">
        <button type="button" class="primary" onClick=${this.props.onRetry}>${SHELL.retry}</button>
        <a class="button" ...${link("/queue")}>${SHELL.toQueue}</a>
      </div>
    </div>`;
  }
}
