// Time series: uPlot with our colours, dashes and shared cursor. A selection asks the owner for finer
// data (the server answers in min/max buckets); a double click asks for everything again.

import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

import { colourOf, onThemeChange } from "../colour.js";
import { ChartKey } from "./chart-key.js";
import { seriesStyle } from "./series-style.js";
import { useWidth } from "./size.js";
import { exactClock } from "./when.js";

/**
 * @typedef {object} ChartSeries
 * @property {string} name
 * @property {(number | null)[]} min  lowest of each bucket
 * @property {(number | null)[]} max  highest of each bucket; the same list where nothing was merged
 */

/**
 * @typedef {object} ChartProps
 * @property {number[]} x  ascending: seconds since the epoch, or steps
 * @property {ChartSeries[]} series
 * @property {string} axis  the vertical axis with its unit
 * @property {string} summary  the chart in one sentence
 * @property {(value: number) => string} format  of the vertical axis
 * @property {boolean} [isTime]  the horizontal axis is a clock
 * @property {number} [height]
 * @property {string} [syncKey]  charts with the same key share their cursor
 * @property {[number, number] | null} [range]  of the horizontal axis; null: the data's
 * @property {[number, number] | null} [yRange]
 * @property {number | null} [marker]  a line that stays: the step that is shown
 * @property {(first: number, last: number) => void} [onZoom]
 * @property {() => void} [onZoomOut]
 * @property {(x: number) => void} [onPick]  a click
 * @property {boolean} [hasKey]
 * @property {boolean} [isJoined]  the series have times of their own: a gap only means that the other one has a point there
 */

/** @param {ChartProps} props */
export function Chart(props) {
  const { x, series, summary, axis, hasKey = true, height = 180, range = null, marker = null } = props;
  const { ref, width } = useWidth(480);
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const readout = useRef(/** @type {HTMLSpanElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const latest = useRef(props);
  latest.current = props;
  const names = series.map((one) => one.name).join("\n");
  useLayoutEffect(() => {
    if (!box.current) return undefined;
    const made = new uPlot(options(latest, readout, width, height), aligned(latest.current), box.current);
    plot.current = made;
    return () => {
      plot.current = null;
      made.destroy();
    };
  }, [names, props.syncKey, props.isTime]);
  useLayoutEffect(() => plot.current?.setSize({ width, height }), [width, height]);
  useLayoutEffect(() => plot.current?.setData(aligned(latest.current), true), [x, series, range?.[0], range?.[1]]);
  useLayoutEffect(() => plot.current?.redraw(false), [marker]);
  useEffect(() => onThemeChange(() => plot.current?.redraw(false, false)), []);
  return html`<div ref=${ref} class="chart">
    <p class="chart-caption"><span class="chart-axis-title">${axis}</span><span ref=${readout} class="chart-readout tabular" aria-hidden="true"></span></p>
    <div ref=${box} class="chart-canvas" role="img" aria-label=${summary}></div>
    ${hasKey && html`<${ChartKey} names=${series.map((one) => one.name)} />`}
  </div>`;
}

/**
 * Two uPlot series a channel, lowest and highest, so that no spike is lost between them.
 * @param {ChartProps} props
 * @returns {uPlot.AlignedData}
 */
function aligned({ x, series }) {
  return /** @type {uPlot.AlignedData} */ ([x, ...series.flatMap((one) => [one.max, one.min])]);
}

/**
 * @param {{current: ChartProps}} latest  the newest props, read at every drawing
 * @param {{current: HTMLSpanElement | null}} readout
 * @param {number} width
 * @param {number} height
 * @returns {uPlot.Options}
 */
function options(latest, readout, width, height) {
  const { series, syncKey, isTime = false, isJoined = false } = latest.current;
  const styles = series.map((one, position) => seriesStyle(one.name, position));
  return {
    width,
    height,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    scales: {
      x: { time: isTime, range: (_plot, low, high) => latest.current.range ?? [low, high === low ? low + 1 : high] },
      y: { range: (_plot, low, high) => latest.current.yRange ?? padded(low, high) },
    },
    axes: [{ ...axisOptions(isTime ? timeLabel : null), size: 26, space: isTime ? 90 : 50 }, { ...axisOptions((value) => latest.current.format(value)), size: 56 }],
    series: [{}, ...styles.flatMap((style) => [lineOptions(style, isJoined), lineOptions(style, isJoined)])],
    bands: styles.map((style, index) => ({
      series: /** @type {[number, number]} */ ([1 + 2 * index, 2 + 2 * index]),
      fill: () => colourOf(`--series-${style.index}`, 0.25),
    })),
    cursor: cursorOptions(latest, syncKey),
    hooks: { draw: [(plot) => drawMarker(plot, latest.current.marker ?? null)], setCursor: [(plot) => writeReadout(plot, latest.current, readout.current)], setSelect: [(plot) => zoom(plot, latest.current)] },
  };
}

/**
 * @param {import("./series-style.js").SeriesStyle} style
 * @param {boolean} isJoined
 * @returns {uPlot.Series}
 */
function lineOptions(style, isJoined) {
  return { stroke: () => colourOf(`--series-${style.index}`), width: 1.5, dash: style.dash, points: { show: false }, spanGaps: isJoined };
}

/**
 * @param {number} seconds  since the epoch
 * @returns {string} the clock; at midnight the day
 */
function timeLabel(seconds) {
  const date = new Date(seconds * 1000);
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (isMidnight) return date.toLocaleDateString(undefined, { day: "numeric", month: "short" });
  const hasSeconds = date.getSeconds() !== 0;
  return date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: hasSeconds ? "2-digit" : undefined, hourCycle: "h23" });
}

