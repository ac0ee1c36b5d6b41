// Learning: is it getting better, and if not, where does it hurt? Each panel answers one question.

import { html } from "htm/preact";
import { useMemo } from "preact/hooks";

import { link, query as address, setQuery } from "../router.js";
import { useResource } from "../resource.js";
import { FilterBar, options } from "../widgets/filter-bar.js";
import { ResourceState } from "../widgets/resource-state.js";
import { clock } from "../widgets/when.js";
import { sentence } from "../words.js";
import { Advantages, Calibrations, Conditionings, ValueCurves } from "./learning/critic.js";
import { DataMix, LagPanel, LearnerPanel } from "./learning/data.js";
import { Gallery } from "./learning/gallery.js";
import { HeadlineRow } from "./learning/headline.js";
import { HelpPanel, HumanEffort, Interventions } from "./learning/people.js";
import { OutcomeGrid, Staleness } from "./learning/robots.js";
import { RegressionWatch, SuccessByVersion, SuccessOverTime, Throughput } from "./learning/success.js";
import { FleetDelay } from "./learning/waterfall.js";

const WINDOWS = [
  { value: "3600", word: "1 hour" },
  { value: "21600", word: "6 hours" },
  { value: "604800", word: "7 days" },
  { value: "2592000", word: "30 days" },
  { value: "0", word: "everything" },
];
const SOURCES = ["demonstration", "rollout", "evaluation", "simulated_expert"];
/** What the server filters by; the rest of the URL is how it is shown. */
const FILTERS = ["task", "version", "robot", "operator", "source", "window_s", "since_ns", "until_ns"];

/**
 * What every panel gets.
 * @typedef {object} PanelProps
 * @property {import("../shapes.js").Learning} data
 * @property {(name: string) => string} why  why a panel is empty; empty where it is not
 * @property {URLSearchParams} filters
 * @property {(id: string) => {id: string, isTable: boolean, onToggle: (id: string) => void}} frame
 */

/** The screen at /learning. */
export function Learning() {
  const query = address.value;
  const key = new URLSearchParams([...query].filter(([name]) => FILTERS.includes(name))).toString();
  const filters = useMemo(() => new URLSearchParams(key), [key]);
  const answer = useResource(`/api/learning?${key}`, 15);
  const data = /** @type {import("../shapes.js").Learning | null} */ (answer.data);
  return html`<div class="screen learning-screen" aria-busy=${answer.isLoading}>
    <header class="screen-head">
      <h1>Learning</h1>
      <p class="screen-count tabular">${data ? `Read ${clock(data.as_of_ns)}` : ""}</p>
    </header>
    <${LearningFilters} data=${data} />
    <${ResourceState} resource=${answer} what="learning figures" />
    ${data && (isFirstRun(data, filters) ? html`<${FirstRun} />` : html`<${Panels} data=${data} filters=${filters} isOld=${answer.isOld} />`)}
  </div>`;
}

/**
 * @param {import("../shapes.js").Learning} data
 * @param {URLSearchParams} filters
 * @returns {boolean} nothing was ever recorded, as far as nothing is filtered away
 */
function isFirstRun(data, filters) {
  return !filters.size && !data.tasks.length && !data.versions.length && !data.mix;
}

function FirstRun() {
  return html`<div class="state-box">
    <h2>Nothing to learn from yet</h2>
    <p>The figures come once robots have finished their first episodes. See on the <a ...${link("/fleet")}>fleet</a> screen whether any is at work.</p>
  </div>`;
}

/** @param {{data: import("../shapes.js").Learning | null}} props */
function LearningFilters({ data }) {
  const robots = data?.grid?.robots ?? data?.staleness?.map((robot) => robot.robot_id) ?? [];
  const versions = (data?.versions ?? []).toReversed();
  return html`<${FilterBar}
    hidden=${["operator", "since_ns", "until_ns"]}
    filters=${[
      { name: "window_s", label: "Window", all: "24 hours", options: WINDOWS },
      { name: "task", label: "Task", options: options(data?.tasks ?? []) },
      { name: "version", label: "Version", options: versions.map(({ version, role }) => ({ value: version, word: role ? `${version} (${role})` : version })) },
      { name: "robot", label: "Robot", options: options(robots) },
      { name: "source", label: "Source", options: options(SOURCES) },
    ]}
  />`;
}

/**
 * @param {object} props
 * @param {import("../shapes.js").Learning} props.data
 * @param {URLSearchParams} props.filters
 * @param {boolean} props.isOld
 */
function Panels({ data, filters, isOld }) {
  const query = address.value;
  const tables = new Set((query.get("tables") ?? "").split(",").filter(Boolean));
  const onToggle = (/** @type {string} */ id) => {
    if (!tables.delete(id)) tables.add(id);
    setQuery({ tables: [...tables].join(",") || null });
  };
  /** @type {PanelProps} */
  const panel = {
    data,
    filters,
    why: (name) => sentence(data.unavailable[name] ?? "") || (/** @type {any} */ (data)[name] === null ? "Nothing to show yet." : ""),
    frame: (id) => ({ id, isTable: tables.has(id), onToggle }),
  };
  return html`<div class=${`panels ${isOld ? "is-old" : ""}`}>
    <${HeadlineRow} ...${panel} />
    <${SuccessByVersion} ...${panel} />
    <${RegressionWatch} ...${panel} />
    <${Throughput} ...${panel} />
    <${SuccessOverTime} ...${panel} />
    <${Interventions} ...${panel} />
    <${HumanEffort} ...${panel} />
    <${Calibrations} ...${panel} />
    <${Advantages} ...${panel} />
    <${ValueCurves} ...${panel} />
    <${Conditionings} ...${panel} />
    <${DataMix} ...${panel} />
    <${FleetDelay} ...${panel} />
    <${LagPanel} ...${panel} />
    <${LearnerPanel} ...${panel} />
    <${Staleness} ...${panel} />
    <${OutcomeGrid} ...${panel} />
    <${HelpPanel} ...${panel} />
    <${Gallery} ...${panel} />
  </div>`;
}
