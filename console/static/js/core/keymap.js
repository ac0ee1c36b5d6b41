/**
 * Which key does what: defaults (console.md 6), a person's own choice, and conflicts. Keys are named by
 * `event.code`, their place on the keyboard, so every layout works.
 *
 * @typedef {Record<string, string[]>} Keymap codes of each action
 */

/**
 * Every action with a key, in the order of the settings page.
 * @type {readonly {action: string, words: string, codes: readonly string[], isFixed?: boolean}[]}
 */
export const ACTIONS = Object.freeze([
  { action: "stop", words: "Stop and hold", codes: ["Space"] },
  { action: "deadman", words: "Dead-man (hold to move)", codes: ["KeyJ"] },
  { action: "take", words: "Take control", codes: ["KeyT"] },
  { action: "hand_back", words: "Hand back to the policy", codes: ["KeyH"] },
  { action: "leave", words: "Hand back and leave", codes: ["Escape"], isFixed: true },
  { action: "x+", words: "Move right", codes: ["KeyD"] },
  { action: "x-", words: "Move left", codes: ["KeyA"] },
  { action: "y+", words: "Move away", codes: ["KeyW"] },
  { action: "y-", words: "Move nearer", codes: ["KeyS"] },
  { action: "z+", words: "Move up", codes: ["KeyR"] },
  { action: "z-", words: "Move down", codes: ["KeyF"] },
  { action: "roll+", words: "Tilt right", codes: ["ArrowRight"] },
  { action: "roll-", words: "Tilt left", codes: ["ArrowLeft"] },
  { action: "pitch+", words: "Tilt nearer", codes: ["ArrowDown"] },
  { action: "pitch-", words: "Tilt away", codes: ["ArrowUp"] },
  { action: "yaw+", words: "Twist left", codes: ["KeyQ"] },
  { action: "yaw-", words: "Twist right", codes: ["KeyE"] },
  { action: "gripper", words: "Open or close the gripper", codes: ["KeyG"] },
  { action: "slower", words: "Slower", codes: ["Minus", "NumpadSubtract"] },
  { action: "faster", words: "Faster", codes: ["Equal", "NumpadAdd"] },
  { action: "camera_1", words: "Big picture: camera 1", codes: ["Digit1"] },
  { action: "camera_2", words: "Big picture: camera 2", codes: ["Digit2"] },
  { action: "camera_3", words: "Big picture: camera 3", codes: ["Digit3"] },
  { action: "camera_4", words: "Big picture: camera 4", codes: ["Digit4"] },
  { action: "success", words: "It succeeded", codes: ["Enter", "NumpadEnter"] },
  { action: "failure", words: "It failed", codes: ["Backspace"] },
  { action: "timed_out", words: "It timed out", codes: ["KeyO"] },
  { action: "mark", words: "Mark the moment it went wrong", codes: ["KeyM"] },
  { action: "recovered", words: "Back to a good state", codes: ["KeyB"] },
  { action: "undo", words: "Undo the outcome", codes: ["KeyU"] },
  { action: "next", words: "Next request", codes: ["KeyN"] },
]);

/** @returns {Keymap} */
export function defaultKeymap() {
  return Object.fromEntries(ACTIONS.map(({ action, codes }) => [action, [...codes]]));
}

/**
 * The defaults with a person's choices over them; choices that make no sense are left out.
 * @param {unknown} chosen `{action: [code, ...]}`, from the settings
 * @returns {Keymap}
 */
export function keymapWith(chosen) {
  const keymap = defaultKeymap();
  if (typeof chosen !== "object" || chosen === null) return keymap;
  for (const [action, codes] of Object.entries(chosen)) {
    const known = ACTIONS.find((row) => row.action === action);
    const isList = Array.isArray(codes) && codes.every((code) => typeof code === "string" && code.length <= 32);
    // The way out and the stop always have a key.
    if (known && !known.isFixed && isList && (codes.length || action !== "stop")) keymap[action] = [...codes];
  }
  return keymap;
}

/**
 * Keys that mean two things.
 * @param {Keymap} keymap
 * @returns {{code: string, actions: string[]}[]}
 */
export function conflicts(keymap) {
  /** @type {Map<string, string[]>} */
  const users = new Map();
  for (const [action, codes] of Object.entries(keymap)) {
    for (const code of codes) users.set(code, [...(users.get(code) ?? []), action]);
  }
  return [...users].filter(([, actions]) => actions.length > 1).map(([code, actions]) => ({ code, actions }));
}

/**
 * What a key does; empty if nothing. Where two actions share a key, the one that is listed first counts:
 * stop comes before everything.
 * @param {Keymap} keymap
 * @param {string} code
 */
export function actionFor(keymap, code) {
  return ACTIONS.find(({ action }) => keymap[action]?.includes(code))?.action ?? "";
}

/** @type {Record<string, string>} */
const NAMES = {
  Escape: "Esc",
  Minus: "-",
  Equal: "+",
  NumpadSubtract: "-",
  NumpadAdd: "+",
  Enter: "↵",
  NumpadEnter: "↵",
  Backspace: "⌫",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  ControlLeft: "Ctrl",
  ControlRight: "Ctrl",
  ShiftLeft: "Shift",
  ShiftRight: "Shift",
};

/**
 * A key as it is printed on it, on a US keyboard.
 * @param {string} code
 */
export function keyName(code) {
  return NAMES[code] ?? code.replace(/^(Key|Digit|Numpad)/, "");
}

/**
 * The first key of an action, for a button; empty if it has none.
 * @param {Keymap} keymap
 * @param {string} action
 */
export function keyHint(keymap, action) {
  const code = keymap[action]?.[0];
  return code === undefined ? "" : keyName(code);
}