/**
 * @param {((value: number) => string) | null} format  null: uPlot's own
 * @returns {uPlot.Axis}
 */
function axisOptions(format) {
  return {
    stroke: () => colourOf("--text-quiet"),
    grid: { stroke: () => colourOf("--grid"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
    ...(format ? { values: (/** @type {uPlot} */ _plot, /** @type {number[]} */ values) => values.map(format) } : {}),
  };
}

/**
 * @param {{current: ChartProps}} latest
 * @param {string | undefined} syncKey
 * @returns {uPlot.Cursor}
 */
function cursorOptions(latest, syncKey) {
  return {
    y: false,
    points: { show: false },
    drag: { x: true, y: false, setScale: false },
    ...(syncKey ? { sync: { key: syncKey, setSeries: false } } : {}),
    bind: {
      dblclick: () => () => {
        latest.current.onZoomOut?.();
        return null;
      },
      click: (plot) => (event) => {
        const left = event.clientX - plot.over.getBoundingClientRect().left;
        latest.current.onPick?.(plot.posToVal(left, "x"));
        return null;
      },
    },
  };
}

/**
 * @param {uPlot} plot
 * @param {ChartProps} props
 */
function zoom(plot, props) {
  if (plot.select.width < 4) return;
  const first = plot.posToVal(plot.select.left, "x");
  const last = plot.posToVal(plot.select.left + plot.select.width, "x");
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  props.onZoom?.(first, last);
}

/**
 * @param {uPlot} plot
 * @param {number | null} at
 */
function drawMarker(plot, at) {
  if (at === null) return;
  const place = plot.valToPos(at, "x", true);
  if (place < plot.bbox.left - 1 || place > plot.bbox.left + plot.bbox.width + 1) return;
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.setLineDash([]);
  ctx.strokeStyle = colourOf("--text");
  ctx.lineWidth = Math.max(1, uPlot.pxRatio * 1.5);
  ctx.beginPath();
  ctx.moveTo(place, bbox.top);
  ctx.lineTo(place, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

/**
 * @param {uPlot} plot
 * @param {ChartProps} props
 * @param {HTMLSpanElement | null} line
 */
function writeReadout(plot, props, line) {
  if (!line) return;
  const index = plot.cursor.idx;
  if (index === null || index === undefined || (plot.cursor.left ?? -1) < 0) {
    line.textContent = "";
    return;
  }
  const parts = props.series.map((one) => {
    const [low, high] = [one.min[index], one.max[index]];
    if (low === null || low === undefined || high === null || high === undefined) return `${one.name} –`;
    return `${one.name} ${props.format(low)}${low === high ? "" : ` to ${props.format(high)}`}`;
  });
  const at = props.isTime ? exactClock(props.x[index] * 1e9) : String(Math.round(props.x[index]));
  line.textContent = `${at}: ${parts.join(", ")}`;
}

/**
 * @param {number | null} low
 * @param {number | null} high
 * @returns {[number, number]}
 */
function padded(low, high) {
  if (low === null || high === null) return [0, 1];
  const margin = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - margin, high + margin];
}
