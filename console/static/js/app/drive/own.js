/**
 * How the one who is signed in likes keys and devices: the defaults, with their own choices over them.
 */

import { computed } from "@preact/signals";
import { keymapWith } from "../../core/keymap.js";
import { mappingProblem } from "../../core/mapping.js";
import { preferences } from "../preferences.js";
import { session } from "../store.js";

export const ownKeys = computed(() => keymapWith(preferences.value.keys));

/** Null before the server has said what robots expect. */
export const ownMapping = computed(() => {
  const usual = session.value?.mapping;
  if (!usual) return null;
  const own = { ...usual, ...preferences.value.mapping };
  return mappingProblem(own) ? usual : own;
});
