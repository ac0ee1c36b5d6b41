// Some seconds of pictures in a loop, on a canvas, with play and pause.

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { isStillPreferred } from "../theme.js";
import { QUEUE } from "../words.js";

/** How long the last picture stays before the loop begins again. */
const REST_MS = 900;

/**
 * @param {object} props
 * @param {import("../clips.js").Clip} props.clip
 * @param {string} props.label
 * @param {(beforeMs: number) => void} [props.onTime] time of the shown picture before the newest
 */
export function ClipPlayer({ clip, label, onTime }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [isPlaying, setIsPlaying] = useState(() => !isStillPreferred());
  const [beforeMs, setBeforeMs] = useState(0);
  const bitmaps = useBitmaps(clip);
  useEffect(() => {
    if (!bitmaps.length) return undefined;
    const newest = bitmaps.length - 1;
    const show = (/** @type {number} */ index) => {
      const shown = bitmaps[index];
      if (!shown || !canvas.current) return;
      draw(canvas.current, shown.bitmap);
      setBeforeMs(shown.beforeMs);
      onTime?.(shown.beforeMs);
    };
    if (!isPlaying) {
      show(newest);
      return undefined;
    }
    let index = 0;
    /** @type {ReturnType<typeof setTimeout>} */
    let timer;
    const step = () => {
      show(index);
      const here = bitmaps[index]?.beforeMs ?? 0;
      const next = bitmaps[index + 1]?.beforeMs;
      timer = setTimeout(step, next === undefined ? REST_MS : Math.max(30, here - next));
      index = next === undefined ? 0 : index + 1;
    };
    step();
    return () => clearTimeout(timer);
  }, [bitmaps, isPlaying]);
  return html`<div class="clip">
    <canvas ref=${canvas} role="img" aria-label=${label}></canvas>
    <button type="button" class="clip-button" aria-pressed=${isPlaying} onClick=${() => setIsPlaying(!isPlaying)}>${isPlaying ? QUEUE.pause : QUEUE.play}</button>
    <span class="clip-time tabular" aria-hidden="true">${beforeMs < 50 ? "newest" : `\u2212${(beforeMs / 1000).toFixed(1)} s`}</span>
  </div>`;
}

/**
 * @param {import("../clips.js").Clip} clip
 * @returns {{beforeMs: number, bitmap: ImageBitmap}[]} empty until all are decoded
 */
function useBitmaps(clip) {
  const [bitmaps, setBitmaps] = useState(/** @type {{beforeMs: number, bitmap: ImageBitmap}[]} */ ([]));
  useEffect(() => {
    let isCurrent = true;
    /** @type {{beforeMs: number, bitmap: ImageBitmap}[]} */
    let made = [];
    void Promise.allSettled(clip.pictures.map(async ({ beforeMs, jpeg }) => ({ beforeMs, bitmap: await createImageBitmap(jpeg) }))).then((all) => {
      made = all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      if (isCurrent) setBitmaps(made);
      else for (const { bitmap } of made) bitmap.close();
    });
    return () => {
      isCurrent = false;
      for (const { bitmap } of made) bitmap.close();
    };
  }, [clip]);
  return bitmaps;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ImageBitmap} bitmap
 */
function draw(canvas, bitmap) {
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
  try {
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  } catch {
    // Closed between two clips: the next one is drawn in a moment.
  }
}
