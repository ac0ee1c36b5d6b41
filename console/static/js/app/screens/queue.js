/**
 * Queue, the operator's home: who needs a person, what happened, what is asked, and the rest of the fleet.
 *
 * The address names the chosen request. Choosing one claims it, for as long as this page is visible.
 */

import { html } from "htm/preact";
import { useEffect } from "preact/hooks";

import { followRequests, keepPictures } from "../clips.js";
import { useResource } from "../resource.js";
import { link, query, setQuery } from "../router.js";
import { help, now, roster } from "../store.js";
import { QUEUE } from "../words.js";
import { FirstRun } from "./first-run.js";
import { useClaim } from "./queue/claim.js";
import { Facts } from "./queue/facts.js";
import { FleetStrip } from "./queue/fleet-strip.js";
import { RequestList } from "./queue/request-list.js";
import { RequestView } from "./queue/request-view.js";

/** The screen at /queue. */
export function Queue() {
  useEffect(keepPictures, []);
  useEffect(followRequests, [help.value, roster.value, Math.floor(now.value / 1000)]);
  const chosenId = query.value.get("request") ?? "";
  const requests = help.value;
  const chosen = requests.find((request) => request.request_id === chosenId) ?? null;
  useClaim(chosen);
  if (roster.value === null) return html`<div class="state-page" role="status"><h1>${QUEUE.title}</h1><p>Waiting for the gateway…</p></div>`;
  if (!roster.value.length && !requests.length) return html`<${FirstRun} />`;
  // Nothing is claimed by opening the page: the most urgent one is shown, and claimed when somebody chooses it.
  const shown = chosen ?? (chosenId ? null : (requests[0] ?? null));
  return html`<div class="queue">
    <section class="queue-list" aria-labelledby="queue-title">
      <header><h1 id="queue-title">${QUEUE.title}</h1><p class="quiet tabular">${QUEUE.numOpen(requests.length)}</p></header>
      <${RequestList} requests=${requests} shownId=${shown?.request_id ?? chosenId} onChoose=${choose} />
    </section>
    ${shown ? html`<${RequestView} key=${shown.request_id} request=${shown} isChosen=${shown === chosen} onChoose=${choose} />` : html`<${NothingShown} wasChosen=${Boolean(chosenId)} />`}
    ${shown && html`<${Facts} key=${`facts ${shown.robot_id}`} request=${shown} />`}
    <${FleetStrip} />
  </div>`;
}

/** @param {string} requestId empty lets go */
function choose(requestId) {
  setQuery({ request: requestId || null }, { replace: false });
}

/** @param {{wasChosen: boolean}} props */
function NothingShown({ wasChosen }) {
  const unlabelled = useResource("/api/episodes?outcome=unlabelled&limit=1", 30);
  const num = /** @type {import("../shapes.js").EpisodeList | null} */ (unlabelled.data)?.num_unlabelled;
  if (help.value.length) {
    return html`<section class="queue-nothing"><h2>${wasChosen ? QUEUE.gone : QUEUE.title}</h2><p>${QUEUE.pick}</p></section>`;
  }
  return html`<section class="queue-nothing">
    <svg width="72" height="72" viewBox="0 0 72 72" aria-hidden="true"><circle class="calm-ring" cx="36" cy="36" r="26" /><path class="calm-line" d="M16 36h40" /></svg>
    <h2>${wasChosen ? `${QUEUE.gone} ${QUEUE.nobody}` : QUEUE.nobody}</h2>
    ${num !== undefined &&
    html`<p>${num ? QUEUE.unlabelled(num) : QUEUE.allLabelled} ${num > 0 && html`<a ...${link("/episodes", { outcome: "unlabelled" })}>${QUEUE.review}</a>`}</p>`}
    <p class="quiet">${QUEUE.quietHint}</p>
  </section>`;
}
