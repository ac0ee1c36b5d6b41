// Beside the pictures: label, marks and flag, what happened, and what the learner made of it.

import { html } from "htm/preact";

import { count } from "../../../core/format.js";
import { api } from "../../api.js";
import { giveLabel, outcomeNow } from "../../labelling.js";
import { may, whyNot } from "../../permission.js";
import { OutcomeMark, outcomeWord } from "../../widgets/outcome.js";
import { ReasonForm } from "../../widgets/reason-form.js";
import { clock } from "../../widgets/when.js";

const REASONS = ["missed grasp", "dropped", "collision", "wrong object", "stuck", "other"];
/** @type {Readonly<Record<string, string>>} */
const MARK_WORDS = { moment: "went wrong here", recovered: "back to a good state", flag: "flagged", instruction: "new instruction" };

/**
 * @typedef {object} StoryProps
 * @property {import("../../shapes.js").EpisodeDetail} detail
 * @property {number} step
 * @property {(step: number) => void} onStep
 * @property {() => void} onChanged
 */

/** @param {StoryProps} props */
export function Story(props) {
  const { detail } = props;
  return html`<aside class="player-side" aria-label="About this episode">
    <${LabelBox} detail=${detail} />
    <${MarkBox} ...${props} />
    <${Events} ...${props} />
    <${LearnedBox} detail=${detail} />
    <${Export} detail=${detail} />
  </aside>`;
}

/** @param {{detail: import("../../shapes.js").EpisodeDetail}} props */
function Export({ detail }) {
  const base = `/api/episodes/${encodeURIComponent(detail.episode.episode_id)}`;
  return html`<section class="panel">
    <h2>Take it elsewhere</h2>
    <p class="button-row"><a href=${`${base}/export`} download>Steps as Parquet</a> <a href=${base} download=${`${detail.episode.episode_id.replaceAll("/", "-")}.json`}>Facts as JSON</a></p>
    <p class="quiet">Many episodes at once: touchline data --export steps</p>
  </section>`;
}

/** @param {{detail: import("../../shapes.js").EpisodeDetail}} props */
function LabelBox({ detail }) {
  const { episode, labels } = detail;
  const id = episode.episode_id;
  return html`<section class="panel">
    <h2>Label</h2>
    <p><${OutcomeMark} outcome=${outcomeNow(episode)} /> <span class="quiet">by ${episode.outcome_author || "nobody"}${episode.outcome_reason ? `: ${episode.outcome_reason}` : ""}</span></p>
    ${may("operator")
      ? html`<div class="button-row">
            <button type="button" onClick=${() => giveLabel(id, "success")}>Success <kbd>Enter</kbd></button>
            <button type="button" onClick=${() => giveLabel(id, "failure")}>Failure <kbd>⌫</kbd></button>
            <button type="button" onClick=${() => giveLabel(id, "timed_out")}>Timed out</button>
          </div>
          <div class="chips" role="group" aria-label="Failure, because">
            ${REASONS.map((reason) => html`<button type="button" class="chip" key=${reason} onClick=${() => giveLabel(id, "failure", reason)}>${reason}</button>`)}
          </div>
          <div class="chips" role="group" aria-label="How far it got">
            ${[1, 2, 3, 4, 5].map((progress) => html`<button type="button" class="chip tabular" key=${progress} aria-label=${`Got ${progress} of 5 of the way`} aria-pressed=${episode.progress === progress} onClick=${() => giveLabel(id, outcomeNow(episode), episode.outcome_reason, progress)}>${progress}</button>`)}
            <span class="quiet">of 5: how far it got</span>
          </div>`
      : html`<p class="quiet">${whyNot("operator", "label episodes")}</p>`}
    ${labels.length > 0 &&
    html`<h3>History</h3>
      <ol class="history">
        ${labels.map((label) => html`<li key=${`${label.time_ns}${label.author}`} class=${label.is_effective ? "is-effective" : ""}>
          <span class="tabular quiet">${clock(label.time_ns)}</span> ${outcomeWord(label.outcome)} by ${label.author}${label.reason ? `: ${label.reason}` : ""}${label.progress ? `, ${label.progress} of 5` : ""}${label.is_effective ? html` <strong>counts</strong>` : ""}
        </li>`)}
      </ol>`}
  </section>`;
}

