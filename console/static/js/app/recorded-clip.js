/**
 * The last seconds of an episode that has ended, from the lake.
 *
 * @import { Clip } from "./clips.js"
 * @import { EpisodeDetail } from "./shapes.js"
 */

import { get } from "./api.js";

/**
 * @param {string} episodeId
 * @param {number} lengthS
 * @param {number} fps
 * @returns {Promise<Clip>}
 * @throws {Error} it is not in the lake, or has no pictures
 */
export async function recordedClip(episodeId, lengthS, fps) {
  const name = encodeURIComponent(episodeId);
  const { episode, spec } = /** @type {EpisodeDetail} */ (await get(`/api/episodes/${name}`));
  const rate = episode.control_rate_hz || 10;
  const camera = encodeURIComponent(spec?.cameras[0]?.name ?? "0");
  const last = Math.max(0, episode.num_steps - 1);
  const stride = Math.max(1, Math.round(rate / fps));
  const steps = [];
  for (let step = last; step >= 0 && step > last - lengthS * rate; step -= stride) steps.unshift(step);
  const pictures = await Promise.all(
    steps.map(async (step) => {
      const answer = await fetch(`/api/episodes/${name}/frames/${camera}/${step}`);
      if (!answer.ok) throw new Error(`no picture of step ${step}`);
      return { beforeMs: ((last - step) / rate) * 1000, jpeg: await answer.blob() };
    }),
  );
  return { pictures, takenStep: last, episodeId, isBefore: true };
}
