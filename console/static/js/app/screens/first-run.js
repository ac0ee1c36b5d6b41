// Before the first robot: what to start, and that nothing here is broken.

import { html } from "htm/preact";

import { FIRST_RUN } from "../words.js";

export function FirstRun() {
  return html`<div class="state-page first-run">
    <h1>${FIRST_RUN.title}</h1>
    <p>${FIRST_RUN.lead}</p>
    <ol>
      ${FIRST_RUN.steps.map(({ words, code }) => html`<li key=${code}><p>${words}</p><pre><code>${code}</code></pre></li>`)}
    </ol>
    <p class="quiet">${FIRST_RUN.hint}</p>
  </div>`;
}
