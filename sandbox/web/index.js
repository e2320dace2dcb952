// The first page: accounts, their customers, and a box for a new customer in each.

import * as api from "./api.js";
import { byId, el, say } from "./dom.js";

const REFRESH_MS = 3000;
const STATES = {
  thinking: ["waits for the bridge", "busy"],
  stuck: ["stuck", "bad"],
  paused: ["pauses", "wait"],
  unstarted: ["waits for the first message", "wait"],
  ended: ["ended", "bad"],
};
const SPEAKERS = { bot: "Salesbot: ", person: "Team: " };
const cards = new Map();

async function refresh() {
  try {
    const known = await api.overview();
    known.accounts.forEach(show);
    guide(known);
    say(byId("trouble"), "");
  } catch (error) {
    say(byId("trouble"), error.message);
  }
  byId("accounts").setAttribute("aria-busy", "false");
}

/** Let the three steps lead to where there is something: a chat, the bridge's admin, the faults. */
function guide({ accounts, bridge_admin_url: admin }) {
  const first = accounts.find((one) => one.hook_url) ?? accounts[0];
  const address = api.chatAddress(first.chats[0] ?? { account: first.subdomain, customer: "visitor" });
  byId("guide-write").href = address;
  byId("guide-break").href = `${address}#break`;
  const safe = /^https?:\/\//i.test(admin || "");
  byId("guide-admin").hidden = byId("admin-link").hidden = !safe;
  if (safe) byId("guide-admin-link").href = byId("admin-link").href = admin;
}

function show(account) {
  const card = cards.get(account.subdomain) ?? add(account);
  const print = JSON.stringify(account);
  if (card.print === print) return;
  card.print = print;
  card.facts.replaceChildren(...facts(account));
  card.notice.hidden = Boolean(account.hook_url || account.is_designed);
  card.chats.replaceChildren(...account.chats.map(line));
  if (!account.chats.length) card.chats.append(el("li", { class: "account-none" }, "No customer has a chat yet."));
}

function add(account) {
  const name = el("input", { type: "text", id: `new-${account.subdomain}`, maxlength: "80", required: true, autocomplete: "off", placeholder: "for example Anna" });
  const trouble = el("p", { class: "notice notice-bad", role: "alert", hidden: true });
  const card = {
    facts: el("p", { class: "account-facts" }),
    notice: el("p", { class: "notice" }, "No bridge is connected: upload its widget in the designer, or start the sandbox with a config file that gives this account a hook_url."),
    chats: el("ul", { class: "account-chats" }),
  };
  const form = el(
    "form",
    { class: "account-new", onsubmit: (event) => create(event, account.subdomain, name, trouble) },
    el("label", { for: name.id }, "New customer"), name,
    el("button", { class: "button button-main", type: "submit" }, "Open chat"),
  );
  const title = `title-${account.subdomain}`;
  byId("accounts").append(
    el("section", { class: "account", "aria-labelledby": title },
      el("div", { class: "account-head" },
        el("h3", { id: title }, account.name || account.subdomain), el("span", { class: "badge" }, account.channel)),
      el("p", { class: "account-designer" },
        el("a", { href: api.designerAddress(account.subdomain) }, "Designer"), " copy its keys, upload a widget, build the Salesbot"),
      card.facts, card.notice, card.chats, form, trouble),
  );
  cards.set(account.subdomain, card);
  return card;
}

const facts = (account) => [
  `Account ${account.kommo_id} “${account.subdomain}” · ${account.bot_type} ${account.salesbot_id} · ${account.encoding}, ${account.algorithm}`,
  el("br"),
  ...called(account),
];

function called({ hook_url: hook, is_designed: isDesigned }) {
  if (isDesigned) return ["runs the Salesbot of its designer"];
  return hook ? ["calls ", el("code", {}, hook)] : ["calls nobody yet"];
}

function line(chat) {
  const [state, tone] = STATES[chat.state] ?? ["", ""];
  const said = chat.last ? `${SPEAKERS[chat.last.from] ?? ""}${chat.last.text}` : "no message yet";
  return el(
    "li",
    {},
    el(
      "a",
      { class: "account-chat", href: api.chatAddress(chat) },
      el("span", { class: "account-letter", "aria-hidden": "true" }, [...chat.name][0].toUpperCase()),
      el("span", { class: "account-line" }, el("strong", {}, chat.name), el("span", {}, said)),
      state ? el("span", { class: `badge badge-${tone}` }, state) : null,
    ),
  );
}

async function create(event, account, name, trouble) {
  event.preventDefault();
  try {
    location.assign(api.chatAddress(await api.openChat({ account, name: name.value })));
  } catch (error) {
    say(trouble, error.message);
  }
}

refresh();
setInterval(refresh, REFRESH_MS);
