// The cameras of one step, all of the same step: pictures change together or not at all.

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** Pictures held decoded; enough for a few seconds of one episode. */
const MAX_KEPT = 240;
const AHEAD_PLAYING = 12;
const AHEAD_RESTING = 3;

/**
 * @param {object} props
 * @param {import("../../shapes.js").Episode} props.episode
 * @param {import("../../shapes.js").Spec | null} props.spec
 * @param {number} props.step
 * @param {boolean} props.isPlaying
 */
export function Cameras({ episode, spec, step, isPlaying }) {
  const cameras = spec?.cameras ?? [];
  const kept = useRef(/** @type {Map<string, Promise<HTMLImageElement>>} */ (new Map()));
  const [shown, setShown] = useState(/** @type {{step: number, urls: string[], error: string}} */ ({ step: -1, urls: [], error: "" }));
  useEffect(() => {
    let isCurrent = true;
    const urls = cameras.map((camera) => frameUrl(episode.episode_id, camera.name, step));
    const take = () => isCurrent && setShown({ step, urls, error: "" });
    const refuse = () => isCurrent && setShown({ step, urls: [], error: `The pictures of step ${step} cannot be read.` });
    Promise.all(urls.map((url) => picture(kept.current, url))).then(take, refuse);
    const ahead = isPlaying ? AHEAD_PLAYING : AHEAD_RESTING;
    for (let next = step + 1; next <= Math.min(step + ahead, episode.num_steps - 1); next += 1) {
      for (const camera of cameras) picture(kept.current, frameUrl(episode.episode_id, camera.name, next)).catch(() => undefined);
    }
    return () => {
      // While it plays a picture may come late: it is still shown, unless a newer one was.
      isCurrent = isPlaying;
    };
  }, [episode, step, isPlaying]);
  if (!cameras.length) return html`<p class="panel-none">The pictures cannot be shown: the robot's description is not known here.</p>`;
  return html`<div class="cameras" data-step=${shown.step}>
    ${cameras.map(
      (camera, index) => html`<figure key=${camera.name} class="camera">
        ${shown.urls[index]
          ? html`<img src=${shown.urls[index]} width=${camera.width} height=${camera.height} alt=${`${camera.name}, step ${shown.step}`} />`
          : html`<div class="camera-none" style=${{ aspectRatio: `${camera.width} / ${camera.height}` }}>${shown.error || "Reading…"}</div>`}
        <figcaption>${camera.name}</figcaption>
      </figure>`,
    )}
  </div>`;
}

/**
 * @param {Map<string, Promise<HTMLImageElement>>} kept
 * @param {string} url
 * @returns {Promise<HTMLImageElement>} once it is decoded, so that showing it does not flicker
 */
function picture(kept, url) {
  const known = kept.get(url);
  if (known) return known;
  const image = new Image();
  image.src = url;
  const made = image.decode().then(() => image);
  made.catch(() => kept.delete(url));
  kept.set(url, made);
  const oldest = kept.keys().next().value;
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
  return made;
}

/**
 * @param {string} episodeId
 * @param {string} camera
 * @param {number} step
 * @returns {string}
 */
function frameUrl(episodeId, camera, step) {
  return `/api/episodes/${encodeURIComponent(episodeId)}/frames/${encodeURIComponent(camera)}/${step}`;
}
