/**
 * Numbers as words, the same everywhere.
 */

const THIN = "\u202f";

/**
 * How long: "0.4 s", "42 s", "3 min 05 s", "2 h 10 min", "4 days".
 * @param {number} seconds
 */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const total = Math.max(0, seconds);
  if (total < 9.95) return `${total.toFixed(1)} s`;
  const whole = Math.round(total);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = Math.round(total / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(minutes / 1440)} days`;
}

/**
 * A clock for a deadline: "0:07", "12:30".
 * @param {number} seconds
 */
export function countdown(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/**
 * A whole number with thin spaces: "12 345".
 * @param {number} number
 */
export function count(number) {
  return Number.isFinite(number) ? String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, THIN) : "–";
}

/**
 * "3 episodes", "1 episode".
 * @param {number} number
 * @param {string} one
 * @param {string} many
 */
export function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/**
 * A share: "62 %".
 * @param {number | null} share in [0, 1]
 */
export function percent(share, numDigits = 0) {
  return share === null || !Number.isFinite(share) ? "–" : `${(share * 100).toFixed(numDigits)}${THIN}%`;
}

/**
 * A share never comes without its interval and its count: "62 % [48, 74], n 50".
 * @param {{estimate: number | null, low: number | null, high: number | null, n: number}} rate
 */
export function percentWithInterval({ estimate, low, high, n }) {
  if (estimate === null || low === null || high === null || n === 0) return "no data yet";
  return `${percent(estimate)} [${Math.round(low * 100)}, ${Math.round(high * 100)}], n ${count(n)}`;
}

/**
 * "12 ms", "1.4 s".
 * @param {number} ms negative or not finite where nobody knows
 */
export function milliseconds(ms) {
  if (!Number.isFinite(ms) || ms < 0) return "–";
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/**
 * "512 B", "1.5 KiB".
 * @param {number} num
 */
export function bytes(num) {
  if (!Number.isFinite(num)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = num;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}
