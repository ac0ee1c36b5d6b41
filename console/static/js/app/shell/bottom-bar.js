// The lower edge: how good the connection is, and what runs here.

import { html } from "htm/preact";

import { milliseconds } from "../../core/format.js";
import { connection, session } from "../store.js";

const SLOW_MS = 150;
const OLD_MS = 2000;

/** @returns {{level: "good" | "slow" | "bad", words: string}} */
function health() {
  const { socket, gateway_is_up, round_trip_ms, age_ms } = connection.value;
  if (socket === "connecting") return { level: "slow", words: "Connecting" };
  if (socket !== "open") return { level: "bad", words: "No connection" };
  if (!gateway_is_up) return { level: "bad", words: "Gateway away" };
  const trip = round_trip_ms >= 0 ? `, round trip ${milliseconds(round_trip_ms)}` : "";
  if (age_ms > OLD_MS) return { level: "slow", words: `Connected${trip}, newest report ${milliseconds(age_ms)} old` };
  return { level: round_trip_ms > SLOW_MS ? "slow" : "good", words: `Connected${trip}` };
}

export function BottomBar() {
  const { level, words } = health();
  return html`<footer class="bottom-bar">
    <span class=${`link-chip is-${level}`}><span class="link-shape" aria-hidden="true"></span><span class="tabular">${words}</span></span>
    <span class="bottom-note">Software is not a safety device: keep the hard-wired stop in reach.</span>
    <span class="bottom-version">${session.value ? `Touchline ${session.value.version}` : ""}</span>
  </footer>`;
}
