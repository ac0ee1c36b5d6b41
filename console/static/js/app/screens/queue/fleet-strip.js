// One square per robot, so that a quiet queue still shows life.

import { html } from "htm/preact";

import { link } from "../../router.js";
import { help, robots, roster } from "../../store.js";
import { StateShape, stateOf } from "../../widgets/state-badge.js";
import { QUEUE, STATES } from "../../words.js";

export function FleetStrip() {
  const waiting = new Set(help.value.map((request) => request.robot_id));
  return html`<section class="fleet-strip" aria-label=${QUEUE.fleet}>
    <ul>
      ${(roster.value ?? []).map(({ robot_id }) => {
        const state = stateOf(robots.value.get(robot_id));
        const words = QUEUE.openRobot(robot_id, `${STATES[state]}${waiting.has(robot_id) ? ", waits for a person" : ""}`);
        return html`<li key=${robot_id}>
          <a class=${`strip-robot state-${state} ${waiting.has(robot_id) ? "is-waiting" : ""}`} ...${link(`/drive/${encodeURIComponent(robot_id)}`, { watch: 1 })} aria-label=${words} title=${words}>
            <${StateShape} state=${state} size=${16} /><span aria-hidden="true">${robot_id}</span>
          </a>
        </li>`;
      })}
    </ul>
  </section>`;
}
