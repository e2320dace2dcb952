// Builds the fields of the settings window and of the Widget step, and the branches of its exits.

import { el } from "../dom.js";
import { textAt } from "./host.js";

// what an owner can pick where a field is not typed; the first ones of the protocol's placeholders
const CRM_FIELDS = ["{{message_text}}", "{{contact.name}}", "{{contact.id}}", "{{lead.id}}", "{{lead.price}}", "{{lead.status_id}}", "{{customer.id}}", "{{origin}}"];
const INPUTS = { pass: "password", numeric: "number", url: "url" };
const WAYS = { listen: "listen again", say: "a message, then listen", stop: "the end" };

/** Draw a field for each; `values` stand in them, or else their defaults. */
export function drawFields(box, { fields, values, texts, prefix }) {
  box.replaceChildren(...fields.map((field) => row(field, values[field.code] ?? field.default, texts, prefix)));
}

function row(field, value, texts, prefix) {
  const id = `${prefix}-${field.code}`;
  const label = textAt(texts, field.label) ?? field.code;
  if (field.type === "custom") return el("input", { type: "hidden", name: field.code, value, "data-field-name": field.code });
  return el("div", { class: "field" },
    el("label", { for: id }, label, field.required ? el("span", { class: "optional" }, " (required)") : null),
    box(field, id, value));
}

function box(field, id, value) {
  const common = { id, name: field.code, "data-field-name": field.code, required: field.required };
  if (field.manual) {
    return el("input", { ...common, type: INPUTS[field.type] ?? "text", step: "any", value, maxlength: "10000", autocomplete: "off" });
  }
  const choices = [...new Set(["", ...CRM_FIELDS, value])];
  const select = el("select", common, ...choices.map((choice) => el("option", { value: choice }, choice || "(no field)")));
  select.value = value;
  return select;
}

/** Read the fields as {code: text}. */
export function readFields(box) {
  return Object.fromEntries([...box.querySelectorAll("[data-field-name]")].map((one) => [one.name, one.value]));
}

/** Draw where each exit leads. */
export function drawBranches(box, exits, links) {
  box.replaceChildren(...exits.map((exit, number) => branch(exit, links[exit.code] ?? { to: "listen", text: "" }, number)));
}

function branch({ code, title }, link, number) {
  const ways = el("select", { id: `exit-${number}`, class: "branch-way", "data-exit": code },
    ...Object.entries(WAYS).map(([to, words]) => el("option", { value: to }, words)));
  ways.value = link.to;
  const says = el("textarea", { class: "branch-text", rows: "2", maxlength: "10000", "aria-label": `Message after “${title ?? code}”` });
  says.value = link.text;
  const show = () => { says.hidden = ways.value !== "say"; };
  ways.addEventListener("change", show);
  show();
  return el("div", { class: "branch" },
    el("label", { for: ways.id }, String(title ?? code), " ", el("code", {}, code)), ways, says);
}

/** Read the branches as {code: {to, text}}. */
export function readBranches(box) {
  return Object.fromEntries([...box.querySelectorAll(".branch")].map((one) => {
    const ways = one.querySelector("select");
    return [ways.dataset.exit, { to: ways.value, text: ways.value === "say" ? one.querySelector("textarea").value : "" }];
  }));
}

/** Give a widget a row of its own in the step. How Kommo's row looks is not known; it takes a caption and a content. */
export function renderRow(what = {}, content = "") {
  const { caption, title, name, content: inside = content } = typeof what === "string" ? { caption: what } : what;
  const row = el("div", { class: "field" }, el("span", { class: "field-caption" }, caption ?? title ?? name ?? ""));
  return window.jQuery(row).append(typeof inside === "string" ? document.createTextNode(inside) : inside);
}
