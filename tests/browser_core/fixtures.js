import { readFileSync } from "node:fs";

/**
 * A table of numbers that the Python tests read too.
 * @param {string} name
 */
export function fixture(name) {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8"));
}
