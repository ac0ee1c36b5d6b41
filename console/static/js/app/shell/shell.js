/**
 * The frame: navigation, top bar, banners, the screen, the lower edge, and what is said aloud.
 */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { polite, urgent } from "../announce.js";
import { useKey } from "../keys.js";
import { go, route } from "../router.js";
import { asked, help, tell } from "../store.js";
import { Dialog } from "../widgets/dialog.js";
import { toast, Toasts } from "../widgets/toast.js";
import { QUEUE, SHELL } from "../words.js";
import { Banners } from "./banners.js";
import { BottomBar } from "./bottom-bar.js";
import { KeyHelp } from "./key-help.js";
import { Navigation } from "./navigation.js";
import { Screen } from "./screen.js";
import { TopBar } from "./top-bar.js";

export function Shell() {
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const [hasKeyHelp, setHasKeyHelp] = useState(false);
  const { screen } = route.value;
  useKey("?", SHELL.keys, () => setHasKeyHelp(true));
  useKey("KeyN", QUEUE.next, nextRequest, screen !== "drive");
  return html`
    <a class="skip-link" href="#main" onClick=${(/** @type {Event} */ event) => (event.preventDefault(), main.current?.focus())}>${SHELL.skip}</a>
    <div class=${`shell screen-is-${screen || "none"}`}>
      <${Navigation} />
      <${TopBar} onKeys=${() => setHasKeyHelp(true)} />
      <${Banners} />
      <main ref=${main} id="main" tabindex="-1"><${Screen} /></main>
      <${BottomBar} />
    </div>
    <${Toasts} />
    <${AskedDialog} />
    ${hasKeyHelp && html`<${KeyHelp} onClose=${() => setHasKeyHelp(false)} />`}
    <div class="visually-hidden" role="status" aria-live="polite">${polite.value}</div>
    <div class="visually-hidden" role="alert" aria-live="assertive">${urgent.value}</div>
  `;
}

/** The most urgent request that is not on the screen yet; the first again after the last. */
function nextRequest() {
  const ids = help.value.map((request) => request.request_id);
  if (!ids.length) {
    toast(QUEUE.nobody);
    return;
  }
  const current = new URLSearchParams(location.search).get("request") ?? "";
  go("/queue", { request: ids[(ids.indexOf(current) + 1) % ids.length] });
}

/** A colleague wants the robot that I hold. On its Drive screen the panel there asks. */
function AskedDialog() {
  const question = asked.value;
  const robotId = question?.robot_id ?? "";
  const isOnDrive = route.value.screen === "drive" && route.value.id === robotId;
  useEffect(() => {
    if (!question) return undefined;
    const timer = setTimeout(() => (asked.value = null), question.answer_within_s * 1000);
    return () => clearTimeout(timer);
  }, [question]);
  if (!question || isOnDrive) return null;
  const answer = (/** @type {boolean} */ give) => {
    tell({ type: "answer", robotId, give });
    asked.value = null;
  };
  return html`<${Dialog} title=${`${question.operator_id} asks for ${robotId}`} isAlert=${true} onClose=${() => answer(false)}>
    <p>${question.reason || "No reason was given."}</p>
    <p class="quiet">Without an answer it is given in ${Math.round(question.answer_within_s)} s.</p>
    <div class="button-row">
      <button type="button" onClick=${() => answer(false)}>Keep it</button>
      <button type="button" class="primary" onClick=${() => answer(true)}>Give it</button>
    </div>
  <//>`;
}
