/**
 * Colours of the present theme for what is drawn on a canvas, which knows no tokens.
 */

/** By token, until the theme changes: asking the page for a style is slow. @type {Map<string, string>} */
const known = new Map();
/** Whose style is asked: a token alone reads as it is written, with both its colours. @type {HTMLElement | null} */
let probe = null;

/**
 * @param {string} token  a custom property of css/tokens.css
 * @param {number} [opacity]
 * @returns {string}
 */
export function colourOf(token, opacity = 1) {
  const value = known.get(token) ?? read(token);
  return opacity === 1 ? value : `color-mix(in srgb, ${value} ${opacity * 100}%, transparent)`;
}

/**
 * What draws on a canvas draws again when the colours change.
 * @param {() => void} act
 * @returns {() => void} stops listening
 */
export function onThemeChange(act) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = new MutationObserver(act);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  system.addEventListener("change", act);
  return () => {
    chosen.disconnect();
    system.removeEventListener("change", act);
  };
}

/** @param {string} token */
function read(token) {
  if (!probe) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
    onThemeChange(() => known.clear());
  }
  probe.style.color = `var(${token})`;
  const value = getComputedStyle(probe).color;
  known.set(token, value);
  return value;
}
