// What the signed-in person may do. The server decides; this only keeps buttons away that it would refuse.

import { session } from "./store.js";

/** @typedef {import("../core/types.js").Role} Role */

/** @type {readonly Role[]} */
const ROLES = ["viewer", "operator", "engineer", "admin"];

/**
 * @param {Role} needed  a role includes the ones before it
 * @returns {boolean}
 */
export function may(needed) {
  const role = session.value?.role;
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/**
 * Why there is no button, and who can help.
 * @param {Role} needed
 * @param {string} deed  such as "label episodes"
 * @returns {string}
 */
export function whyNot(needed, deed) {
  const role = session.value?.role ?? "viewer";
  return `You are signed in as ${role}. To ${deed} you need the role ${needed}; an admin can give it.`;
}
