// One of a few, all of them in sight.

import { html } from "htm/preact";
import { useId } from "preact/hooks";

/**
 * @param {object} props
 * @param {string} props.title
 * @param {string} [props.hint]
 * @param {string} props.value
 * @param {{value: string, words: string}[]} props.options
 * @param {(value: string) => void} props.onChoose
 */
export function Choices({ title, hint = "", value, options, onChoose }) {
  const name = useId();
  return html`<fieldset class="choices">
    <legend>${title}</legend>
    <div class="choices-row">
      ${options.map(
        (option) => html`<label key=${option.value} class="choice">
          <input type="radio" name=${name} value=${option.value} checked=${option.value === value} onChange=${() => onChoose(option.value)} />
          <span>${option.words}</span>
        </label>`,
      )}
    </div>
    ${hint && html`<p class="quiet">${hint}</p>`}
  </fieldset>`;
}
