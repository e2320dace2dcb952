// The account's settings, beside the chat.

import * as api from "../api.js";
import { byId, el, say } from "../dom.js";
import { CHANNELS } from "./people.js";

const NAMES = ["encoding", "algorithm", "when_busy", "channel"];

/** Start the form; gives what is to be called with the account as often as it is known anew. */
export function showSettings(account) {
  const form = byId("settings-form");
  form.addEventListener("submit", (event) => save(event, account, form));
  form.addEventListener("input", () => { form.dataset.changed = "yes"; say(byId("settings-said"), ""); });
  return (known) => {
    say(byId("settings-now"), `${known.encoding}, ${known.algorithm}`);
    if (!form.dataset.changed) fill(form, known);
  };
}

function fill(form, known) {
  const channels = [...new Set([known.channel, ...CHANNELS])];
  const print = channels.join();
  if (form.dataset.channels !== print) form.elements.channel.replaceChildren(...channels.map((one) => el("option", {}, one)));
  form.dataset.channels = print;
  for (const name of NAMES) if (form.elements[name].value !== known[name]) form.elements[name].value = known[name];
}

async function save(event, account, form) {
  event.preventDefault();
  try {
    const known = await api.changeAccount(account, Object.fromEntries(new FormData(form)));
    delete form.dataset.changed;
    fill(form, known);
    say(byId("settings-now"), `${known.encoding}, ${known.algorithm}`);
    say(byId("settings-trouble"), "");
    say(byId("settings-said"), "Saved. The next message goes out so.");
  } catch (error) {
    say(byId("settings-said"), "");
    say(byId("settings-trouble"), error.message);
  }
}
