// Loading, failed or old: said the same way above every screen.

import { html } from "htm/preact";

/**
 * @param {object} props
 * @param {import("../resource.js").Resource<any>} props.resource
 * @param {string} props.what  such as "episodes"
 */
export function ResourceState({ resource, what }) {
  const { data, error, isLoading, reload } = resource;
  if (error && !data) {
    return html`<div class="state-box" role="alert">
      <h2>The ${what} cannot be shown</h2>
      <p>${error}</p>
      <button type="button" onClick=${reload}>Try again</button>
    </div>`;
  }
  if (error) {
    return html`<p class="old-data" role="status">Shown as last read. ${error} <button type="button" class="quiet-button" onClick=${reload}>Try again</button></p>`;
  }
  if (!data && isLoading) {
    return html`<div class="state-box" role="status"><p>Reading the ${what}…</p></div>`;
  }
  if (data?.lake) return html`<p class="old-data" role="status">Shown as last read. ${data.lake}</p>`;
  return null;
}
