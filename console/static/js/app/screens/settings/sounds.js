/**
 * Tones by severity and notices of the desktop. The same words are always on the screen and in the live region.
 *
 * @import { Tone } from "../../sound.js"
 */

import { html } from "htm/preact";
import { useState } from "preact/hooks";

import { prefer, preferences } from "../../preferences.js";
import { askForNotices, noticePermission, play } from "../../sound.js";
import { Slider } from "./devices.js";

/** @type {readonly {tone: Tone, words: string}[]} */
const TONES = [
  { tone: "info", words: "Info: nobody waits" },
  { tone: "warning", words: "Warning: a robot copes badly" },
  { tone: "error", words: "Error: a robot stands still" },
  { tone: "lost", words: "Lost or stopped" },
];

/** @type {Readonly<Record<string, string>>} */
const PERMISSIONS = {
  granted: "Your browser allows notices.",
  denied: "Your browser refuses notices of this site: allow them in its site settings.",
  default: "Your browser will ask you once.",
  missing: "Your browser has no notices.",
};

export function Sounds() {
  const { sounds } = preferences.value;
  const [permission, setPermission] = useState(noticePermission);
  const change = (/** @type {Partial<typeof sounds>} */ part) => prefer({ sounds: { ...sounds, ...part } });
  const wantNotices = async (/** @type {boolean} */ isWanted) => {
    const granted = isWanted ? await askForNotices() : "denied";
    setPermission(noticePermission());
    change({ hasNotices: isWanted && granted === "granted" });
  };
  return html`
    <label class="check">
      <input type="checkbox" checked=${!sounds.isMuted} onChange=${(/** @type {any} */ event) => change({ isMuted: !event.currentTarget.checked })} />
      <span>Sounds</span>
    </label>
    <${Slider} label="Volume" hint="" value=${sounds.volume} min=${0} max=${1} step=${0.05} words=${`${Math.round(sounds.volume * 100)} %`} onInput=${(/** @type {number} */ volume) => change({ volume })} />
    <ul class="tone-list">
      ${TONES.map(({ tone, words }) => html`<li key=${tone}><span>${words}</span><button type="button" disabled=${sounds.isMuted} aria-label=${`Play: ${words}`} onClick=${() => play(tone, { isTest: true })}>Play</button></li>`)}
    </ul>
    <p class="quiet">Browsers allow sound only after your first click or key on the page.</p>
    <label class="check">
      <input type="checkbox" checked=${sounds.hasNotices && permission === "granted"} disabled=${permission === "missing" || permission === "denied"} onChange=${(/** @type {any} */ event) => void wantNotices(event.currentTarget.checked)} />
      <span>Desktop notices while this page is not in front</span>
    </label>
    <p class="quiet">${PERMISSIONS[permission]}</p>
  `;
}
