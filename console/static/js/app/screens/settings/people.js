/**
 * Who may come in and as what; for admins.
 *
 * @import { Role } from "../../../core/types.js"
 */

import { html } from "htm/preact";
import { useState } from "preact/hooks";

import { api } from "../../api.js";
import { may, whyNot } from "../../permission.js";
import { useResource } from "../../resource.js";
import { session } from "../../store.js";
import { Confirm } from "../../widgets/confirm.js";
import { ResourceState } from "../../widgets/resource-state.js";
import { toast } from "../../widgets/toast.js";
import { ROLES } from "../../words.js";

/** @typedef {{name: string, role: Role}} User */

export function People() {
  const isAdmin = may("admin");
  const people = useResource(isAdmin ? "/api/users" : "");
  const [leaving, setLeaving] = useState("");
  if (!isAdmin) return html`<p class="why-not">${whyNot("admin", "see and change people")}</p>`;
  const users = /** @type {{users: User[]} | null} */ (people.data)?.users ?? [];
  const remove = async () => {
    await api.remove(`/api/users/${encodeURIComponent(leaving)}`);
    toast(`${leaving} may not come in any more`);
    people.reload();
  };
  return html`
    <${ResourceState} resource=${people} what="people" />
    ${people.data && !users.length && html`<p class="quiet">Nobody has a password yet: people come in with the link of this machine's terminal.</p>`}
    ${users.length > 0 &&
    html`<table class="people-table">
      <caption class="visually-hidden">People and roles</caption>
      <thead><tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col"><span class="visually-hidden">Remove</span></th></tr></thead>
      <tbody>
        ${users.map(
          ({ name, role }) => html`<tr key=${name}>
            <th scope="row">${name}${name === session.value?.name ? " (you)" : ""}</th>
            <td>${role}<span class="quiet">: ${ROLES[role]}</span></td>
            <td><button type="button" aria-label=${`Remove ${name}`} onClick=${() => setLeaving(name)}>Remove</button></td>
          </tr>`,
        )}
      </tbody>
    </table>`}
    <${NewPerson} onAdded=${people.reload} />
    ${leaving &&
    html`<${Confirm} title=${`Remove ${leaving}?`} deed=${`Remove ${leaving}`} needsReason=${false} onConfirm=${remove} onClose=${() => setLeaving("")}>
      <p>They are signed out at once and cannot sign in again. What they did stays in the history.</p>
    <//>`}
  `;
}

/** @param {{onAdded: () => void}} props */
function NewPerson({ onAdded }) {
  const [problem, setProblem] = useState("");
  const [role, setRole] = useState(/** @type {Role} */ ("operator"));
  const add = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const fields = new FormData(form);
    setProblem("");
    try {
      await api.post("/api/users", { name: String(fields.get("name")).trim(), password: String(fields.get("password")), role });
      toast(`${String(fields.get("name")).trim()} may come in as ${role}`);
      form.reset();
      onAdded();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return html`<form class="new-person" onSubmit=${add}>
    <h3>Add somebody, or give a new password or role</h3>
    <label class="field"><span>Name</span><input name="name" type="text" maxlength="64" autocomplete="off" required /></label>
    <label class="field"><span>Password</span><input name="password" type="password" autocomplete="new-password" required /></label>
    <label class="field"><span>Role</span>
      <select value=${role} onChange=${(/** @type {any} */ event) => setRole(event.currentTarget.value)}>
        ${Object.keys(ROLES).map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
      </select>
      <span class="quiet">${ROLES[role]}</span>
    </label>
    ${problem && html`<p class="error-words" role="alert">${problem}</p>`}
    <button type="submit" class="primary">Save</button>
  </form>`;
}
