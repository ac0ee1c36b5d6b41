// How series are told apart: colour, dash and marker together, never colour alone.
// A name keeps its style on every chart of the product, so the eye learns it once.

/**
 * @typedef {object} SeriesStyle
 * @property {number} index  1 to 7: the colour token `--series-N`
 * @property {number[]} dash  in CSS pixels; empty is a solid line
 * @property {MarkerShape} shape
 */

/** @typedef {"circle" | "square" | "diamond" | "triangle" | "cross"} MarkerShape */

/** @type {readonly number[][]} */
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 2], [12, 4]];
/** @type {readonly MarkerShape[]} */
const SHAPES = ["circle", "square", "diamond", "triangle", "cross"];

/** Colour and dash of series that mean the same everywhere. @type {Readonly<Record<string, [colour: number, dash: number]>>} */
const FIXED = {
  success: [3, 0],
  failure: [6, 1],
  timed_out: [5, 2],
  demonstration: [1, 0],
  rollout: [2, 1],
  correction: [3, 2],
  evaluation: [4, 3],
  simulated_expert: [7, 4],
  value: [1, 0],
  advantage: [4, 0],
};

/**
 * @param {string} name  of the series; known names have a fixed style
 * @param {number} position  from 0 in this chart; used for all other names
 * @returns {SeriesStyle}
 */
export function seriesStyle(name, position) {
  const free = position % DASHES.length;
  const [index, dash] = FIXED[name] ?? [free + 1, free];
  return { index, dash: DASHES[dash], shape: SHAPES[(index - 1) % SHAPES.length] };
}

/**
 * Outline of a marker around a point, as SVG path data.
 * @param {MarkerShape} shape
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @returns {string}
 */
export function markerPath(shape, x, y, radius) {
  const r = radius;
  if (shape === "square") return `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
  if (shape === "diamond") return `M${x},${y - r * 1.3}L${x + r * 1.3},${y}L${x},${y + r * 1.3}L${x - r * 1.3},${y}z`;
  if (shape === "triangle") return `M${x},${y - r * 1.2}L${x + r * 1.2},${y + r}L${x - r * 1.2},${y + r}z`;
  if (shape === "cross") return `M${x - r},${y - r}L${x + r},${y + r}M${x - r},${y + r}L${x + r},${y - r}`;
  return `M${x - r},${y}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0z`;
}
