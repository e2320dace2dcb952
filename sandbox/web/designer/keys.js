// What the bridge has to know of the account: drawn when somebody opens the card, since secrets are in it.

import * as api from "../api.js";
import { byId, el } from "../dom.js";

const NAMES = [
  ["subdomain", "Subdomain"],
  ["kommo_id", "Account id"],
  ["origin", "Origin"],
  ["client_id", "Integration ID"],
  ["client_secret", "Secret key"],
  ["access_token", "Long-lived token"],
];

/** Fill the card when it is opened. */
export function offerKeys(account, attempt) {
  const show = () => byId("keys").open && attempt(async () => draw(await api.keysOf(account)));
  byId("keys").addEventListener("toggle", show);
  show(); // somebody was quicker than this script
}

function draw(keys) {
  byId("keys-list").replaceChildren(...NAMES.flatMap(([key, name]) => line(`key-${key}`, name, String(keys[key]))));
}

function line(id, name, value) {
  const text = el("code", { id }, value);
  const button = el("button", { class: "button keys-copy", type: "button", "aria-label": `Copy ${name}` }, "Copy");
  button.addEventListener("click", () => copy(text, button));
  return [el("dt", {}, name), el("dd", {}, text, button)];
}

async function copy(text, button) {
  getSelection().selectAllChildren(text);
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Selected"; // the browser lets nobody write to the clipboard
  }
}
