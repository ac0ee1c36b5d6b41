/**
 * One request: what happened, how it is now, and what is asked.
 *
 * @import { Heard } from "./request-list.js"
 */

import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";

import { clips } from "../../clips.js";
import { useKey } from "../../keys.js";
import { robots, rosterOf, values } from "../../store.js";
import { ClipPlayer } from "../../widgets/clip.js";
import { Picture } from "../../widgets/picture.js";
import { SeverityBadge, StateBadge, stateOf } from "../../widgets/state-badge.js";
import { ValueTrace } from "../../widgets/value-trace.js";
import { QUEUE, QUESTIONS, sentence } from "../../words.js";
import { Claim, Question } from "./question.js";
import { PointPicture } from "./point-picture.js";
import { Deadline, timesOf } from "./request-list.js";

const LIVE_FPS = 10;
const LIVE_WIDTH = 640;
const LATEST_S = 10;
/** A clip that is not there by now will not come. */
const LATE_MS = 13_000;

/** Which picture is large. @typedef {"both" | "clip" | "live"} Size */

/**
 * @param {object} props
 * @param {Heard} props.request
 * @param {boolean} props.isChosen by the person, not by being first
 * @param {(requestId: string) => void} props.onChoose
 */
export function RequestView({ request, isChosen, onChoose }) {
  const [size, setSize] = useState(/** @type {Size} */ ("both"));
  const [camera, setCamera] = useState(0);
  const [point, setPoint] = useState(/** @type {import("./point-picture.js").Place | null} */ (null));
  const { leftS } = timesOf(request);
  const isPoint = request.kind === "point";
  const showCamera = (/** @type {number} */ place) => {
    setCamera(place);
    setPoint(null); // the place was in the other picture
  };
  useKey("KeyC", `${QUEUE.clip} / ${QUEUE.live}`, () => setSize(size === "clip" ? "live" : "clip"));
  return html`<section class="request-view" aria-labelledby="request-title">
    <header class="request-title">
      <h2 id="request-title">${request.robot_id}</h2>
      <${StateBadge} state=${stateOf(robots.value.get(request.robot_id))} />
      <${SeverityBadge} severity=${request.severity} />
      <p>${sentence(request.reason)}</p>
      ${request.deadline_s > 0 ? html`<${Deadline} request=${request} leftS=${leftS} />` : html`<span class="quiet">${QUEUE.noDeadline}</span>`}
    </header>
    <div class=${`request-pictures size-${size}`}>
      <${ClipPane} request=${request} size=${size} onSize=${setSize} />
      <figure class=${`pane pane-live ${isPoint ? "is-pointed" : ""}`}>
        <figcaption><${Cameras} robotId=${request.robot_id} camera=${camera} onCamera=${showCamera} /><${SizeButton} size=${size} mine="live" onSize=${setSize} /></figcaption>
        ${isPoint
          ? html`<${PointPicture} robotId=${request.robot_id} camera=${camera} point=${point} onPoint=${setPoint} />`
          : html`<${Picture} key=${`live ${request.robot_id}`} robotId=${request.robot_id} camera=${camera} fps=${LIVE_FPS} width=${LIVE_WIDTH} label=${QUEUE.liveOf(request.robot_id)} />`}
      </figure>
    </div>
    <div class="request-ask">
      <p class="request-question">${request.question || QUESTIONS[request.kind]}</p>
      <${Question} request=${request} point=${point} />
      <${Claim} request=${request} isChosen=${isChosen} onChoose=${onChoose} />
    </div>
  </section>`;
}

/**
 * @param {object} props
 * @param {Heard} props.request
 * @param {Size} props.size
 * @param {(size: Size) => void} props.onSize
 */
function ClipPane({ request, size, onSize }) {
  const clip = clips.value.get(request.request_id);
  const [beforeMs, setBeforeMs] = useState(0);
  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsLate(true), LATE_MS);
    return () => clearTimeout(timer);
  }, []);
  const rate = rosterOf(request.robot_id)?.spec?.control_rate_hz ?? 10;
  const points = (values.value.get(request.robot_id) ?? []).filter((point) => point.episode_id === (clip?.episodeId || request.episode_id));
  const last = clip ? clip.takenStep : (points.at(-1)?.step_index ?? 0);
  const cursor = clip ? last - (beforeMs / 1000) * rate : null;
  return html`<figure class="pane pane-clip">
    <figcaption><span>${clip && !clip.isBefore ? QUEUE.latest : QUEUE.clip}</span><${SizeButton} size=${size} mine="clip" onSize=${onSize} /></figcaption>
    ${clip ? html`<${ClipPlayer} clip=${clip} label=${QUEUE.clipOf(request.robot_id)} onTime=${setBeforeMs} />` : html`<div class="picture"><p class="picture-note">${noClipWords(request, isLate)}</p></div>`}
    <${ValueTrace} points=${points} first=${Math.max(0, last - LATEST_S * rate)} last=${last} cursor=${cursor} />
  </figure>`;
}

/**
 * Why there is no clip.
 * @param {Heard} request
 * @param {boolean} isLate
 */
function noClipWords({ episode_id }, isLate) {
  if (!episode_id) return QUEUE.noEpisode;
  return isLate ? QUEUE.clipNone : QUEUE.clipWaits;
}

/**
 * @param {object} props
 * @param {Size} props.size
 * @param {"clip" | "live"} props.mine
 * @param {(size: Size) => void} props.onSize
 */
function SizeButton({ size, mine, onSize }) {
  const isLarge = size === mine;
  return html`<button type="button" class="quiet-button" aria-pressed=${isLarge} onClick=${() => onSize(isLarge ? "both" : mine)}>
    ${isLarge ? QUEUE.both : QUEUE.swap}<span class="visually-hidden"> ${mine === "clip" ? QUEUE.clip : QUEUE.live}</span>
  </button>`;
}

/**
 * @param {object} props
 * @param {string} props.robotId
 * @param {number} props.camera
 * @param {(camera: number) => void} props.onCamera
 */
function Cameras({ robotId, camera, onCamera }) {
  const cameras = rosterOf(robotId)?.spec?.cameras ?? [];
  if (cameras.length < 2) return html`<span>${QUEUE.live}</span>`;
  return html`<span class="segments" role="group" aria-label="Camera">
    <span>${QUEUE.live}</span>
    ${cameras.map(({ name }, index) => html`<button key=${name} type="button" aria-pressed=${index === camera} onClick=${() => onCamera(index)}>${name}</button>`)}
  </span>`;
}
