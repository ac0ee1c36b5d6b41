// Player: one episode, its pictures, its charts and its marks under one cursor.

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

import { duration } from "../../core/format.js";
import { giveLabel, outcomeNow, sendWaiting } from "../labelling.js";
import { may } from "../permission.js";
import { go, link, query as address, route } from "../router.js";
import { useResource } from "../resource.js";
import { LabelReceipts } from "../widgets/label-receipts.js";
import { OutcomeMark } from "../widgets/outcome.js";
import { ResourceState } from "../widgets/resource-state.js";
import { clock } from "../widgets/when.js";
import { Cameras } from "./player/cameras.js";
import { usePlayback } from "./player/playback.js";
import { Signals } from "./player/signals.js";
import { Story } from "./player/story.js";
import { Transport } from "./player/transport.js";

/** The screen at /episodes/ID; `?t=STEP` is a moment in it. */
export function Player() {
  const id = route.value.id;
  const detail = useResource(id ? `/api/episodes/${encodeURIComponent(id)}` : "");
  const data = /** @type {import("../shapes.js").EpisodeDetail | null} */ (detail.data);
  useEffect(() => sendWaiting, []);
  const isThis = data?.episode.episode_id === id;
  return html`<div class="screen player-screen">
    <${ResourceState} resource=${isThis || detail.error ? detail : { ...detail, data: null, isLoading: true }} what="episode" />
    ${isThis && html`<${Episode} key=${id} detail=${data} reload=${detail.reload} />`}
    <${LabelReceipts} />
  </div>`;
}

/**
 * @param {object} props
 * @param {import("../shapes.js").EpisodeDetail} props.detail
 * @param {() => void} props.reload
 */
function Episode({ detail, reload }) {
  const { episode } = detail;
  const query = address.value;
  const stage = useRef(/** @type {HTMLDivElement | null} */ (null));
  const playback = usePlayback(episode, Number(query.get("t") ?? 0) || 0);
  useEffect(() => stage.current?.focus({ preventScroll: true }), []);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isForField(event)) return;
    if (onKey(event, detail, playback)) event.preventDefault();
  };
  return html`
    <header class="screen-head">
      <div>
        <p class="crumb"><a ...${link(`/episodes?${listQuery(query)}`)}>Episodes</a></p>
        <h1>${episode.task_id} <${OutcomeMark} outcome=${outcomeNow(episode)} /></h1>
        <p class="quiet tabular">${episode.robot_id} · ${episode.policy_version ? `version ${episode.policy_version}` : episode.source.replaceAll("_", " ")} · ${clock(episode.started_ns)} · ${duration(episode.duration_s)} · ${episode.episode_id}</p>
        <p>“${episode.instruction}”</p>
      </div>
      <${Neighbours} detail=${detail} />
    </header>
    <div class="player" ref=${stage} tabindex="-1" onKeyDown=${onKeyDown}>
      <div class="player-main">
        <${Cameras} episode=${episode} spec=${detail.spec} step=${playback.step} isPlaying=${playback.isPlaying} />
        <${Transport} episode=${episode} playback=${playback} marks=${detail.marks} />
        <${Signals} detail=${detail} step=${playback.step} onStep=${playback.show} />
      </div>
      <${Story} detail=${detail} step=${playback.step} onStep=${playback.show} onChanged=${reload} />
    </div>
  `;
}

/**
 * Keys with focus in the player: Space plays, arrows step, J and K change the episode, Enter and Backspace label.
 * @param {KeyboardEvent} event
 * @param {import("../shapes.js").EpisodeDetail} detail
 * @param {import("./player/playback.js").Playback} playback
 * @returns {boolean} whether the key meant something
 */
function onKey(event, detail, playback) {
  const far = event.shiftKey ? 10 : 1;
  if (event.code === "Space") playback.toggle();
  else if (event.code === "ArrowRight") playback.show(playback.step + far);
  else if (event.code === "ArrowLeft") playback.show(playback.step - far);
  else if (event.code === "Home") playback.show(0);
  else if (event.code === "End") playback.show(detail.episode.num_steps - 1);
  else if (event.code === "KeyJ") open(detail.neighbours.previous);
  else if (event.code === "KeyK") open(detail.neighbours.next);
  else if ((event.code === "Enter" || event.code === "Backspace") && may("operator")) {
    giveLabel(detail.episode.episode_id, event.code === "Enter" ? "success" : "failure");
  } else return false;
  return true;
}

/**
 * @param {KeyboardEvent} event
 * @returns {boolean} the key belongs to the field or button that has the focus
 */
function isForField(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("input, textarea, select, dialog")) return true;
  return Boolean(target.closest("button, a, summary")) && ["Enter", "Space"].includes(event.code);
}

/** @param {{detail: import("../shapes.js").EpisodeDetail}} props */
function Neighbours({ detail }) {
  const { previous, next } = detail.neighbours;
  return html`<div class="button-row">
    <button type="button" disabled=${!previous} onClick=${() => open(previous)}>Older <kbd>J</kbd></button>
    <button type="button" disabled=${!next} onClick=${() => open(next)}>Newer <kbd>K</kbd></button>
  </div>`;
}

/** @param {string | null} id */
function open(id) {
  if (!id) return;
  go(`/episodes/${encodeURIComponent(id)}`, new URLSearchParams(listQuery(address.value)));
}

/**
 * @param {URLSearchParams} query
 * @returns {string} of the list that the episode was opened from
 */
function listQuery(query) {
  return new URLSearchParams([...query].filter(([name]) => name !== "t")).toString();
}
