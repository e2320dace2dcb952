// The journal as a sequence diagram that grows while things happen.

import * as api from "../api.js";
import { byId, el, say } from "../dom.js";
import { Reader } from "./entries.js";

const KEPT = 600; // rows on the page
const RETRY_MS = 2000;
const REFRESH_MS = 4000;
const LANES = { customer: "Customer", kommo: "Salesbot", bridge: "Bridge" };

const wanted = new URLSearchParams(location.search);
const titles = new Map();
let reader = new Reader(titles);
let source = null;
let last = 0;
let accounts = [];

function start() {
  source?.close();
  byId("rows").replaceChildren();
  byId("empty").hidden = false;
  reader = new Reader(titles);
  last = 0;
  const query = filters();
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  byId("lines").href = api.journalAddress(query);
  source = api.followJournal(query, take, lost);
}

function filters() {
  const query = new URLSearchParams();
  for (const name of ["account", "customer"]) if (byId(name).value) query.set(name, byId(name).value);
  return query;
}

function lost(close) {
  close();
  say(byId("trouble"), "The connection to the sandbox was lost. Trying again…");
  setTimeout(start, RETRY_MS);
}

function take(entries) {
  say(byId("trouble"), "");
  const fresh = entries.filter((entry) => entry.seq > last);
  if (!fresh.length) return;
  last = fresh.at(-1).seq;
  byId("empty").hidden = true;
  const rows = byId("rows");
  rows.append(...fresh.map((entry) => row(entry, reader.read(entry))));
  while (rows.childElementCount > KEPT) rows.firstElementChild.remove();
  if (byId("live").checked) byId("diagram").scrollTop = byId("diagram").scrollHeight;
}

function row(entry, { from, to, text, tone, note }) {
  const arrow = from === to ? `at-${from}` : `${from}-${to}`;
  const way = from === to ? `${LANES[from]}: ` : `${LANES[from]} to ${LANES[to]}: `;
  const details = el(
    "details",
    { class: `row row-${tone}` },
    el(
      "summary",
      {},
      el("span", { class: "row-when" },
        el("time", { datetime: entry.time }, entry.time.slice(11, 23)), " ", el("span", { class: "row-whose" }, entry.customer || "")),
      el("span", { class: "row-lanes" },
        el("span", { class: `row-said ${arrow}` },
          el("span", { class: "unseen-text" }, way), el("span", { class: "row-text" }, text), note ? el("span", { class: "row-note" }, note) : null,
          from === to ? null : el("span", { class: "row-arrow", "aria-hidden": "true" }))),
    ),
  );
  details.addEventListener("toggle", () => fill(details, entry), { once: true });
  return el("li", {}, details);
}

function fill(details, entry) {
  const { monotonic: _monotonic, wall: _wall, ...told } = entry;
  details.append(el("pre", { tabindex: "0", "aria-label": `Entry ${entry.seq}` }, JSON.stringify(unfolded(told), null, 2)));
}

/** Show a body that is JSON text as JSON. */
function unfolded(entry) {
  if (typeof entry.body !== "string") return entry;
  try {
    return { ...entry, body: JSON.parse(entry.body) };
  } catch {
    return entry;
  }
}

async function refresh() {
  try {
    const known = await api.overview();
    accounts = known.accounts;
    offer();
    const safe = /^https?:\/\//i.test(known.bridge_admin_url || "");
    byId("admin-link").hidden = !safe;
    if (safe) byId("admin-link").href = known.bridge_admin_url;
  } catch {
    // the stream says that the sandbox is gone
  }
}

function offer() {
  fillSelect("account", accounts.map((one) => [one.subdomain, one.name || one.subdomain]));
  const own = byId("account").value;
  const chats = accounts.filter((one) => !own || one.subdomain === own).flatMap((one) => one.chats);
  fillSelect("customer", [...new Map(chats.map((chat) => [chat.customer, chat.name]))]);
}

function fillSelect(name, pairs) {
  const box = byId(name);
  const chosen = wanted.get(name) || box.value;
  const all = chosen && !pairs.some(([value]) => value === chosen) ? [...pairs, [chosen, chosen]] : pairs;
  const print = JSON.stringify(all);
  if (box.dataset.print === print) return;
  box.dataset.print = print;
  box.replaceChildren(box.options[0], ...all.map(([value, label]) => el("option", { value }, label)));
  box.value = chosen;
  wanted.delete(name);
}

byId("account").addEventListener("change", () => { byId("customer").value = ""; offer(); start(); });
byId("customer").addEventListener("change", start);
byId("filters").addEventListener("submit", (event) => event.preventDefault());
async function learn() {
  try {
    for (const { kind, title } of (await api.faults()).kinds) titles.set(kind, title);
  } catch {
    // the kinds stay without their titles
  }
}

Promise.all([refresh(), learn()]).then(start);
setInterval(refresh, REFRESH_MS);
