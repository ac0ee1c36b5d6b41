/**
 * Where, how busy, what is wrong, who I am, what I hold, and STOP for it.
 */

import { html } from "htm/preact";

import { alarms } from "../alarms.js";
import { api, signIn } from "../api.js";
import { stopHeld } from "../keys.js";
import { link } from "../router.js";
import { held, help, isSimulation, leases, robots, roster, session } from "../store.js";
import { switchTheme } from "../theme.js";
import { Icon } from "../widgets/icon.js";
import { Menu } from "../widgets/menu.js";
import { stateOf } from "../widgets/state-badge.js";
import { toast } from "../widgets/toast.js";
import { preferences } from "../preferences.js";
import { ROLES, SHELL } from "../words.js";

/** @param {{onKeys: () => void}} props */
export function TopBar({ onKeys }) {
  return html`<header class="top-bar">
    <div class="top-site">
      <strong>${session.value?.fleet ?? SHELL.product}</strong>
      ${isSimulation.value && html`<span class="tag">${SHELL.simulated}</span>`}
    </div>
    <${Load} />
    <div class="top-right">
      <${Alarms} />
      <button type="button" class="icon-button" aria-label=${`${SHELL.theme}: ${SHELL.themes[preferences.value.theme]}`} title=${`${SHELL.theme}: ${SHELL.themes[preferences.value.theme]}`} onClick=${switchTheme}>
        <${Icon} name=${preferences.value.theme} />
      </button>
      <button type="button" class="icon-button" aria-label=${`${SHELL.keys} (?)`} title=${`${SHELL.keys} (?)`} onClick=${onKeys}><${Icon} name="keys" /></button>
      <${Me} />
      <${StopButton} />
    </div>
  </header>`;
}

/** How many robots work by themselves, and how many people are at one: fan-out in plain sight. */
function Load() {
  if (!roster.value?.length) return html`<p class="top-load"></p>`;
  const numActive = [...robots.value.values()].filter((robot) => stateOf(robot) === "autonomous").length;
  const people = new Set([
    ...[...leases.value.values()].filter((lease) => lease.is_held).map((lease) => lease.operator_id),
    ...help.value.map((request) => request.claimed_by).filter(Boolean),
  ]);
  return html`<p class="top-load tabular">${SHELL.load(numActive, roster.value.length, people.size)}</p>`;
}

function Alarms() {
  const list = alarms.value;
  const words = list.length ? SHELL.alarms(list.length) : SHELL.noAlarms;
  const button = html`<${Icon} name="bell" />${list.length > 0 && html`<span class="tabular">${list.length}</span>`}`;
  return html`<${Menu} label=${words} class=${`alarm-button ${list.length ? "has-alarms" : ""}`} button=${button}>
    ${(/** @type {() => void} */ close) => html`<h2 class="menu-title">${words}</h2>
      <ul class="menu-list">
        ${list.map((alarm) => {
          const to = link(alarm.href);
          const follow = (/** @type {MouseEvent} */ event) => (to.onClick(event), close());
          return html`<li key=${alarm.id}><a href=${to.href} onClick=${follow}>${alarm.words}</a></li>`;
        })}
      </ul>`}
  <//>`;
}

/** Who I am and which robot I hold. */
function Me() {
  const me = session.value;
  if (!me) return null;
  const signOut = async () => {
    try {
      await api.post("/sign-out");
      signIn();
    } catch (problem) {
      toast(problem instanceof Error ? problem.message : String(problem), { isProblem: true });
    }
  };
  const button = html`<${Icon} name="person" /><span class="me-words"><strong>${me.name}</strong> <span>${held.value ? SHELL.holding(held.value) : me.role}</span></span>`;
  // What is seen comes first, in the same order: people who speak to their computer say what they see.
  const more = held.value ? `${SHELL.holding(held.value)}, ${me.role}` : `${me.role}, ${SHELL.holdingNone}`;
  return html`<${Menu} label=${`${me.name} ${more}`} class="me-button" button=${button}>
    ${() => html`<h2 class="menu-title">${me.name}</h2>
      <p>${me.role}: ${ROLES[me.role]}.</p>
      ${held.value && html`<p><a ...${link(`/drive/${encodeURIComponent(held.value)}`)}>${SHELL.holding(held.value)}</a></p>`}
      <button type="button" onClick=${signOut}>${SHELL.signOut}</button>`}
  <//>`;
}

function StopButton() {
  const robotId = held.value;
  const words = robotId ? SHELL.stopHeld(robotId) : SHELL.stopNone;
  return html`<button type="button" class="top-stop" aria-disabled=${robotId ? null : "true"} aria-label=${words} title=${words} onClick=${stopHeld}>
    ${SHELL.stop}${robotId && html` <span>${robotId}</span>`}
  </button>`;
}
