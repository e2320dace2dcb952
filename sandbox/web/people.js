// The row of customers above the chat, and the box for a new one.

import * as api from "./api.js";
import { byId, el, say } from "./dom.js";

const CHANNELS = ["telegram", "waba", "whatsapp", "facebook", "instagram", "livechat"];
const REFRESH_MS = 4000;

export function showPeople({ account, customer }) {
  const refresh = async () => {
    try {
      draw((await api.accounts()).find((one) => one.subdomain === account), customer);
    } catch {
      // the chat itself says that the sandbox is gone
    }
  };
  refresh();
  setInterval(refresh, REFRESH_MS);
  byId("people-new").addEventListener("click", () => openBox(account));
  byId("new-cancel").addEventListener("click", () => byId("new-dialog").close());
  byId("new-form").addEventListener("submit", (event) => create(event, account));
}

let drawn = "";

function draw(account, customer) {
  if (!account) return;
  say(byId("people-account"), account.name || account.subdomain);
  say(byId("did-how"), account.hook_url ? `calls ${account.hook_url}` : "no bridge is connected: hook_url is empty");
  byId("new-channel").dataset.usual = account.channel;
  const print = JSON.stringify(account.chats.map((chat) => [chat.customer, chat.name]));
  if (print === drawn) return;
  drawn = print;
  byId("people-list").replaceChildren(...account.chats.map((chat) => link(chat, customer)));
}

function link(chat, customer) {
  const current = chat.customer === customer ? { "aria-current": "page" } : {};
  return el("li", {}, el("a", { href: api.chatAddress(chat), ...current }, chat.name));
}

function openBox() {
  const usual = byId("new-channel").dataset.usual || CHANNELS[0];
  const channels = [usual, ...CHANNELS.filter((channel) => channel !== usual)];
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
