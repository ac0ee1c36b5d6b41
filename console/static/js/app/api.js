/**
 * Requests to the server that this page came from: with the session's CSRF word, and with errors in words.
 */

const CSRF_HEADER = "X-Touchline-CSRF";
let csrf = "";

/** What the server, or the way to it, refused; `message` says why and what to do. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status 0: the server was not reached
   */
  constructor(message, status) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/**
 * The word of this session, from GET /api/session.
 * @param {string} word
 */
export function setCsrf(word) {
  csrf = word;
}

/**
 * @param {string} path
 * @returns {Promise<any>} the answer's JSON
 */
export function get(path) {
  return request("GET", path);
}

/**
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @returns {Promise<any>} the answer's JSON; null where there is none
 */
export function post(path, body = {}) {
  return request("POST", path, body);
}

/**
 * @param {string} path
 * @param {unknown} body sent as JSON
 * @returns {Promise<any>}
 */
export function put(path, body) {
  return request("PUT", path, body);
}

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export function remove(path) {
  return request("DELETE", path);
}

export const api = Object.freeze({ get, post, put, remove });

/** Go and sign in; the person comes back to where they are now. */
export function signIn() {
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
async function request(method, path, body) {
  const headers = new Headers({ Accept: "application/json" });
  if (method !== "GET") headers.set(CSRF_HEADER, csrf);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  // What was said just before the page is left still arrives.
  const answer = await reach(path, { method, headers, body: body === undefined ? null : JSON.stringify(body), keepalive: method === "POST" });
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : null;
  if (answer.status === 401) signIn();
  throw new ApiError(inWords(text, answer.status), answer.status);
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function reach(path, options) {
  try {
    return await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new ApiError("The console does not answer. Check your network, and that touchline console runs.", 0);
  }
}

/**
 * @param {string} text `{"error": "words"}`, if it is ours
 * @param {number} status
 * @returns {string}
 */
function inWords(text, status) {
  try {
    const { error } = JSON.parse(text);
    if (typeof error === "string" && error) return error;
  } catch {
    // Not ours: a proxy's page, for example. Its number has to do.
  }
  return `The console answered ${status}. Try again; if it stays so, look at its log.`;
}
