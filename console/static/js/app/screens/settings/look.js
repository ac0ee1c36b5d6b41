// Theme, text size, motion.

import { html } from "htm/preact";

import { prefer, preferences } from "../../preferences.js";
import { Choices } from "./choices.js";

export function Look() {
  const { theme, text, motion } = preferences.value;
  return html`
    <${Choices}
      title="Theme"
      hint="Dark for control rooms, light for bright shop floors."
      value=${theme}
      options=${[{ value: "system", words: "As the system" }, { value: "light", words: "Light" }, { value: "dark", words: "Dark" }]}
      onChoose=${(/** @type {any} */ value) => prefer({ theme: value })}
    />
    <${Choices}
      title="Text size"
      value=${text}
      options=${[{ value: "normal", words: "Normal" }, { value: "large", words: "Large" }, { value: "largest", words: "Largest" }]}
      onChoose=${(/** @type {any} */ value) => prefer({ text: value })}
    />
    <${Choices}
      title="Motion"
      hint="Reduced: clips wait for Play, nothing pulses. Live pictures always move."
      value=${motion}
      options=${[{ value: "system", words: "As the system" }, { value: "reduced", words: "Reduced" }, { value: "full", words: "Full" }]}
      onChoose=${(/** @type {any} */ value) => prefer({ motion: value })}
    />
  `;
}
