// The customers of all accounts beside the chat, and the box for a new one.

import * as api from "../api.js";
import { byId, el, say } from "../dom.js";

export const CHANNELS = ["telegram", "waba", "whatsapp", "facebook", "instagram", "livechat"];
const STATES = {
  thinking: ["waits", "busy"],
  stuck: ["stuck", "bad"],
  paused: ["pauses", "wait"],
  unstarted: ["waits for the first message", "wait"],
  ended: ["ended", "bad"],
};
const REFRESH_MS = 4000;

/** Keep the list fresh; `changed` is called with the account each time that it is read. */
export function showPeople({ account, customer }, changed) {
  const refresh = async () => {
    try {
      const { accounts, bridge_admin_url: admin } = await api.overview();
      draw(accounts, account, customer);
      showAdmin(admin);
      const mine = accounts.find((one) => one.subdomain === account);
      if (mine) changed(mine);
    } catch {
      // the chat itself says that the sandbox is gone
    }
  };
  refresh();
  setInterval(refresh, REFRESH_MS);
  byId("people-new").addEventListener("click", () => openBox());
  byId("new-cancel").addEventListener("click", () => byId("new-dialog").close());
  byId("new-form").addEventListener("submit", (event) => create(event, account));
}

function showAdmin(address) {
  const safe = /^https?:\/\//i.test(address || "");
  byId("admin-link").hidden = !safe;
  if (safe) byId("admin-link").href = address;
}

let drawn = "";

function draw(accounts, account, customer) {
  const mine = accounts.find((one) => one.subdomain === account);
  if (!mine) return;
  say(byId("did-how"), toldOf(mine));
  byId("new-channel").dataset.usual = mine.channel;
  const print = JSON.stringify(accounts.map((one) => [one.name, one.chats.map((chat) => [chat.customer, chat.name, chat.channel, chat.state])]));
  if (print === drawn) return;
  drawn = print;
  const focused = document.activeElement?.closest("#people-list a")?.getAttribute("href");
  byId("people-list").replaceChildren(...accounts.map((one) => group(one, account, customer)));
  if (focused) byId("people-list").querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

function toldOf({ hook_url: hook, is_designed: isDesigned }) {
  if (isDesigned) return "runs the Salesbot of its designer";
  return hook ? `calls ${hook}` : "no bridge is connected: hook_url is empty";
}

function group(one, account, customer) {
  const id = `people-${one.subdomain}`;
  const own = one.subdomain === account;
  const rows = one.chats.map((chat) => link(chat, own && chat.customer === customer));
  return el(
    "section",
    { class: `group${own ? " group-own" : ""}`, "aria-labelledby": id },
    el("h2", { id, class: "group-name" }, one.name || one.subdomain),
    rows.length ? el("ul", {}, ...rows) : el("p", { class: "group-none" }, "No customer yet. ", el("a", { href: "/" }, "Open one")),
  );
}

function link(chat, current) {
  const [state, tone] = STATES[chat.state] ?? ["", ""];
  return el("li", {}, el(
    "a",
    { href: api.chatAddress(chat), ...(current ? { "aria-current": "page" } : {}) },
    el("span", { class: "person" }, chat.name),
    el("span", { class: "person-channel" }, chat.channel),
    state ? el("span", { class: `badge badge-${tone}` }, state) : null,
  ));
}

function openBox() {
  const usual = byId("new-channel").dataset.usual || CHANNELS[0];
  const channels = [...new Set([usual, ...CHANNELS])];
  byId("new-channel").replaceChildren(...channels.map((channel) => el("option", {}, channel)));
  byId("new-name").value = "";
  say(byId("new-trouble"), "");
  byId("new-dialog").showModal();
}

async function create(event, account) {
  event.preventDefault();
  try {
    const wanted = { account, name: byId("new-name").value, channel: byId("new-channel").value };
    location.assign(api.chatAddress(await api.openChat(wanted)));
  } catch (error) {
    say(byId("new-trouble"), error.message);
  }
}
