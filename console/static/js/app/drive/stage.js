/**
 * The pictures: one big with what must be seen at a glance laid over it, the others small under it.
 *
 * @import { ControlMode, Spec } from "../../core/types.js"
 * @import { DriveSession } from "./session.js"
 */

import { html } from "htm/preact";
import { nowMs } from "../../core/clock.js";
import { chipText } from "../../core/delay.js";
import { duration } from "../../core/format.js";
import { keyHint } from "../../core/keymap.js";
import { control, now, robotNow } from "../store.js";
import { Picture } from "../widgets/picture.js";
import { StateShape } from "../widgets/state-badge.js";
import { LookBack } from "./look_back.js";
import { ownKeys, ownMapping } from "./own.js";
import { BIG_VIEW } from "./session.js";
import { MODES } from "./words.js";

/** A report older than this says nothing about now. */
const SILENT_MS = 1000;
const MAX_THUMBNAILS = 4;

/** @param {{drive: DriveSession, spec: Spec}} props */
export function Stage({ drive, spec }) {
  const big = drive.bigCamera.value;
  const isArmed = drive.isHeld && control.value?.isArmed;
  const thumbnails = spec.cameras.slice(0, MAX_THUMBNAILS).map((camera, index) => ({ camera, index }));
  return html`<div class="stage">
    <div class="stage-big ${isArmed ? "is-armed" : ""} ${drive.cursorMs.value === null ? "" : "is-past"}">
      ${spec.cameras.length === 0
        ? html`<p class="picture-note">This robot has no camera.</p>`
        : html`<${Picture} key=${BIG_VIEW} viewId=${BIG_VIEW} robotId=${drive.robotId} camera=${big} fps=${15} width=${640} label=${`${drive.robotId}, camera ${spec.cameras[big]?.name ?? big}`} />`}
      <${LookBack} drive=${drive} />
      <${StateBadge} robotId=${drive.robotId} />
      <${DelayChip} />
      <${Limits} drive=${drive} spec=${spec} />
      ${isArmed && html`<span class="armed-word">Armed</span>`}
    </div>
    ${spec.cameras.length > 1 &&
    html`<div class="stage-small" role="group" aria-label="Cameras">
      ${thumbnails.map(
        ({ camera, index }) => html`<button
          key=${camera.name}
          type="button"
          class="thumbnail"
          aria-pressed=${index === big}
          onClick=${() => drive.showCamera(index)}
        >
          <${Picture} robotId=${drive.robotId} camera=${index} fps=${10} width=${240} label="" />
          <span class="thumbnail-name">${camera.name} <kbd>${keyHint(ownKeys.value, `camera_${index + 1}`)}</kbd></span>
        </button>`,
      )}
    </div>`}
  </div>`;
}

/** What the robot itself says it does. @param {{robotId: string}} props */
function StateBadge({ robotId }) {
  const robot = robotNow(robotId).value;
  const ageMs = robot ? Math.max(0, Math.max(now.value, nowMs()) - robot.received_ms) : 0;
  const isSilent = !robot || ageMs > SILENT_MS;
  const mode = MODES[/** @type {ControlMode} */ (robot?.mode ?? "lost")];
  return html`<p class="state-badge state-${isSilent ? "silent" : robot.mode}" role="status" title=${mode.sentence}>
    <${StateShape} state=${isSilent || !robot ? "silent" : robot.mode} size=${18} />
    ${isSilent ? (robot ? `No news for ${duration(ageMs / 1000)}, was ${mode.word.toLowerCase()}` : "No news yet") : mode.word}
    ${!isSilent && robot.help.reason && html`<span class="state-help">${robot.help.reason}</span>`}
  </p>`;
}

/** Command to picture, and what it costs. */
function DelayChip() {
  const state = control.value;
  const tier = state?.tier ?? "unknown";
  const text = chipText(tier, state?.delayMs ?? -1) || "delay unknown";
  return html`<p class="delay-chip tier-${tier}" title="From your hand to the picture that shows it">
    ${tier === "too_slow" ? `${text}: answer, point or mark instead` : text}
  </p>`;
}

/** @type {Record<string, [string, string]>} edges for positive and negative motion */
const EDGES = { x: ["right", "left"], y: ["top", "bottom"], z: ["top", "bottom"] };

/** Limits that bite now, at the edge towards which the hand pushes. @param {{drive: DriveSession, spec: Spec}} props */
function Limits({ drive, spec }) {
  const hits = robotNow(drive.robotId).value?.limit_hits ?? [];
  if (!hits.length) return null;
  const axesOf = ownMapping.value?.axes ?? [];
  const axes = drive.hand.value.axes;
  const byEdge = new Map();
  for (const name of hits) {
    const axis = (axesOf[spec.action.findIndex((channel) => channel.name === name)] ?? "").replace("-", "");
    const [plus, minus] = EDGES[axis] ?? ["bottom", "bottom"];
    const edge = (axes["xyz".indexOf(axis)] ?? 0) >= 0 ? plus : minus;
    byEdge.set(edge, [...(byEdge.get(edge) ?? []), name]);
  }
  return [...byEdge].map(([edge, names]) => html`<p key=${edge} class="limit limit-${edge}">limit: ${names.join(", ")}</p>`);
}
