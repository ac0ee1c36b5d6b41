// What a screen reads from the server: loading, there, old, or why not.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { api } from "./api.js";

/**
 * @template T
 * @typedef {object} Resource
 * @property {T | null} data  the newest answer; stays while a newer one is fetched or cannot be had
 * @property {string} error  why the last try failed; empty when it did not
 * @property {boolean} isLoading  a try is under way
 * @property {boolean} isOld  the data answers an earlier question, or the last try failed
 * @property {() => void} reload
 */

/**
 * @template T
 * @param {string} url  same origin, with its query; empty: nothing is read
 * @param {number} [refreshS]  reads again that often while the page is visible; 0 never
 * @returns {Resource<T>}
 */
export function useResource(url, refreshS = 0) {
  const [state, setState] = useState({ data: /** @type {T | null} */ (null), error: "", isLoading: Boolean(url), of: "" });
  const [attempt, setAttempt] = useState(0);
  const reload = useCallback(() => setAttempt((number) => number + 1), []);
  const latest = useRef("");
  useEffect(() => {
    if (!url) return undefined;
    latest.current = url;
    setState((before) => ({ ...before, isLoading: true }));
    api.get(url).then(
      (data) => latest.current === url && setState({ data: /** @type {T} */ (data), error: "", isLoading: false, of: url }),
      (problem) => latest.current === url && setState((before) => ({ ...before, error: inWords(problem), isLoading: false })),
    );
    return () => {
      latest.current = "";
    };
  }, [url, attempt]);
  useEffect(() => {
    if (!refreshS) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && reload(), refreshS * 1000);
    return () => clearInterval(timer);
  }, [refreshS, reload]);
  return { data: state.data, error: state.error, isLoading: state.isLoading, isOld: Boolean(state.error) || state.of !== url, reload };
}

/**
 * @param {unknown} problem
 * @returns {string}
 */
export function inWords(problem) {
  return problem instanceof Error ? problem.message : String(problem);
}
