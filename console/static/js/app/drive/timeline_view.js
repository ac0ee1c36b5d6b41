/**
 * The last minute, drawn: who moved the robot, the value line, marks and requests. A press or drag on it points at
 * a moment, so that "it went wrong here" can be said a little later.
 *
 * @import { Timeline } from "../../core/timeline.js"
 */

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { nowMs } from "../../core/clock.js";
import { SPAN_MS } from "../../core/timeline.js";
import { colourOf } from "../colour.js";

const REDRAW_MS = 100;
const BAND_PX = 14;

/**
 * @param {object} props
 * @param {Timeline} props.timeline
 * @param {number | null} props.cursorMs the moment pointed at; null is now
 * @param {(timeMs: number | null) => void} props.onPoint
 */
export function TimelineView({ timeline, cursorMs, onPoint }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    const draw = () => canvas.current && drawTimeline(canvas.current, timeline, cursorMs);
    draw();
    const timer = setInterval(draw, REDRAW_MS);
    return () => clearInterval(timer);
  }, [timeline, cursorMs]);

  const point = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    onPoint(share > 0.99 ? null : nowMs() - (1 - share) * SPAN_MS);
  };
  const down = (/** @type {PointerEvent} */ event) => {
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
    point(event);
  };
  return html`<figure class="drive-timeline">
    <canvas
      ref=${canvas}
      role="img"
      aria-label=${timeline.summary()}
      onPointerDown=${down}
      onPointerMove=${(/** @type {PointerEvent} */ event) => event.buttons && point(event)}
    ></canvas>
    <figcaption>
      <span>60 s ago</span>
      <span class="drive-timeline-key">
        <i class="key-autonomous"></i>policy <i class="key-correcting"></i>person <i class="key-paused"></i>paused
        <i class="key-lost"></i>lost or stopped <i class="key-value"></i>value; ✕ went wrong, ↺ good again, ? asked, ● outcome
      </span>
      <span>now</span>
    </figcaption>
  </figure>`;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Timeline} timeline
 * @param {number | null} cursorMs
 */
function drawTimeline(canvas, timeline, cursorMs) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const pen = canvas.getContext("2d");
  if (!pen || !width || !height) return;
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  pen.scale(devicePixelRatio, devicePixelRatio);
  const start = nowMs() - SPAN_MS;
  const x = (/** @type {number} */ timeMs) => ((timeMs - start) / SPAN_MS) * width;
  for (const band of timeline.bands) {
    pen.fillStyle = colourOf(`--state-${band.mode}`);
    pen.fillRect(x(band.fromMs), height - BAND_PX, Math.max(1, x(band.toMs) - x(band.fromMs)), BAND_PX);
  }
  drawValues(pen, timeline.values.map(({ timeMs, value }) => [x(timeMs), value]), height - BAND_PX - 4, colourOf("--series-1"));
  pen.font = "600 13px system-ui, sans-serif";
  for (const flag of timeline.flags) {
    pen.fillStyle = colourOf("--text");
    pen.fillRect(x(flag.timeMs), 0, flag.kind === "episode" ? 1 : 2, height);
    pen.fillText(FLAGS[flag.kind], Math.min(x(flag.timeMs) + 4, width - 12), 12);
  }
  if (cursorMs !== null) {
    pen.fillStyle = colourOf("--accent");
    pen.fillRect(x(cursorMs) - 1, 0, 3, height);
  }
}

const FLAGS = { mark: "✕", recovered: "↺", help: "?", outcome: "●", episode: "" };

/**
 * Values lie in [-1, 0] by definition of the return; what lies outside widens the range.
 * @param {CanvasRenderingContext2D} pen
 * @param {number[][]} points x and value
 * @param {number} height
 * @param {string} colour
 */
function drawValues(pen, points, height, colour) {
  if (points.length < 2) return;
  const values = points.map((point) => point[1] ?? 0);
  const [low, high] = [Math.min(-1, ...values), Math.max(0, ...values)];
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  for (const [x = 0, value = 0] of points) pen.lineTo(x, 2 + (1 - (value - low) / (high - low)) * (height - 4));
  pen.stroke();
}
