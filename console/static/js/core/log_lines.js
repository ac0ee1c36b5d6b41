/**
 * Lines of a service's log (infra/logs.py: one JSON object each) as something to read.
 *
 * @typedef {object} LogLine
 * @property {number} number
 * @property {string} time "17:41:02.125", UTC; empty where the line does not say
 * @property {string} level debug, info, warning, error or critical
 * @property {string} logger
 * @property {string} words
 * @property {string} more the other fields, as name=value
 * @property {string} exception
 */

export const LEVELS = Object.freeze(["debug", "info", "warning", "error"]);
const KNOWN = new Set(["time", "level", "service", "logger", "message", "exception"]);
const MAX_LINES = 1000;

/**
 * @param {string} text
 * @param {number} number
 * @returns {LogLine} a line that is no JSON stands as it is
 */
export function logLine(text, number) {
  const plain = { number, time: "", level: "info", logger: "", words: text, more: "", exception: "" };
  /** @type {unknown} */
  let fields;
  try {
    fields = JSON.parse(text);
  } catch {
    return plain;
  }
  if (typeof fields !== "object" || fields === null) return plain;
  const { time, level, logger, message, exception, ...rest } = /** @type {Record<string, unknown>} */ (fields);
  return {
    number,
    time: /T([0-9:.]+)/.exec(said(time))?.[1] ?? "",
    level: said(level) || "info",
    logger: said(logger),
    words: said(message),
    more: Object.entries(rest).filter(([name]) => !KNOWN.has(name)).map(([name, value]) => `${name}=${said(value)}`).join("  "),
    exception: said(exception),
  };
}

/**
 * @param {LogLine} line
 * @param {string} level
 */
export function isAtLeast(line, level) {
  return rank(line.level) >= rank(level);
}

/**
 * What is known after another answer; a process that started again counts from 0, and its lines replace the old ones.
 * @param {LogLine[]} known
 * @param {{first_line: number, lines: string[]}} answer
 * @returns {LogLine[]}
 */
export function withMore(known, { first_line, lines }) {
  if (!lines.length) return known;
  const fresh = lines.map((text, index) => logLine(text, first_line + index));
  const last = known.at(-1)?.number ?? -1;
  return (first_line > last ? [...known, ...fresh] : fresh).slice(-MAX_LINES);
}

/** @param {string} level */
function rank(level) {
  const place = LEVELS.indexOf(level);
  return place < 0 ? LEVELS.length : place; // critical, and what a stranger calls his
}

/** @param {unknown} value */
function said(value) {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
