/**
 * The address is the whole state of a screen: a path, and a query. A link that somebody sends shows what they saw.
 */

import { computed, signal } from "@preact/signals";

/**
 * @typedef {object} Route
 * @property {string} screen file name of the screen in screens/; empty where there is none
 * @property {string} id of the robot or episode; may be empty
 * @property {string} section the entry of the navigation that it belongs to
 * @property {string} path
 * @typedef {Record<string, string | number | boolean | null | undefined>} Query null and undefined are left out
 */

/** @type {readonly {pattern: RegExp, screen: string, section: string}[]} */
const ROUTES = [
  { pattern: /^\/(?:queue)?$/, screen: "queue", section: "queue" },
  { pattern: /^\/wall$/, screen: "wall", section: "wall" },
  { pattern: /^\/drive\/([^/]+)$/, screen: "drive", section: "queue" },
  { pattern: /^\/device-check$/, screen: "device-check", section: "device-check" },
  { pattern: /^\/episodes$/, screen: "episodes", section: "episodes" },
  { pattern: /^\/episodes\/([^/]+)$/, screen: "player", section: "episodes" },
  { pattern: /^\/learning$/, screen: "learning", section: "learning" },
  { pattern: /^\/weights$/, screen: "weights", section: "weights" },
  { pattern: /^\/fleet$/, screen: "fleet", section: "fleet" },
  { pattern: /^\/fleet\/([^/]+)$/, screen: "robot", section: "fleet" },
  { pattern: /^\/settings$/, screen: "settings", section: "settings" },
];

const address = signal({ path: location.pathname, search: location.search });
let numMoves = 0;

/** Where we are. @type {import("@preact/signals").ReadonlySignal<Route>} */
export const route = computed(() => routeOf(address.value.path));

/** What is asked of the screen. @type {import("@preact/signals").ReadonlySignal<URLSearchParams>} */
export const query = computed(() => new URLSearchParams(address.value.search));

/**
 * The screen of a path.
 * @param {string} path
 * @returns {Route}
 */
function routeOf(path) {
  const plain = path.length > 1 ? path.replace(/\/+$/, "") : path;
  for (const { pattern, screen, section } of ROUTES) {
    const match = pattern.exec(plain);
    if (match) return { screen, section, path, id: decoded(match[1] ?? "") };
  }
  return { screen: "", section: "", path, id: "" };
}

/**
 * An address inside the console.
 * @param {string} path
 * @param {Query | URLSearchParams} [parts]
 * @returns {string}
 */
export function href(path, parts = {}) {
  const entries = parts instanceof URLSearchParams ? [...parts] : Object.entries(parts);
  const kept = entries.flatMap(([name, value]) =>
    value === null || value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return kept.length ? `${path}?${new URLSearchParams(kept)}` : path;
}

/**
 * Go to a screen. `path` may carry a query of its own.
 * @param {string} path
 * @param {Query | URLSearchParams} [parts]
 * @param {{replace?: boolean}} [options] replace: the back button skips where we are now
 */
export function go(path, parts = {}, { replace = false } = {}) {
  const target = new URL(href(path, parts), location.origin);
  const here = location.pathname + location.search;
  if (target.pathname + target.search === here) return;
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  arrive();
}

/**
 * Change some of the query and stay on the screen.
 * @param {Query} changes null takes a part away
 * @param {{replace?: boolean}} [options] replace is right for what changes often, such as a cursor
 */
export function setQuery(changes, { replace = true } = {}) {
  const parts = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") parts.delete(name);
    else parts.set(name, String(value));
  }
  go(location.pathname, parts, { replace });
}

/**
 * The properties of an `<a>` that stays in the page: `html\`<a ...${link("/wall")}>\``. A new tab is left to the browser.
 * @param {string} path
 * @param {Query | URLSearchParams} [parts]
 */
export function link(path, parts = {}) {
  const target = href(path, parts);
  return {
    href: target,
    onClick: (/** @type {MouseEvent} */ event) => {
      if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      go(target);
    },
  };
}

/** How often the person moved on since the page came; 0: nobody did, so the focus stays where it is. */
export function moves() {
  return numMoves;
}

function arrive() {
  const isNewScreen = location.pathname !== address.value.path;
  address.value = { path: location.pathname, search: location.search };
  if (!isNewScreen) return;
  numMoves += 1;
  document.getElementById("main")?.scrollTo(0, 0);
}

/**
 * @param {string} part
 * @returns {string}
 */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

addEventListener("popstate", arrive);
