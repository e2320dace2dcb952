// "Break something": queue a fault, switch it off, or let a seed draw them.

import * as api from "../api.js";
import { byId, clock, el, say } from "../dom.js";

const REFRESH_MS = 2000;
const SHOWN_DONE = 6;
const GROUPS = { continue: "When the bridge answers", widget_request: "When the Salesbot calls the bridge" };
const LABELS = {
  seconds: "Seconds", status: "Status", retry_after: "Come again after, s", copies: "Copies",
  content_type: "Content-Type", url: "Address", size: "Bytes",
};
const CALM = new Set(["slow", "lost", "huge", "drip"]); // they take long, so chance leaves them out at first

let kinds = [];
let who = {};
let print = "";

/** Start the panel; `explain` is called once with the kinds of trouble there are. */
export function showBreaking(whose, explain) {
  who = whose;
  byId("break-form").addEventListener("submit", queue);
  byId("break-kind").addEventListener("change", showKind);
  byId("seed-form").addEventListener("submit", plan);
  byId("seed-stop").addEventListener("click", () => act(api.endPlan, "seed-said", "Stopped."));
  addEventListener("hashchange", follow);
  follow();
  const refresh = async () => {
    try {
      take(await api.faults(), explain);
    } catch {
      // the chat itself says that the sandbox is gone
    }
  };
  refresh();
  setInterval(refresh, REFRESH_MS);
}

/** Open the panel that the address names, as "#break". */
function follow() {
  const panel = document.getElementById(location.hash.slice(1));
  if (panel?.tagName !== "DETAILS") return;
  panel.open = true;
  panel.querySelector("summary").focus();
  panel.scrollIntoView();
}

function take(state, explain) {
  if (!kinds.length) {
    kinds = state.kinds;
    offer();
    explain?.(kinds);
  }
  const mine = (one) => !one.account || one.account === who.account;
  const waiting = state.faults.filter(mine);
  const now = JSON.stringify([waiting, state.acted, state.schedule]);
  if (now === print) return;
  print = now;
  const on = waiting.filter((fault) => fault.on).length + (state.schedule ? 1 : 0);
  say(byId("break-count"), on ? `${on} on` : "");
  byId("break-waiting").hidden = !waiting.length;
  keepFocus(byId("break-list"), waiting.map(line));
  const done = state.acted.filter(mine).slice(0, SHOWN_DONE);
  byId("break-acted").hidden = !done.length;
  byId("break-done").replaceChildren(...done.map(doneLine));
  byId("seed-stop").hidden = !state.schedule;
  if (state.schedule) say(byId("seed-said"), `On, with the seed “${state.schedule.seed}”.`);
}

function keepFocus(list, rows) {
  const focused = list.contains(document.activeElement) ? document.activeElement.id : "";
  list.replaceChildren(...rows);
  if (focused) byId(focused)?.focus();
}

function offer() {
  const groups = Object.entries(GROUPS).map(([where, label]) =>
    el("optgroup", { label }, ...kinds.filter((kind) => kind.where === where).map(({ kind, title }) => el("option", { value: kind }, title))));
  byId("break-kind").replaceChildren(...groups);
  byId("seed-kinds").replaceChildren(...kinds.map(({ kind, title }) =>
    el("label", { class: "check" }, el("input", { type: "checkbox", value: kind, checked: !CALM.has(kind) }), title)));
  showKind();
}

const chosen = () => kinds.find((kind) => kind.kind === byId("break-kind").value);

function showKind() {
  const { story, defaults, ranges } = chosen();
  byId("break-story").textContent = story;
  const fields = Object.entries(defaults).filter(([name, value]) => LABELS[name] && value !== null);
  byId("break-own").replaceChildren(...fields.map(([name, value]) => {
    const [min, max] = (ranges[name] ?? ["", ""]).map(String);
    const kind = typeof value === "number" ? { type: "number", step: "any", min, max } : { type: "text", maxlength: "200" };
    const box = el("input", { id: `break-own-${name}`, name, value: String(value), required: true, autocomplete: "off", ...kind });
    return el("div", { class: "field" }, el("label", { for: box.id }, LABELS[name]), box);
  }));
}

async function queue(event) {
  event.preventDefault();
  const { kind, title } = chosen();
  const own = [...byId("break-own").querySelectorAll("input")].map((box) => [box.name, box.type === "number" ? box.valueAsNumber : box.value]);
  const fault = { kind, count: byId("break-times").valueAsNumber, ...whom(byId("break-whom").value), ...Object.fromEntries(own) };
  await act(() => api.addFault(fault), "break-said", `Ready: “${title}”. Now write a message.`);
}

const whom = (choice) => ({ customer: who, account: { account: who.account }, all: {} })[choice];

async function plan(event) {
  event.preventDefault();
  const picked = [...byId("seed-kinds").querySelectorAll("input:checked")].map((box) => box.value);
  const share = byId("seed-share").valueAsNumber / 100;
  const count = (where) => kinds.filter((kind) => kind.where === where && picked.includes(kind.kind)).length;
  // rounded down, so that a group's shares never come to more than the whole
  const shares = Object.fromEntries(kinds.filter(({ kind }) => picked.includes(kind))
    .map(({ kind, where }) => [kind, Math.floor((share / count(where)) * 1e6) / 1e6]));
  await act(() => api.planFaults({ seed: byId("seed").value, shares, account: who.account }), "seed-said", "");
}

async function act(ask, place, said) {
  try {
    const state = await ask();
    say(byId("break-trouble"), "");
    say(byId(place), said);
    take(state);
  } catch (error) {
    say(byId("break-trouble"), error.message);
  }
}

function line(fault) {
  const id = `fault-${fault.id}`;
  const box = el("input", { type: "checkbox", id, checked: fault.on, onchange: () => act(() => api.changeFault(fault.id, { on: box.checked }), "break-said", "") });
  const target = fault.customer || (fault.account ? "the account" : "everybody");
  return el(
    "li",
    { class: fault.on ? "broken-on" : "broken-off" },
    el("label", { class: "check", for: id }, box, el("span", {}, fault.title, el("small", {}, ` ${fault.count} × for ${target}${fault.on ? "" : ", off"}`))),
    el("button", { class: "button button-small", type: "button", id: `${id}-drop`, "aria-label": `Remove “${fault.title}”`,
      onclick: () => act(() => api.removeFault(fault.id), "break-said", `Removed “${fault.title}”.`) }, "Remove"),
  );
}

const doneLine = (one) =>
  el("li", {}, el("span", {}, one.title, el("small", {}, ` ${one.customer || "unknown"} at ${clock(one.at)}${one.by === "seed" ? ", by the seed" : ""}`)));
