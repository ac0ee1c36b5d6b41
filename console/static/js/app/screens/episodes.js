// Episodes: the contact sheet. Every chart of the product opens it with its own filters.

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

import { count, counted } from "../../core/format.js";
import { giveLabel, outcomeNow, pendingLabels, sendWaiting, takeBack } from "../labelling.js";
import { may, whyNot } from "../permission.js";
import { go, query as address, setQuery } from "../router.js";
import { useResource } from "../resource.js";
import { BandsKey } from "../widgets/bands.js";
import { EpisodeCard } from "../widgets/episode-card.js";
import { FilterBar, options } from "../widgets/filter-bar.js";
import { LabelReceipts } from "../widgets/label-receipts.js";
import { ResourceState } from "../widgets/resource-state.js";

const PAGE = 48;
/** New episodes come in by themselves, but not under the hands of somebody who triages. */
const REFRESH_S = 15;
const OUTCOMES = ["success", "failure", "timed_out", "unlabelled"];
const SOURCES = ["demonstration", "rollout", "evaluation", "simulated_expert"];
const SORTS = [
  { value: "-duration_s", word: "longest" },
  { value: "-num_correction_steps", word: "most corrected" },
  { value: "-num_interventions", word: "most interventions" },
  { value: "ended_ns", word: "oldest" },
];
/** Parameters of the screen itself, which the server does not know. */
const OWN = ["triage", "at", "offset", "t"];
const HIDDEN = ["requested", "help", "critic", "trained", "since_ns", "until_ns", "window_s"];

/** The screen at /episodes. */
export function Episodes() {
  const query = address.value;
  const offset = Number(query.get("offset") ?? 0) || 0;
  const filters = new URLSearchParams([...query].filter(([name]) => !OWN.includes(name)));
  const list = useResource(`/api/episodes?${new URLSearchParams([...filters, ["limit", String(PAGE)], ["offset", String(offset)]])}`, query.has("triage") ? 0 : REFRESH_S);
  const data = /** @type {import("../shapes.js").EpisodeList | null} */ (list.data);
  useEffect(() => sendWaiting, []);
  return html`<div class="screen episodes-screen">
    <header class="screen-head">
      <h1>Episodes</h1>
      <p class="screen-count tabular" role="status">${data ? inWords(data) : ""}</p>
    </header>
    <${EpisodeFilters} facets=${data?.facets ?? null} />
    <${ResourceState} resource=${list} what="episodes" />
    ${data && (data.episodes.length ? html`<${Sheet} data=${data} query=${filters.toString()} />` : html`<${Nothing} isFiltered=${filters.size > 0} />`)}
    ${data && html`<${Pages} total=${data.total} offset=${offset} />`}
    <${LabelReceipts} />
  </div>`;
}

/**
 * @param {object} props
 * @param {import("../shapes.js").EpisodeList["facets"] | null} props.facets
 */
function EpisodeFilters({ facets }) {
  const known = facets ?? { tasks: [], versions: [], robots: [], operators: [] };
  const yesNo = [{ value: "true", word: "yes" }, { value: "false", word: "no" }];
  return html`<${FilterBar}
    hidden=${HIDDEN}
    filters=${[
      { name: "task", label: "Task", options: options(known.tasks) },
      { name: "outcome", label: "Outcome", options: options(OUTCOMES) },
      { name: "version", label: "Version", options: options(known.versions) },
      { name: "source", label: "Source", options: options(SOURCES) },
      { name: "assisted", label: "With help", options: yesNo },
      { name: "label", label: "Labels", options: options(["labelled", "unlabelled", "relabelled", "disagreement"]) },
      { name: "flagged", label: "Flagged", options: yesNo },
      { name: "robot", label: "Robot", options: options(known.robots) },
      { name: "operator", label: "Operator", options: options(known.operators) },
      { name: "sort", label: "Order", all: "newest", options: SORTS },
    ]}
  />`;
}

/**
 * The cards, and the keys of triage: J and K move, Enter and Backspace label, U undoes.
 * @param {object} props
 * @param {import("../shapes.js").EpisodeList} props.data
 * @param {string} props.query
 */
