// The end of the log of a robot's process, as it grows.

import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { isAtLeast, LEVELS, withMore } from "../../../core/log_lines.js";
import { api } from "../../api.js";
import { inWords } from "../../resource.js";

/** @typedef {import("../../../core/log_lines.js").LogLine} LogLine */

const REFRESH_MS = 2000;
/** Whoever scrolled up this far reads, and is not scrolled away. */
const NEAR_END_PX = 24;

/** @param {{id: string}} props  name of a connected robot */
export function Log({ id }) {
  const [level, setLevel] = useState("info");
  const { lines, process, error } = useLog(id);
  const shown = lines.filter((line) => isAtLeast(line, level));
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    if (box.current && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight;
  });
  const onScroll = () => {
    const area = box.current;
    if (area) isAtEnd.current = area.scrollHeight - area.scrollTop - area.clientHeight < NEAR_END_PX;
  };
  return html`<section class="panel is-full" aria-label="Log">
    <div class="panel-row">
      <h2>Log${process && ` of ${process}`}</h2>
      <label class="filter is-inline"><span>From</span>
        <select value=${level} onChange=${(/** @type {any} */ event) => setLevel(event.currentTarget.value)}>
          ${LEVELS.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
        </select>
      </label>
    </div>
    <p class="quiet">All robots of one process share its log. Times are UTC.</p>
    ${error && html`<p class="error-words" role="alert">${error}</p>`}
    ${shown.length
      ? html`<div ref=${box} class="log" tabindex="0" role="region" aria-label="Log lines, oldest first" onScroll=${onScroll}>
          <ol>${shown.map((line) => html`<${Line} key=${line.number} line=${line} />`)}</ol>
        </div>`
      : html`<p class="panel-none">${lines.length ? `No line of level ${level} or above among the ${lines.length} newest.` : "No line yet."}</p>`}
  </section>`;
}

/** @param {{line: LogLine}} props */
function Line({ line }) {
  return html`<li class=${`log-${line.level}`}>
    <time>${line.time}</time> <span class="log-level">${line.level}</span> <span class="log-name">${line.logger}</span>
    <span class="log-words">${line.words}${line.more && html` <span class="quiet">${line.more}</span>`}
      ${line.exception && html`<details><summary>Traceback</summary><pre>${line.exception}</pre></details>`}</span>
  </li>`;
}

/**
 * Ask for what is new every two seconds while the page is in sight.
 * @param {string} id
 */
function useLog(id) {
  const [state, setState] = useState({ lines: /** @type {LogLine[]} */ ([]), process: "", error: "" });
  const latest = useRef(state);
  useEffect(() => {
    let isOver = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const put = (/** @type {Partial<typeof state>} */ change) => {
      if (isOver) return;
      latest.current = { ...latest.current, ...change };
      setState(latest.current);
    };
    const read = async () => {
      try {
        if (document.visibilityState === "visible") {
          const after = latest.current.lines.at(-1)?.number ?? -1;
          const answer = /** @type {import("../../shapes.js").RobotLog} */ (await api.get(`/api/fleet/robots/${encodeURIComponent(id)}/log?after=${after}`));
          put({ lines: withMore(latest.current.lines, answer), process: answer.process, error: "" });
        }
      } catch (problem) {
        put({ error: inWords(problem) });
      }
      if (!isOver) timer = setTimeout(read, REFRESH_MS);
    };
    void read();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [id]);
  return state;
}
