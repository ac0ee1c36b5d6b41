/**
 * The last seconds of an episode that has ended, from the lake.
 *
 * @import { Clip } from "./clips.js"
 * @import { EpisodeEnding } from "./shapes.js"
 */

import { get } from "./api.js";

/**
 * @param {string} episodeId
 * @param {number} lengthS
 * @param {number} fps
 * @returns {Promise<Clip | null>} null: its pictures are not in the lake yet
 * @throws {Error} the lake cannot be read
 */
export async function recordedClip(episodeId, lengthS, fps) {
  const path = `/api/episodes/${encodeURIComponent(episodeId)}`;
  const ending = /** @type {EpisodeEnding | null} */ (await get(`${path}/ending?length_s=${lengthS}&fps=${fps}`));
  if (!ending) return null;
  const last = ending.steps.at(-1) ?? 0;
  const pictures = await Promise.all(
    ending.steps.map(async (step) => {
      const answer = await fetch(`${path}/frames/0/${step}`);
      if (!answer.ok) throw new Error(`no picture of step ${step}`);
      return { beforeMs: ((last - step) / ending.control_rate_hz) * 1000, jpeg: await answer.blob() };
    }),
  );
  return { pictures, takenStep: last, episodeId, isBefore: true };
}
