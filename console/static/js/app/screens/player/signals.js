// What the robot felt, did and was thought to be worth, step by step, under one cursor.
// Zooming one chart zooms all and reads them again in finer buckets.

import { html } from "htm/preact";
import { useMemo, useState } from "preact/hooks";

import { query as address, setQuery } from "../../router.js";
import { useResource } from "../../resource.js";
import { Chart } from "../../widgets/chart.js";
import { HeatStrip } from "../../widgets/heat-strip.js";
import { ResourceState } from "../../widgets/resource-state.js";

const BUCKETS = 600;
/** As many lines as an eye can follow at once. */
const MAX_LINES = 4;
/** From so many channels of touch on, a map of all comes first. */
const MAP_FROM = 12;
/** As many channels as the server gives at once. */
const MAX_CHANNELS = 64;

/** @typedef {{name: string, word: string}} Trace */
/** @typedef {{title: string, unit: string, traces: Trace[]}} Group */

/**
 * @param {object} props
 * @param {import("../../shapes.js").EpisodeDetail} props.detail
 * @param {number} props.step
 * @param {(step: number) => void} props.onStep
 */
export function Signals({ detail, step, onStep }) {
  const { episode } = detail;
  const query = address.value;
  const groups = useMemo(() => groupsOf(detail), [detail]);
  const chosen = groups.filter((group) => (query.has("charts") ? (query.get("charts") ?? "").split(",").includes(group.title) : isShownFirst(group, groups)));
  const [range, setRange] = useState(/** @type {[number, number] | null} */ (null));
  const wanted = [...new Set(chosen.flatMap((group) => group.traces.map((trace) => trace.name)))];
  const names = wanted.slice(0, MAX_CHANNELS);
  const [first, last] = range ?? [0, Math.max(1, episode.num_steps - 1)];
  const url = names.length ? `/api/episodes/${encodeURIComponent(episode.episode_id)}/series?channels=${names.join(",")}&first=${first}&last=${last}&buckets=${BUCKETS}` : "";
  const series = useResource(url);
  const data = /** @type {import("../../shapes.js").EpisodeSeries | null} */ (series.data);
  // Kept while the cursor moves, so that a step redraws a line and not the data.
  const charts = useMemo(
    () =>
      chosen
        .map((group) => ({ group, lines: group.traces.filter((trace) => data?.channels[trace.name]).map((trace) => ({ name: trace.word, min: data?.channels[trace.name].min ?? [], max: data?.channels[trace.name].max ?? [] })) }))
        .filter(({ lines }) => lines.length > 0),
    [data, names.join(",")],
  );
  const zoom = (/** @type {number} */ from, /** @type {number} */ to) => setRange([Math.max(0, Math.floor(from)), Math.min(episode.num_steps - 1, Math.ceil(to))]);
  return html`<section class="signals" aria-label="Charts">
    <${GroupChoice} groups=${groups} chosen=${chosen} isZoomed=${range !== null} onWhole=${() => setRange(null)} />
    ${wanted.length > names.length && html`<p class="old-data" role="status">${MAX_CHANNELS} channels can be shown at once. Turn a chart off to see the rest.</p>`}
    <${ResourceState} resource=${series} what="signals" />
    ${data &&
    charts.map(({ group, lines }) => {
      if (lines.length > MAX_LINES) {
        return html`<${HeatStrip} key=${group.title} rows=${lines} numColumns=${data.step.length} range=${[first, last]} marker=${step} axis=${`${group.title}, ${group.unit}`} onPick=${onStep} />`;
      }
      return html`<${Chart} key=${`${group.title} ${lines.length}`} x=${data.step} series=${lines} axis=${`${group.title}${group.unit ? `, ${group.unit}` : ""}`} height=${130}
        summary=${`${group.title} from step ${first} to ${last}`} format=${short} syncKey="player" range=${[first, last]} marker=${step}
        onZoom=${zoom} onZoomOut=${() => setRange(null)} onPick=${(/** @type {number} */ x) => onStep(Math.round(x))} />`;
    })}
  </section>`;
}

/**
 * @param {Group} group
 * @param {Group[]} groups
 * @returns {boolean} one chart of each kind, and a few of the actions: an arm may have a hundred channels
 */