function Sheet({ data, query }) {
  const all = address.value;
  const sheet = useRef(/** @type {HTMLDivElement | null} */ (null));
  const isTriage = all.get("triage") === "on" && may("operator");
  const selected = Math.min(data.episodes.length - 1, Math.max(0, data.episodes.findIndex((episode) => episode.episode_id === all.get("at"))));
  const select = (/** @type {number} */ index) => setQuery({ at: data.episodes[index]?.episode_id ?? null });
  useEffect(() => {
    if (!isTriage) return;
    const card = sheet.current?.children[selected];
    card?.scrollIntoView({ block: "nearest" });
    card?.querySelector("a")?.focus({ preventScroll: true });
  }, [isTriage, selected]);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (isTriage && !event.ctrlKey && !event.metaKey && !event.altKey && triage(event.code, data.episodes, selected, select, query)) event.preventDefault();
  };
  return html`
    <div class="sheet-head">
      <${BandsKey} />
      <${TriageSwitch} isOn=${isTriage} />
    </div>
    <div ref=${sheet} class="contact-sheet" onKeyDown=${onKeyDown}>
      ${data.episodes.map(
        (episode, index) => html`<${EpisodeCard}
          key=${episode.episode_id}
          episode=${{ ...episode, outcome: outcomeNow(episode) }}
          query=${query}
          isSelected=${isTriage && index === selected}
          onSelect=${isTriage ? () => index !== selected && select(index) : undefined}
        />`,
      )}
    </div>
  `;
}

/**
 * @param {string} code  of the key
 * @param {import("../shapes.js").Episode[]} episodes
 * @param {number} selected
 * @param {(index: number) => void} select
 * @param {string} query
 * @returns {boolean} whether the key meant something
 */
function triage(code, episodes, selected, select, query) {
  const id = episodes[selected].episode_id;
  const next = () => selected + 1 < episodes.length && select(selected + 1);
  if (code === "KeyJ") next();
  else if (code === "KeyK") selected > 0 && select(selected - 1);
  else if (code === "KeyO") go(`/episodes/${encodeURIComponent(id)}?${query}`);
  else if (code === "KeyU") pendingLabels.value[0]?.state === "waiting" && takeBack(pendingLabels.value[0].episodeId);
  else if (code === "Enter" || code === "Backspace") {
    giveLabel(id, code === "Enter" ? "success" : "failure");
    next();
  } else return false;
  return true;
}

/** @param {{isOn: boolean}} props */
function TriageSwitch({ isOn }) {
  if (!may("operator")) return html`<p class="quiet">${whyNot("operator", "label episodes")}</p>`;
  return html`<div class="triage">
    ${isOn && html`<p class="keys"><kbd>J</kbd> next <kbd>K</kbd> back <kbd>Enter</kbd> success <kbd>⌫</kbd> failure <kbd>U</kbd> undo <kbd>O</kbd> open</p>`}
    <button type="button" aria-pressed=${isOn} onClick=${() => setQuery({ triage: isOn ? null : "on", at: null })}>Triage with keys</button>
  </div>`;
}

/**
 * @param {object} props
 * @param {number} props.total
 * @param {number} props.offset
 */
function Pages({ total, offset }) {
  if (total <= PAGE) return null;
  const turn = (/** @type {number} */ to) => {
    setQuery({ offset: to ? String(to) : null, at: null }, { replace: false });
    document.getElementById("main")?.scrollTo({ top: 0 });
  };
  return html`<nav class="pages" aria-label="Pages">
    <button type="button" disabled=${offset === 0} onClick=${() => turn(Math.max(0, offset - PAGE))}>Newer</button>
    <span class="tabular">${count(offset + 1)} to ${count(Math.min(total, offset + PAGE))} of ${count(total)}</span>
    <button type="button" disabled=${offset + PAGE >= total} onClick=${() => turn(offset + PAGE)}>Older</button>
  </nav>`;
}

/** @param {{isFiltered: boolean}} props */
function Nothing({ isFiltered }) {
  return html`<div class="state-box">
    <h2>${isFiltered ? "No episode matches these filters" : "No episodes yet"}</h2>
    <p>${isFiltered ? "Clear a filter to see more." : "The first one appears a few seconds after a robot has finished it."}</p>
  </div>`;
}

/**
 * @param {import("../shapes.js").EpisodeList} data
 * @returns {string}
 */
function inWords(data) {
  const unlabelled = data.num_unlabelled ? `, ${count(data.num_unlabelled)} without a label` : "";
  return `${counted(data.total, "episode")}${unlabelled}`;
}
