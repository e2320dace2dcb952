// The conversation as the customer sees it. Bubbles never change, so only new ones are added.

import { clock, el } from "../dom.js";

const AUTHORS = { customer: "You", bot: "Salesbot", person: "Team" };

export class Bubbles {
  constructor(log, { press }) {
    this.log = log;
    this.press = press;
    this.shown = new Set();
    this.atEnd = true;
    log.addEventListener("scroll", () => { this.atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40; });
    new ResizeObserver(() => this.stay()).observe(log); // notices below take room from the log
  }

  /** Keep the last line in view, unless the reader has scrolled up. */
  stay() {
    if (this.atEnd) this.log.scrollTop = this.log.scrollHeight;
  }

  /** Add what is new; start over when the chat is another one (the sandbox was restarted). */
  take(bubbles) {
    if ([...this.shown].some((id) => !bubbles.find((bubble) => bubble.id === id))) this.clear();
    const fresh = bubbles.filter((bubble) => !this.shown.has(bubble.id));
    for (const bubble of fresh) {
      this.shown.add(bubble.id);
      this.log.append(this.draw(bubble));
    }
    if (fresh.some((bubble) => bubble.from === "customer")) this.atEnd = true;
    this.stay();
  }

  clear() {
    this.log.querySelectorAll(".bubble").forEach((node) => node.remove());
    this.shown.clear();
  }

  draw(bubble) {
    const leaked = bubble.leaked.length > 0;
    const bad = leaked || bubble.failed;
    return el(
      "article",
      { class: `bubble bubble-${bubble.from}${bad ? " bubble-leaked" : ""}${bubble.failed ? " bubble-failed" : ""}` },
      el("span", { class: "unseen-text" }, `${AUTHORS[bubble.from]}: `),
      el("div", { class: "bubble-text", dir: "auto" }, this.words(bubble)),
      bubble.from === "person" ? el("p", { class: "bubble-who" }, "A person of the team") : null,
      leaked ? el("p", { class: "bubble-warning" }, `The customer sees ${bubble.leaked.join(", ")} with its braces.`) : null,
      bubble.failed ? el("p", { class: "bubble-warning" }, `Not delivered: ${bubble.failed}`) : null,
      bubble.buttons.length ? el("div", { class: "bubble-buttons" }, ...bubble.buttons.map((b) => this.button(b))) : null,
      el("span", { class: "bubble-time" }, clock(bubble.at)),
    );
  }

  words(bubble) {
    const files = [bubble.attachment, ...(bubble.attachments ?? [])].filter(Boolean).map((name) => `File: ${name}`);
    return [...files, bubble.text].filter(Boolean).join("\n") || "(empty message)";
  }

  button({ text, url }) {
    if (!url) return el("button", { class: "button", type: "button", onclick: () => this.press(text) }, text);
    const safe = /^https?:\/\//i.test(url);
    return safe
      ? el("a", { class: "button", href: url, target: "_blank", rel: "noopener noreferrer" }, text)
      : el("span", { class: "button" }, `${text} (${url})`);
  }
}
