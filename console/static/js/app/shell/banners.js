/**
 * What is wrong with the whole, in one line each, with what it means for the person and what to do.
 */

import { html } from "htm/preact";
import { useEffect } from "preact/hooks";

import { fleetHealth } from "../alarms.js";
import { signIn } from "../api.js";
import { useResource } from "../resource.js";
import { link, route } from "../router.js";
import { connection, now, roster } from "../store.js";
import { BANNERS } from "../words.js";

const OLD_MS = 5000;
const HEALTH_S = 15;
const RELEASES_S = 60;

/** @typedef {{isBad?: boolean, words: string, action?: any}} Banner */

export function Banners() {
  const { data: fleet, error } = useResource("/api/fleet", HEALTH_S);
  const weights = useResource("/api/weights", RELEASES_S).data;
  useEffect(() => {
    const found = /** @type {import("../shapes.js").Fleet | null} */ (fleet);
    const { is_healthy: isHealthy, words } = found?.health ?? { is_healthy: true, words: "" };
    fleetHealth.value = { isHealthy, words, lake: error || (found?.lake ?? "") };
  }, [fleet, error]);
  const frozen = /** @type {import("../shapes.js").Weights | null} */ (weights)?.frozen;
  /** @type {Banner[]} */
  const banners = [...linkBanners(), ...fleetBanners()];
  // The Weights screen says it itself, with its end.
  if (frozen && route.value.section !== "weights") banners.push({ words: BANNERS.frozen(frozen), action: html`<a ...${link("/weights")}>${BANNERS.openWeights}</a>` });
  return html`<div class="banners">
    ${banners.map(({ isBad, words, action }) => html`<p key=${words.slice(0, 24)} class=${`banner ${isBad ? "is-bad" : ""}`} role="status"><span>${words}</span>${action}</p>`)}
  </div>`;
}

/** @returns {Banner[]} the worst alone: without a connection the rest is old anyway */
function linkBanners() {
  const { socket, reason, retry_ms, gateway_is_up, gateway_reason, age_ms } = connection.value;
  if (socket === "refused") {
    return [{ isBad: true, words: BANNERS.refused(reason), action: html`<button type="button" class="quiet-button" onClick=${signIn}>${BANNERS.signIn}</button>` }];
  }
  if (socket === "lost") return [{ isBad: true, words: BANNERS.lost(reason, (retry_ms - now.value) / 1000) }];
  if (socket === "open" && !gateway_is_up) return [{ isBad: true, words: BANNERS.gateway(gateway_reason) }];
  if (socket === "open" && roster.value?.length && age_ms > OLD_MS) return [{ isBad: true, words: BANNERS.old(age_ms) }];
  return [];
}

/** @returns {Banner[]} */
function fleetBanners() {
  const { isHealthy, words, lake } = fleetHealth.value;
  const action = html`<a ...${link("/fleet")}>${BANNERS.openFleet}</a>`;
  if (!isHealthy && words) return [{ words: BANNERS.unhealthy(words), action }];
  return lake ? [{ words: BANNERS.lake(lake), action }] : [];
}