function isShownFirst(group, groups) {
  const kind = group.title.split(" ")[0];
  const place = groups.filter((one) => one.title.split(" ")[0] === kind).indexOf(group);
  return kind === "action" ? place < 2 : place === 0 && !["state", "command"].includes(kind);
}

/**
 * @param {object} props
 * @param {Group[]} props.groups
 * @param {Group[]} props.chosen
 * @param {boolean} props.isZoomed
 * @param {() => void} props.onWhole
 */
function GroupChoice({ groups, chosen, isZoomed, onWhole }) {
  const toggle = (/** @type {Group} */ group) => {
    const kept = chosen.includes(group) ? chosen.filter((one) => one !== group) : groups.filter((one) => one === group || chosen.includes(one));
    setQuery({ charts: kept.map((one) => one.title).join(",") || "none" });
  };
  return html`<div class="chips" role="group" aria-label="Which charts">
    ${groups.map((group) => html`<button type="button" key=${group.title} class="chip" aria-pressed=${chosen.includes(group)} onClick=${() => toggle(group)}>${group.title}</button>`)}
    <span class="quiet">Drag over a chart to zoom; click to go there.</span>
    ${isZoomed && html`<button type="button" class="quiet-button" onClick=${onWhole}>Whole episode</button>`}
  </div>`;
}

/**
 * @param {import("../../shapes.js").EpisodeDetail} detail
 * @returns {Group[]} value first, then touch, then actions with what the policy proposed, then the arm's state
 */
function groupsOf({ channels, spec }) {
  const has = new Set(channels);
  /** @type {Group[]} */
  const groups = [];
  const judged = ["value", "return_to_go"].filter((name) => has.has(name)).map((name) => ({ name, word: name.replaceAll("_", " ") }));
  if (judged.length) groups.push({ title: "value", unit: "", traces: judged });
  const touch = (spec?.tactile ?? []).map((channel, index) => ({ name: `tactile.${index}`, word: channel.name })).filter((trace) => has.has(trace.name));
  if (touch.length >= MAP_FROM) groups.push({ title: "touch map", unit: spec?.tactile[0].unit ?? "", traces: touch.slice(0, MAX_CHANNELS - MAX_LINES) });
  groups.push(...numbered(has, "tactile", spec?.tactile ?? [], "touch"));
  spec?.action.forEach((axis, index) => {
    const traces = [{ name: `action.${index}`, word: "executed" }, { name: `proposed.${index}`, word: "proposed by the policy" }];
    groups.push({ title: `action ${axis.name}`, unit: axis.unit, traces: traces.filter((trace) => has.has(trace.name)) });
  });
  groups.push(...numbered(has, "state", spec?.state ?? [], "state"));
  if (has.has("advantage")) groups.splice(1, 0, { title: "advantage", unit: "", traces: [{ name: "advantage", word: "advantage" }] });
  if (has.has("command_delay_ms")) groups.push({ title: "command delay", unit: "ms", traces: [{ name: "command_delay_ms", word: "delay" }] });
  return groups.filter((group) => group.traces.length);
}

/**
 * Channels of one kind, a few a chart and only those with the same unit together.
 * @param {Set<string>} has
 * @param {string} prefix
 * @param {import("../../shapes.js").Channel[]} channels
 * @param {string} title
 * @returns {Group[]}
 */
function numbered(has, prefix, channels, title) {
  /** @type {Map<string, Trace[]>} */
  const byUnit = new Map();
  channels.forEach((channel, index) => {
    if (!has.has(`${prefix}.${index}`)) return;
    byUnit.set(channel.unit, [...(byUnit.get(channel.unit) ?? []), { name: `${prefix}.${index}`, word: channel.name }]);
  });
  const parts = [...byUnit].flatMap(([unit, traces]) =>
    inParts(traces).map((part) => ({ unit, traces: part })),
  );
  return parts.map((part, index) => ({ ...part, title: parts.length > 1 ? `${title} ${index + 1}` : title }));
}

/**
 * @param {Trace[]} traces
 * @returns {Trace[][]} in their order, as even as can be
 */
function inParts(traces) {
  const size = Math.ceil(traces.length / Math.ceil(traces.length / MAX_LINES));
  return Array.from({ length: Math.ceil(traces.length / size) }, (_, part) => traces.slice(part * size, (part + 1) * size));
}

/**
 * @param {number} value
 * @returns {string}
 */
function short(value) {
  return String(Number(value.toPrecision(3)));
}
