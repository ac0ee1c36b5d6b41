// Play, speed, the place in the episode, and who drove when.

import { html } from "htm/preact";
import { useState } from "preact/hooks";

import { count } from "../../../core/format.js";
import { Bands, BandsKey } from "../../widgets/bands.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4];
const COPIED_MS = 2000;

/**
 * @param {object} props
 * @param {import("../../shapes.js").Episode} props.episode
 * @param {import("./playback.js").Playback} props.playback
 * @param {import("../../shapes.js").Mark[]} props.marks
 */
export function Transport({ episode, playback, marks }) {
  const last = Math.max(1, episode.num_steps - 1);
  const rate = episode.control_rate_hz || 1;
  return html`<div class="transport">
    <div class="transport-row">
      <button type="button" class="primary" onClick=${playback.toggle}>${playback.isPlaying ? "Pause" : "Play"} <kbd>Space</kbd></button>
      <button type="button" aria-label="One step back" onClick=${() => playback.show(playback.step - 1)}>◀</button>
      <button type="button" aria-label="One step on" onClick=${() => playback.show(playback.step + 1)}>▶</button>
      <label class="filter is-inline"><span>Speed</span>
        <select value=${String(playback.speed)} onChange=${(/** @type {any} */ event) => playback.setSpeed(Number(event.currentTarget.value))}>
          ${SPEEDS.map((speed) => html`<option key=${speed} value=${String(speed)}>${speed}×</option>`)}
        </select>
      </label>
      <span class="transport-place tabular">step ${count(playback.step)} of ${count(episode.num_steps - 1)} · ${(playback.step / rate).toFixed(1)} s</span>
      <${CopyLink} step=${playback.step} />
    </div>
    <div class="timeline">
      <${Bands} bands=${episode.bands} first=${0} last=${last} height=${18} cursor=${playback.step} />
      <div class="timeline-marks" aria-hidden="true">
        ${marks.filter((mark) => mark.step_index >= 0).map(
          (mark, index) => html`<span key=${index} class=${`timeline-mark mark-${mark.kind}`} style=${{ insetInlineStart: `${(100 * mark.step_index) / last}%` }} title=${`${mark.kind}: ${mark.note}`}></span>`,
        )}
      </div>
      <input class="timeline-slider" type="range" min="0" max=${last} step="1" value=${playback.step} aria-label="Step"
        onInput=${(/** @type {any} */ event) => playback.show(Number(event.currentTarget.value))} />
    </div>
    <${BandsKey} />
  </div>`;
}

/** @param {{step: number}} props */
function CopyLink({ step }) {
  const [words, setWords] = useState("");
  const copy = async () => {
    const link = new URL(location.href);
    link.searchParams.set("t", String(step));
    try {
      await navigator.clipboard.writeText(link.href);
      setWords("Copied");
    } catch {
      setWords("The address bar has it");
    }
    setTimeout(() => setWords(""), COPIED_MS);
  };
  return html`<button type="button" onClick=${copy}>Copy link</button><span class="quiet" role="status">${words}</span>`;
}
