/**
 * What helps to decide: what runs, how the last episodes went, and what people answered before.
 *
 * @import { HelpRequest } from "../../../core/types.js"
 * @import { EpisodeList } from "../../shapes.js"
 */

import { html } from "htm/preact";

import { duration } from "../../../core/format.js";
import { useResource } from "../../resource.js";
import { link } from "../../router.js";
import { leases, robots } from "../../store.js";
import { OutcomeMark } from "../../widgets/outcome.js";
import { clock } from "../../widgets/when.js";
import { QUEUE, RESULTS } from "../../words.js";

/** @param {{request: HelpRequest}} props */
export function Facts({ request }) {
  const robot = robots.value.get(request.robot_id);
  const lease = leases.value.get(request.robot_id);
  const version = robot?.policy_version ?? "";
  return html`<aside class="request-facts" aria-label=${QUEUE.facts}>
    <dl>
      <div><dt>${QUEUE.version}</dt><dd>${version ? html`<a ...${link("/weights")}>${version}</a>` : "–"}</dd></div>
      <div><dt>${QUEUE.task}</dt><dd>${request.task_id.replaceAll("_", " ") || "–"}</dd></div>
      ${robot?.instruction && html`<div><dt>${QUEUE.instruction}</dt><dd>“${robot.instruction}”</dd></div>`}
      ${lease?.is_held && html`<div><dt>${QUEUE.driver}</dt><dd>${lease.operator_id}</dd></div>`}
    </dl>
    <${LastOutcomes} robotId=${request.robot_id} />
    <${Similar} request=${request} />
  </aside>`;
}

/** @param {{robotId: string}} props */
function LastOutcomes({ robotId }) {
  const { data, error, isLoading } = useResource(`/api/episodes?${new URLSearchParams({ robot: robotId, limit: "3" })}`, 20);
  const list = /** @type {EpisodeList | null} */ (data);
  return html`<section>
    <h3>${QUEUE.lastOutcomes}</h3>
    ${error && !list && html`<p class="quiet">${error}</p>`}
    ${isLoading && !list && html`<p class="quiet">Reading…</p>`}
    ${list && !list.episodes.length && html`<p class="quiet">${QUEUE.noOutcomes}</p>`}
    <ul class="plain-list">
      ${list?.episodes.map(
        (episode) => html`<li key=${episode.episode_id}>
          <a ...${link(`/episodes/${encodeURIComponent(episode.episode_id)}`)}><${OutcomeMark} outcome=${episode.outcome} /></a>
          <span class="quiet tabular">${clock(episode.ended_ns)}, ${duration(episode.duration_s)}</span>
        </li>`,
      )}
    </ul>
  </section>`;
}

/** @param {{request: HelpRequest}} props */
function Similar({ request }) {
  const past = /** @type {{request_id: string, robot_id: string, reason: string, result: string, answer: string, author: string, ago_s: number}[]} */ (
    /** @type {any} */ (request).similar ?? []
  );
  return html`<section>
    <h3>${QUEUE.similar}</h3>
    ${!past.length && html`<p class="quiet">${QUEUE.noSimilar}</p>`}
    <ul class="plain-list">
      ${past.map(
        (one) => html`<li key=${one.request_id}>
          <p>${one.author} ${RESULTS[one.result] ?? one.result}${one.answer && one.result === "answered" ? html` <strong>${one.answer}</strong>` : ""}</p>
          <p class="quiet tabular">${one.robot_id}, ${duration(one.ago_s)} ago: ${one.reason}</p>
        </li>`,
      )}
    </ul>
  </section>`;
}
