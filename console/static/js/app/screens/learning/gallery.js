// The newest failures and corrections: the numbers as pictures.

import { html } from "htm/preact";

import { link } from "../../router.js";
import { EpisodeCard } from "../../widgets/episode-card.js";

/** @param {import("../learning.js").PanelProps} props */
export function Gallery({ data, why, filters }) {
  const gallery = data.gallery;
  if (!gallery) return html`<section class="panel is-full"><h2>Show me</h2><p class="panel-none">${why("gallery")}</p></section>`;
  const kept = Object.fromEntries([...filters].filter(([name]) => ["task", "version", "robot"].includes(name)));
  return html`
    <${Row} title="Newest failures" episodes=${gallery.failures} empty="No failure in this window." all=${link("/episodes", { ...kept, outcome: "failure" })} />
    <${Row} title="Newest corrections" episodes=${gallery.corrections} empty="No correction in this window." all=${link("/episodes", { ...kept, assisted: "true" })} />
  `;
}

/**
 * @param {object} props
 * @param {string} props.title
 * @param {import("../../shapes.js").Episode[]} props.episodes
 * @param {string} props.empty
 * @param {object} props.all  properties of the link to all of them
 */
function Row({ title, episodes, empty, all }) {
  return html`<section class="panel is-full">
    <header class="panel-head"><h2>${title}</h2><a ...${all}>Show all</a></header>
    ${episodes.length ? html`<div class="gallery">${episodes.map((episode) => html`<${EpisodeCard} key=${episode.episode_id} episode=${episode} />`)}</div>` : html`<p class="panel-none">${empty}</p>`}
  </section>`;
}
