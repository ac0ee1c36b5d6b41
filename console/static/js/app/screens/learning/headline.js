// The five numbers of row 1, each with where it is going.

import { html } from "htm/preact";

import { count, counted, duration, percent } from "../../../core/format.js";
import { NumberTile } from "../../widgets/number-tile.js";

/** @param {import("../learning.js").PanelProps} props */
export function HeadlineRow({ data, why }) {
  const numbers = data.headline;
  if (!numbers) return html`<p class="panel-none is-full">${why("headline")}</p>`;
  const { success, throughput_per_robot_hour: throughput, interventions_per_hour: interventions, return_on_human_effort: effort, correction_to_fleet_s: fleet } = numbers;
  const href = success.episodes ? `/episodes?${success.episodes}` : "";
  return html`<section class="tiles" aria-label="Five numbers">
    <${NumberTile} name="Success" href=${href}
      value=${success.estimate === null ? "" : percent(success.estimate)}
      interval=${success.low === null || success.high === null ? "" : `95 % interval ${Math.round(100 * success.low)} to ${Math.round(100 * success.high)}`}
      basis=${`${counted(success.n, "episode")}, ${percent(numbers.autonomy.estimate)} without help`}
      trend=${trend(success.trend, true, (amount) => `${Math.round(100 * Math.abs(amount))} points`)}
      reason="No labelled episode in this window." />
    <${NumberTile} name="Successes per robot-hour" value=${throughput.value === null ? "" : short(throughput.value)}
      basis=${throughput.n_hours === undefined ? "" : `${short(throughput.n_hours)} robot-hours`} trend=${trend(throughput.trend, true)}
      reason="No robot worked in this window." />
    <${NumberTile} name="Interventions per robot-hour" value=${interventions.value === null ? "" : short(interventions.value)}
      basis=${interventions.n === undefined ? "" : counted(interventions.n, "intervention")} trend=${trend(interventions.trend, false)}
      reason="No robot worked in this window." />
    <${NumberTile} name="Successes per human-minute" value=${effort.value === null ? "" : short(effort.value)}
      basis=${effort.human_minutes === undefined ? "" : `${short(effort.human_minutes)} human-minutes`} trend=${trend(effort.trend, true)}
      reason="Nobody helped in this window." />
    <${NumberTile} name="Correction to fleet" value=${fleet ? duration(fleet.p50) : ""}
      interval=${fleet ? `95 % within ${duration(fleet.p95)}` : ""} basis=${fleet ? counted(fleet.n, "correction") : ""}
      reason=${data.unavailable.correction_to_fleet ?? "No correction has reached the fleet in this window."} />
  </section>`;
}

/**
 * @param {number | null} amount  second half of the window minus the first
 * @param {boolean} isMoreGood
 * @param {(amount: number) => string} [words]
 * @returns {{amount: number, words: string, isGood: boolean} | null}
 */
function trend(amount, isMoreGood, words = (value) => short(Math.abs(value))) {
  if (amount === null) return null;
  return { amount, words: amount === 0 ? "no change" : `${words(amount)} ${amount > 0 ? "up" : "down"}`, isGood: amount > 0 === isMoreGood };
}

/**
 * @param {number} value
 * @returns {string} three figures
 */
export function short(value) {
  return Math.abs(value) >= 1000 ? count(value) : String(Number(value.toPrecision(3)));
}