/** @param {StoryProps} props */
function MarkBox({ detail, step, onStep, onChanged }) {
  const id = encodeURIComponent(detail.episode.episode_id);
  const mark = async (/** @type {string} */ kind, /** @type {number} */ at, /** @type {string} */ note) => {
    await api.post(`/api/episodes/${id}/marks`, { kind, step_index: at, note });
    onChanged();
  };
  return html`<section class="panel">
    <h2>Marks</h2>
    ${detail.marks.length
      ? html`<ol class="history">${detail.marks.map(
          (one) => html`<li key=${one.time_ns}><${StepLink} step=${one.step_index} onStep=${onStep} /> ${MARK_WORDS[one.kind] ?? one.kind}${one.note ? `: ${one.note}` : ""} <span class="quiet">${one.author}</span></li>`,
        )}</ol>`
      : html`<p class="quiet">Nobody marked anything.</p>`}
    ${may("operator")
      ? html`<${ReasonForm} label=${`What went wrong at step ${step}`} deed="Mark this moment" isOptional=${true} onSave=${(/** @type {string} */ note) => mark("moment", step, note)} />
          <${ReasonForm} label="Why somebody should look at this episode" deed="Flag episode" onSave=${(/** @type {string} */ note) => mark("flag", -1, note)} />`
      : html`<p class="quiet">${whyNot("operator", "mark or flag episodes")}</p>`}
  </section>`;
}

/** @param {StoryProps} props */
function Events({ detail, onStep }) {
  const events = [
    ...detail.interventions.map((one) => ({ step: one.first_step_index, words: `${one.operator_id} drove ${count(one.num_correction_steps)} steps${one.mean_command_delay_ms !== null ? `, ${Math.round(one.mean_command_delay_ms)} ms delay` : ""}` })),
    ...detail.help.map((one) => ({ step: one.step_index, words: `asked for help: ${one.reason || one.question}${one.result ? ` (${one.result.replaceAll("_", " ")}${one.author ? ` by ${one.author}` : ""})` : ""}` })),
  ].sort((one, other) => one.step - other.step);
  return html`<section class="panel">
    <h2>What happened</h2>
    ${events.length
      ? html`<ol class="history">${events.map((event, index) => html`<li key=${index}><${StepLink} step=${event.step} onStep=${onStep} /> ${event.words}</li>`)}</ol>`
      : html`<p class="quiet">Nobody helped, and it did not ask.</p>`}
  </section>`;
}

/**
 * @param {object} props
 * @param {number} props.step  below 0: the episode as a whole
 * @param {(step: number) => void} props.onStep
 */
function StepLink({ step, onStep }) {
  if (step < 0) return html`<span class="quiet">whole</span>`;
  return html`<button type="button" class="quiet-button tabular" onClick=${() => onStep(step)}>step ${step}</button>`;
}

/**
 * Such as "412 times for version 7, 120 of them at a person's step".
 * @param {import("../../shapes.js").Learned} learned
 */
function sampledWords({ num_sampled, sampled, unavailable }) {
  if (num_sampled === null) return unavailable?.num_sampled ?? "not recorded";
  if (!sampled.length) return "never";
  return sampled
    .map((one) => `${count(one.num_sampled)} times for version ${one.version}${one.num_corrections_sampled ? `, ${count(one.num_corrections_sampled)} of them at a person's step` : ""}`)
    .join("; ");
}

/** @param {{detail: import("../../shapes.js").EpisodeDetail}} props */
function LearnedBox({ detail }) {
  const { learned } = detail;
  const advantage = learned.mean_advantage === null ? "no critic has seen it" : `${learned.mean_advantage.toFixed(3)}, by critic ${learned.critic_version}`;
  return html`<section class="panel">
    <h2>What the learner did with it</h2>
    <dl class="facts">
      <dt>Times sampled</dt><dd class="tabular">${sampledWords(learned)}</dd>
      <dt>Mean advantage</dt><dd class="tabular">${advantage}</dd>
      ${learned.share_positive !== null && html`<dt>Steps counted as good</dt><dd class="tabular">${Math.round(100 * learned.share_positive)} %</dd>`}
      <dt>Versions trained on it</dt><dd class="tabular">${learned.versions.length ? learned.versions.join(", ") : "none yet"}</dd>
    </dl>
  </section>`;
}
