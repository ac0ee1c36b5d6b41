/**
 * How a device's axis becomes speed: the server's mapping, or a dead-zone and curve of one's own.
 *
 * @import { Mapping } from "../../../core/types.js"
 */

import { html } from "htm/preact";

import { shape } from "../../../core/mapping.js";
import { prefer, preferences } from "../../preferences.js";
import { link } from "../../router.js";
import { session } from "../../store.js";

const SIZE = 220;
const NUM_POINTS = 60;

export function Devices() {
  const served = session.value?.mapping;
  if (!served) return html`<p class="quiet">The server has not said how devices are mapped.</p>`;
  const own = preferences.value.mapping;
  const mapping = { ...served, ...own };
  const change = (/** @type {Partial<{dead_zone: number, curve: number}>} */ part) =>
    prefer({ mapping: { dead_zone: mapping.dead_zone, curve: mapping.curve, ...part } });
  return html`
    <p>Every device moves the robot only while its dead-man is held. <a ...${link("/device-check")}>Check a device</a></p>
    <div class="curve-row">
      <div class="curve-fields">
        <${Slider} label="Dead-zone" hint="How far an axis moves before anything happens." value=${mapping.dead_zone} min=${0} max=${0.4} step=${0.01} words=${`${Math.round(mapping.dead_zone * 100)} %`} onInput=${(/** @type {number} */ value) => change({ dead_zone: value })} />
        <${Slider} label="Curve" hint="Above 1: finer near the middle, full speed at the end." value=${mapping.curve} min=${1} max=${3} step=${0.1} words=${mapping.curve.toFixed(1)} onInput=${(/** @type {number} */ value) => change({ curve: value })} />
        <p class="quiet">Speeds: ${served.speeds.map((speed) => `${Math.round(speed * 100)} %`).join(", ")} of the robot's limit. They belong to the fleet.</p>
        <button type="button" disabled=${own === null} onClick=${() => prefer({ mapping: null })}>As the fleet has it</button>
      </div>
      <${Curve} mapping=${mapping} />
    </div>
  `;
}

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.hint
 * @param {number} props.value
 * @param {number} props.min
 * @param {number} props.max
 * @param {number} props.step
 * @param {string} props.words
 * @param {(value: number) => void} props.onInput
 */
export function Slider({ label, hint, value, min, max, step, words, onInput }) {
  return html`<label class="slider">
    <span class="slider-head"><span>${label}</span><output class="tabular">${words}</output></span>
    <input type="range" min=${min} max=${max} step=${step} value=${value} aria-valuetext=${words} onInput=${(/** @type {any} */ event) => onInput(Number(event.currentTarget.value))} />
    <span class="quiet">${hint}</span>
  </label>`;
}

/** @param {{mapping: Mapping}} props */
function Curve({ mapping }) {
  const at = (/** @type {number} */ value) => (value + 1) * (SIZE / 2);
  const points = Array.from({ length: NUM_POINTS + 1 }, (_, index) => {
    const value = (2 * index) / NUM_POINTS - 1;
    return `${at(value).toFixed(1)},${(SIZE - at(shape(value, mapping))).toFixed(1)}`;
  });
  const label = `Axis to speed: nothing within ${Math.round(mapping.dead_zone * 100)} %, at half way ${Math.round(shape(0.5, mapping) * 100)} %, full speed at the end`;
  return html`<figure class="curve">
    <svg width=${SIZE} height=${SIZE} viewBox=${`0 0 ${SIZE} ${SIZE}`} role="img" aria-label=${label}>
      <rect class="curve-dead" x=${at(-mapping.dead_zone)} width=${mapping.dead_zone * SIZE} y="0" height=${SIZE} />
      <path class="curve-axis" d=${`M0,${SIZE / 2}H${SIZE}M${SIZE / 2},0V${SIZE}`} />
      <polyline class="chart-line series-1" points=${points.join(" ")} />
    </svg>
    <figcaption class="quiet">axis (across) to speed (up)</figcaption>
  </figure>`;
}
