// Line drawings of the frame, 20 px, in the colour of their text. Never alone: a word stands beside each.

import { html } from "htm/preact";

/** @type {Readonly<Record<string, string>>} SVG paths, stroked */
const PATHS = Object.freeze({
  queue: "M3 11.5h3.6l1.2 2.4h4.4l1.2-2.4H17M3 11.5 5.2 4.4h9.6L17 11.5v4.1H3z",
  wall: "M3 4h6v5H3zM11 4h6v5h-6zM3 11h6v5H3zM11 11h6v5h-6z",
  "device-check": "M4 15.5h12M10 15.5V9.2M7.6 6.6a2.4 2.4 0 1 0 4.8 0a2.4 2.4 0 1 0 -4.8 0M5.5 15.5v-2.2h9v2.2",
  episodes: "M3 5h14v10H3zM8.3 7.8v4.4l3.8-2.2zM3 17.5h14",
  learning: "M3 3.5v13h14M5.8 13l3.2-3.8 2.6 2.2 4.6-5.6",
  weights: "M10 3 17 6.6 10 10.2 3 6.6zM3.4 10.1 10 13.5l6.6-3.4M3.4 13.5 10 16.9l6.6-3.4",
  fleet: "M7.6 3.5h4.8v4H7.6zM2.6 12.5h4.8v4H2.6zM12.6 12.5h4.8v4h-4.8zM10 7.5v2.6M5 12.5v-2.4h10v2.4",
  settings: "M3 6h7.5M14.5 6H17M3 14h2.5M9.5 14H17M10.5 4v4h4V4zM5.5 12v4h4v-4z",
  bell: "M5.5 13.5V9a4.5 4.5 0 0 1 9 0v4.5l1.4 1.4H4.1zM8.4 17h3.2",
  person: "M7 6.5a3 3 0 1 0 6 0a3 3 0 1 0 -6 0M3.8 16.8c.6-3.2 3-5 6.2-5s5.6 1.8 6.2 5",
  light: "M6.8 10a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0M10 2.6v1.8M10 15.6v1.8M2.6 10h1.8M15.6 10h1.8M4.8 4.8l1.2 1.2M14 14l1.2 1.2M15.2 4.8 14 6M6 14l-1.2 1.2",
  dark: "M16.2 11.9A6.7 6.7 0 0 1 8.1 3.8a6.7 6.7 0 1 0 8.1 8.1z",
  system: "M3 4.5h14v9H3zM7.5 16.5h5M10 13.5v3",
  keys: "M2.5 6h15v8.5h-15zM5.2 8.7h.1M8.4 8.7h.1M11.6 8.7h.1M14.8 8.7h.1M6.5 11.8h7",
});

/**
 * @param {object} props
 * @param {string} props.name
 * @param {number} [props.size] in CSS pixels
 */
export function Icon({ name, size = 20 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 20 20" aria-hidden="true">
    <path d=${PATHS[name] ?? ""} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round" />
  </svg>`;
}
