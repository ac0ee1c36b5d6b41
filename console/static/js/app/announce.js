/**
 * What is said aloud to those who do not see the screen: politely for the queue, at once for lost and stop only.
 */

import { signal } from "@preact/signals";

export const polite = signal("");
export const urgent = signal("");

/**
 * @param {string} text
 * @param {{isUrgent?: boolean}} [options] urgent interrupts whatever is being read
 */
export function announce(text, { isUrgent = false } = {}) {
  const region = isUrgent ? urgent : polite;
  // The same words again are read again only if they differ: a no-break space does it.
  region.value = region.value === text ? `${text}\u00a0` : text;
}
