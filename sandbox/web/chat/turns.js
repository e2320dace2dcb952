// What the Salesbot did, one card per customer message, the newest first and open.

import { duration, el } from "../dom.js";

const STATES = {
  waiting: ["waits for the bridge", "busy"],
  stuck: ["stuck", "bad"],
  stopped: ["stopped", "bad"],
};
const OUTCOMES = { success: "good", handoff: "wait", silent: "", fail: "bad" };

export class Turns {
  constructor(list) {
    this.list = list;
    this.cards = new Map();
    this.kinds = [];
    this.chat = null;
  }

  /** Learn the kinds of trouble that are made on demand, so that a turn can say what was meant. */
  explain(kinds) {
    this.kinds = kinds;
    if (!this.chat) return;
    this.cards.forEach((known) => { known.print = ""; });
    this.take(this.chat);
  }

  take(chat) {
    this.chat = chat;
    if (chat.turns.length < this.cards.size) this.clear();
    for (const turn of chat.turns) {
      const said = chat.bubbles.find((bubble) => bubble.turn === turn.number && bubble.from === "customer");
      this.update(turn, said ? said.text || said.attachment : "");
    }
  }

  clear() {
    this.list.replaceChildren();
    this.cards.clear();
  }

  update(turn, said) {
    const known = this.cards.get(turn.number);
    const print = JSON.stringify(turn);
    if (known?.print === print) return;
    const card = known?.card ?? this.add(turn.number);
    const open = new Set([...card.querySelectorAll("details.raw[open]")].map((node) => node.dataset.kind));
    const focused = card.contains(document.activeElement) && document.activeElement.parentElement === card;
    const broken = this.kinds.filter((kind) => wasBroken(turn, kind));
    card.replaceChildren(summary(turn, said, broken), body(turn, open, broken));
    if (focused) card.firstElementChild.focus();
    this.cards.set(turn.number, { card, print });
  }

  add(number) {
    this.cards.forEach(({ card }) => card.removeAttribute("open"));
    const card = el("details", { class: "turn", open: true });
    this.list.prepend(el("li", { value: String(number) }, card));
    return card;
  }
}

/** Tell whether this trouble was made in this turn: in an answer to the bridge, or in the call to it. */
function wasBroken(turn, { kind, title }) {
  return turn.refused.some(({ detail }) => detail === `On demand: ${kind}`)
    || turn.notes.some(({ tone, detail }) => tone === "bad" && (detail === title || detail.startsWith(`${title}: `)));
}

function summary(turn, said, broken) {
  const [text, tone] = STATES[turn.state] ?? [turn.outcome || "ended", OUTCOMES[turn.outcome] ?? "bad"];
  return el(
    "summary",
    {},
    el("span", { class: "turn-title" }, `Turn ${turn.number}`),
    el("span", { class: "turn-said" }, said),
    broken.length ? el("span", { class: "badge badge-bad" }, "broken on demand") : null,
    el("span", { class: "turn-took" }, turn.took_ms === null ? "" : duration(turn.took_ms)),
    el("span", { class: `badge badge-${tone}` }, text),
  );
}

function body(turn, open, broken) {
  return el(
    "div",
    { class: "turn-body" },
    numbers(turn),
    ...broken.map(why),
    turn.unseen.length ? unseen(turn.unseen) : null,
    el("ol", { class: "notes" }, ...turn.notes.map(note)),
    turn.request ? raw("request", "widget_request: what the bridge got", readable(turn.request), open) : null,
    turn.continue ? raw("continue", "continue: what the bridge sent", turn.continue.body, open) : null,
    turn.refused.length ? raw("refused", "Trouble with continue calls", turn.refused.map(parsed), open) : null,
  );
}

function numbers(turn) {
  const { request } = turn;
  const acked = request?.ack_ms === undefined ? ["…", ""] : request.status === 200
    ? [`200 in ${duration(request.ack_ms)}`, "good"]
    : [request.status ? `${request.status} in ${duration(request.ack_ms)}` : "no answer", "bad"];
  const resumed = turn.continue ? [`after ${duration(turn.continue.after_ms)}`, "good"] : ["not yet", turn.state === "waiting" ? "" : "bad"];
  return el("dl", { class: "turn-numbers" }, number("Acknowledged", acked), number("Continue", resumed),
    number("Shown", [`${turn.shown.length} message${turn.shown.length === 1 ? "" : "s"}`, ""]));
}

const number = (name, [text, tone]) =>
  el("div", { class: `turn-number turn-number-${tone}` }, el("dt", {}, name), el("dd", {}, text));

const note = ({ ms, tone, title, detail }) =>
  el(
    "li",
    { class: `note note-${tone}` },
    el("span", { class: "note-ms" }, duration(ms)),
    el("span", { class: "note-dot", "aria-hidden": "true" }),
    el("span", { class: "note-said" },
      el("span", { class: "note-title" }, title), detail ? el("span", { class: "note-detail" }, detail) : null),
  );

const why = ({ title, story }) =>
  el("section", { class: "broken-why" }, el("h3", {}, `Broken on demand: ${title}`), el("p", {}, story));

const unseen = (sentences) =>
  el(
    "section",
    { class: "hidden-from-customer" },
    el("h3", {}, "The customer did not see"),
    el("ul", {}, ...sentences.map((sentence) => el("li", {}, sentence))),
  );

const raw = (kind, title, value, open) =>
  el(
    "details",
    { class: "raw", "data-kind": kind, open: open.has(kind) },
    el("summary", {}, title),
    el("pre", { tabindex: "0", "aria-label": title }, JSON.stringify(value, null, 2)),
  );

const readable = ({ url, encoding, algorithm, claims, data, return_url }) => ({
  POST: url,
  encoding,
  token: { signed_with: algorithm, claims },
  data,
  return_url,
});

function parsed({ status, detail, body }) {
  try {
    return { status, body: JSON.parse(body) };
  } catch {
    return { status, detail };
  }
}
