// One episode on a contact sheet: how it began, how it ended, who drove, what the critic thought.

import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";

import { duration } from "../../core/format.js";
import { link } from "../router.js";
import { Bands } from "./bands.js";
import { OutcomeMark, outcomeWord } from "./outcome.js";
import { Sparkline } from "./sparkline.js";
import { clock } from "./when.js";

const RETRY_MS = 1000;
const MAX_RETRIES = 5;

/**
 * @param {object} props
 * @param {import("../shapes.js").Episode} props.episode
 * @param {string} [props.query]  of the list it stands in, so that the player can go on in it
 * @param {boolean} [props.isSelected]
 * @param {() => void} [props.onSelect]
 */
export function EpisodeCard({ episode, query = "", isSelected = false, onSelect }) {
  const id = encodeURIComponent(episode.episode_id);
  const href = `/episodes/${id}${query ? `?${query}` : ""}`;
  return html`<article class=${`episode-card ${isSelected ? "is-selected" : ""}`} data-episode=${episode.episode_id} onFocusIn=${onSelect} onMouseDown=${onSelect}>
    <a class="episode-link" ...${link(href)} aria-current=${isSelected ? "true" : undefined}
      aria-label=${`${outcomeWord(episode.outcome)}, ${episode.task_id}, robot ${episode.robot_id}, ${clock(episode.ended_ns)}`}>
      <span class="episode-thumbs">
        <${Thumb} id=${id} which="first" />
        <${Thumb} id=${id} which="last" />
      </span>
    </a>
    <p class="episode-line"><${OutcomeMark} outcome=${episode.outcome} />${episode.is_flagged && html`<span class="flag"><span aria-hidden="true">⚑</span> flagged</span>`}<span class="quiet tabular">${duration(episode.duration_s)}</span></p>
    <${Sparkline} values=${episode.values ?? []} label=${valueInWords(episode.values)} width=${220} height=${24} domain=${[-1, 0]} />
    <${Bands} bands=${episode.bands} first=${0} last=${Math.max(1, episode.num_steps)} />
    <p class="episode-facts"><strong>${episode.task_id}</strong> · ${episode.policy_version ? `version ${episode.policy_version}` : episode.source.replaceAll("_", " ")}</p>
    <p class="episode-facts quiet">${episode.robot_id} · ${clock(episode.ended_ns)}${episode.outcome_reason ? ` · ${episode.outcome_reason}` : ""}</p>
  </article>`;
}

/**
 * A list shows an episode as soon as it ends, often before its pictures are stored: then ask again, ever later.
 * @param {object} props
 * @param {string} props.id  encoded
 * @param {"first" | "last"} props.which
 */
function Thumb({ id, which }) {
  const [asked, setAsked] = useState(0);
  const [failed, setFailed] = useState(0);
  useEffect(() => {
    if (failed <= asked || failed > MAX_RETRIES) return undefined;
    const timer = setTimeout(() => setAsked(failed), RETRY_MS * 2 ** asked);
    return () => clearTimeout(timer);
  }, [asked, failed]);
  const src = `/api/episodes/${id}/thumb?which=${which}${asked ? `&try=${asked}` : ""}`;
  return html`<img class=${`thumb ${failed > asked ? "is-missing" : ""}`} src=${src} alt="" loading="lazy" decoding="async" width="112" height="84"
    onError=${() => setFailed(asked + 1)} />`;
}

/**
 * @param {readonly (number | null)[] | null} values
 * @returns {string}
 */
function valueInWords(values) {
  const known = (values ?? []).filter((value) => value !== null);
  if (known.length < 2) return "No value estimates";
  return `Value from ${known[0].toFixed(2)} to ${known[known.length - 1].toFixed(2)}`;
}
