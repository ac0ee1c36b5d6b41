// Which step is shown: by hand, or moving at a speed. The step is in the URL once it rests.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { setQuery } from "../../router.js";

const FALLBACK_RATE_HZ = 10;
/** Browsers refuse an address that changes with every pixel of a slider. */
const REST_MS = 250;

/**
 * @typedef {object} Playback
 * @property {number} step
 * @property {boolean} isPlaying
 * @property {number} speed  1 is the robot's own
 * @property {(step: number) => void} show  go to a step and rest there
 * @property {() => void} toggle
 * @property {(speed: number) => void} setSpeed
 */

/**
 * @param {import("../../shapes.js").Episode} episode
 * @param {number} initial  step from the URL
 * @returns {Playback}
 */
export function usePlayback(episode, initial) {
  const last = Math.max(0, episode.num_steps - 1);
  const [step, setStep] = useState(clamp(initial, last));
  const [isPlaying, setIsPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const place = useRef(step);
  place.current = step;
  useEffect(() => {
    if (!isPlaying) return undefined;
    const rate = (episode.control_rate_hz || FALLBACK_RATE_HZ) * speed;
    const from = place.current;
    const start = performance.now();
    let frame = requestAnimationFrame(function advance(now) {
      const next = clamp(from + Math.floor(((now - start) / 1000) * rate), last);
      setStep(next);
      if (next >= last) setIsPlaying(false);
      else frame = requestAnimationFrame(advance);
    });
    return () => cancelAnimationFrame(frame);
  }, [isPlaying, speed, episode, last]);
  useEffect(() => {
    if (isPlaying) return undefined;
    const timer = setTimeout(() => setQuery({ t: step ? String(step) : null }), REST_MS);
    return () => clearTimeout(timer);
  }, [step, isPlaying]);
  const show = useCallback(
    (/** @type {number} */ to) => {
      setIsPlaying(false);
      setStep(clamp(to, last));
    },
    [last],
  );
  const toggle = useCallback(() => {
    if (place.current >= last) setStep(0);
    place.current = place.current >= last ? 0 : place.current;
    setIsPlaying((was) => !was);
  }, [last]);
  return { step, isPlaying, speed, show, toggle, setSpeed };
}

/**
 * @param {number} step
 * @param {number} last
 * @returns {number}
 */
function clamp(step, last) {
  return Math.min(last, Math.max(0, Math.round(step)));
}
