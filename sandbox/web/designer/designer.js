// The designer: upload a widget, install it, fill in its step, save the Salesbot.

import * as api from "../api.js";
import { byId, el, say } from "../dom.js";
import { standInApp } from "./app.js";
import { drawBranches, drawFields, readBranches, readFields, renderRow } from "./forms.js";
import { Host, textAt } from "./host.js";
import { offerKeys } from "./keys.js";
import { drawRuns } from "./runs.js";

const account = decodeURIComponent(location.pathname.split("/")[2]);
const STATUSES = {
  install: ["not installed", ""],
  not_configured: ["settings not saved", "wait"],
  installed: ["installed", "good"],
};

const SAID_MS = 8000;

let shelf = null;
let saying = 0;
let host = null;
let exits = [];
let opened = {}; // the step's values when it was opened
let typed = new Map(); // the texts that were typed since then by their fields, the latest last

standInApp({ constants: () => ({ account: { id: shelf?.kommo_id, subdomain: account, name: shelf?.name } }), complain });

/** Tell what was done; it goes by itself. */
function tell(text) {
  say(byId("said"), text);
  clearTimeout(saying);
  if (text) saying = setTimeout(() => tell(""), SAID_MS);
}

/** Do something that may fail, and tell the page of it. */
async function attempt(work, done = "") {
  say(byId("trouble"), "");
  tell("");
  say(byId("widget-says"), "");
  try {
    await work();
    if (done) tell(done);
  } catch (error) {
    complain(error);
  }
}

/** Show what the widget or the sandbox complains of, where the owner is looking. */
function complain(error) {
  const told = error instanceof Error ? error.message : String(error);
  const box = byId("settings-dialog").open ? "settings-trouble" : byId("step").hidden ? "trouble" : "widget-says";
  say(byId(box), told);
  byId(box).scrollIntoView({ block: "nearest" });
}

async function take(fresh, { reload = false } = {}) {
  const before = shelf?.widget?.script;
  shelf = fresh;
  drawWidget();
  drawRuns(shelf);
  try {
    if (shelf.widget && (reload || shelf.widget.script !== before)) await loadWidget();
    else if (host) Object.assign(host.widget, { status: shelf.widget.status, values: shelf.widget.values });
  } finally {
    drawOffer();
  }
}

async function loadWidget() {
  closeStep();
  byId("calls-list").replaceChildren();
  host = null;
  const fresh = new Host(structuredClone(shelf.widget), { locale: byId("locale").value, call: tellCall });
  await fresh.start();
  host = fresh;
}

function tellCall(name, back) {
  byId("calls").hidden = false;
  byId("calls-list").append(el("li", {}, el("code", {}, name), ` ${back}`));
}

// 1 and 2: the widget

async function upload(file) {
  if (!file || !shelf) return; // a file that was chosen before the page was ready is taken when it is
  await attempt(async () => {
    const answer = await api.uploadWidget(shelf.upload, file);
    byId("zip").value = "";
    await take(await api.designed(account));
    if (answer.response) tell(`Widget ${shelf.widget.version} was uploaded.`);
  });
}

const text = (key) => textAt(shelf.widget.texts[byId("locale").value] ?? {}, key) ?? key;

function drawWidget() {
  const { widget, refusal } = shelf;
  byId("refusal").hidden = !refusal;
  if (refusal) {
    byId("refusal-answer").textContent = JSON.stringify({ error: refusal.answer });
    byId("refusal-broken").replaceChildren(...refusal.broken.map((rule) => el("li", {}, rule)));
  }
  byId("widget").hidden = byId("install-buttons").hidden = byId("install-fields").hidden = !widget;
  byId("install-hint").textContent = "Upload a widget first.";
  if (!widget) return;
  drawLocales(widget.locales);
  const [status, tone] = STATUSES[widget.status];
  byId("widget-logo").src = widget.logo;
  byId("widget-name").textContent = text(widget.label);
  byId("widget-facts").textContent = `version ${widget.version} · ${widget.locales.join(", ")}`;
  byId("widget-status").textContent = status;
  byId("widget-status").className = `badge${tone ? ` badge-${tone}` : ""}`;
  byId("install").hidden = widget.status !== "install";
  byId("remove").hidden = widget.status === "install";
  byId("open-settings").hidden = widget.status === "install" || !widget.has_settings;
  byId("install-hint").textContent = {
    install: "The designer offers the widget's step once the widget is installed and its settings were saved.",
    not_configured: "Installed. Save its settings once, even when there is nothing to fill in.",
    installed: "Installed, and its settings are saved: the designer offers its step.",
  }[widget.status];
}

function drawLocales(locales) {
  const box = byId("locale");
  if (box.dataset.drawn === locales.join()) return;
  box.dataset.drawn = locales.join();
  const chosen = locales.includes(box.value) ? box.value : locales.includes("en") ? "en" : locales[0];
  box.replaceChildren(...locales.map((locale) => el("option", {}, locale)));
  box.value = chosen;
}

async function install() {
  await attempt(async () => {
    await take(await api.installWidget(account, {}));
    host?.run("onInstall");
    if (shelf.widget.has_settings) openSettings();
  });
}

function openSettings() {
  const { settings, values, texts } = shelf.widget;
  byId("settings-title").textContent = text(shelf.widget.label);
  byId("settings-about").textContent = text("widget.description") === "widget.description" ? "" : text("widget.description");
  byId("settings-modal").replaceChildren(byId("settings-fields"));
  drawFields(byId("settings-fields"), { fields: settings, values, texts: texts[byId("locale").value], prefix: "setting" });
  say(byId("settings-trouble"), "");
  byId("settings-dialog").showModal();
  try {
    host?.run("settings", window.jQuery(byId("settings-modal")));
  } catch (error) {
    complain(error);
  }
}

async function saveSettings(event) {
  event.preventDefault();
  say(byId("settings-trouble"), "");
  try {
    const fields = readFields(byId("settings-fields"));
    if (host?.has("onSave") && !(await host.run("onSave", { ...fields }))) {
      throw new Error("onSave did not give true: nothing was saved.");
    }
    const fresh = await api.installWidget(account, { settings: { ...host?.widget.values, ...fields } });
    byId("settings-dialog").close();
    await take(fresh);
    tell("The settings are saved. The designer now offers the widget's step.");
  } catch (error) {
    say(byId("settings-trouble"), error?.message ?? String(error));
  }
}

async function switchOff() {
  await attempt(async () => {
    await host?.run("onSave", { ...shelf.widget.values });
    host?.run("destroy");
    await take(await api.removeWidget(account));
    closeStep();
  }, "The widget is switched off. A saved Salesbot keeps its flow.");
}

// 3: the Salesbot

function drawOffer() {
  const { widget, step, imported } = shelf;
  const offered = Boolean(widget?.is_offered);
  say(byId("not-offered"), offered ? "" : "No widget is offered yet: upload one, install it, and save its settings once.");
  byId("imported-hint").hidden = !imported;
  byId("block-start").hidden = byId("block-pause").hidden = byId("branches").hidden = imported;
  byId("offer").hidden = !offered || !byId("step").hidden;
  byId("add-step").textContent = step ? "Open" : "Add";
  if (!offered) return closeStep();
  const chosen = byId("step-kind").value || step?.handler;
  byId("step-kind").replaceChildren(...widget.steps.map(({ code, label }) => el("option", { value: code }, text(label))));
  if (widget.steps.some(({ code }) => code === chosen)) byId("step-kind").value = chosen;
}

function closeStep() {
  byId("step").hidden = true;
  byId("save").disabled = true;
  byId("step-body").replaceChildren(byId("step-fields")); // what the widget added goes
  byId("block-widget-title").textContent = "Widget";
}

/** Open the step: its fields, and what the widget itself adds and names as exits. */
function openStep() {
  const kind = shelf.widget.steps.find(({ code }) => code === byId("step-kind").value);
  const saved = shelf.step?.handler === kind.code ? shelf.step : null;
  drawFields(byId("step-fields"), { fields: kind.fields, values: saved?.params ?? {}, texts: shelf.widget.texts[byId("locale").value], prefix: "step" });
  byId("step-body").replaceChildren(byId("step-fields"));
  opened = readFields(byId("step-fields"));
  typed = new Map();
  byId("step").dataset.handler = kind.code;
  byId("block-widget-title").textContent = `Widget: ${text(kind.label)}`;
  byId("step").hidden = false;
  if (!host) throw new Error("The widget's script could not be started; see above.");
  try {
    exits = host.exits(window.jQuery(byId("step-body")), renderRow, { ...opened }).map(asExit);
  } catch (error) {
    byId("branches-list").replaceChildren();
    throw error;
  }
  drawBranches(byId("branches-list"), exits, saved?.links ?? {});
  byId("offer").hidden = true;
  byId("save").disabled = false;
}

/** Give the step's params as the script gets them: the documented way, or as one implementer saw it. */
function paramsFor(values) {
  if (byId("typed-as").value !== "value_manual" || !typed.size) return { ...values };
  const unchanged = Object.fromEntries([...typed.keys()].map((name) => [name, opened[name]]));
  return { ...values, ...unchanged, value_manual: [...typed.values()].at(-1) };
}

const asExit = ({ code, title }) => ({ code: String(code), title: String(title ?? code) });

async function save(event) {
  event.preventDefault();
  if (byId("save").disabled) return;
  await attempt(async () => {
    const handler = byId("step").dataset.handler;
    const params = readFields(byId("step-fields"));
    const source = host.run("onSalesbotDesignerSave", handler, paramsFor(params));
    const links = readBranches(byId("branches-list"));
    await take(await api.saveSalesbot(account, { handler, params, source, exits, links, greeting: byId("greeting").value }));
  }, "The Salesbot is saved. New runs follow it.");
}

async function importFile(file) {
  if (!file) return;
  await attempt(async () => {
    const salesbot = await file.text();
    byId("import").value = "";
    await take(await api.importSalesbot(account, salesbot));
  }, "The Salesbot was imported.");
}

function drop(event) {
  event.preventDefault();
  byId("drop").classList.remove("drop-over");
  upload(event.dataTransfer.files[0]);
}

byId("zip").addEventListener("change", () => upload(byId("zip").files[0]));
byId("drop").addEventListener("dragover", (event) => { event.preventDefault(); byId("drop").classList.add("drop-over"); });
byId("drop").addEventListener("dragleave", () => byId("drop").classList.remove("drop-over"));
byId("drop").addEventListener("drop", drop);
byId("install").addEventListener("click", install);
byId("remove").addEventListener("click", switchOff);
byId("open-settings").addEventListener("click", openSettings);
byId("settings-cancel").addEventListener("click", () => byId("settings-dialog").close());
byId("settings-form").addEventListener("submit", saveSettings);
byId("locale").addEventListener("change", () => attempt(() => take(shelf, { reload: true })));
byId("add-step").addEventListener("click", () => attempt(openStep));
byId("step").addEventListener("submit", save);
byId("step-fields").addEventListener("input", ({ target }) => {
  if (!target.matches("input")) return;
  typed.delete(target.name);
  typed.set(target.name, target.value);
});
byId("import").addEventListener("change", () => importFile(byId("import").files[0]));
byId("discard").addEventListener("click", () => attempt(async () => {
  byId("greeting").value = "";
  await take(await api.discardSalesbot(account), { reload: true });
}, "The usual Salesbot runs again."));

async function begin() {
  await attempt(async () => {
    const known = await api.overview();
    const safe = /^https?:\/\//i.test(known.bridge_admin_url || "");
    byId("admin-link").hidden = !safe;
    if (safe) byId("admin-link").href = known.bridge_admin_url;
    const fresh = await api.designed(account);
    byId("account-name").textContent = ` · ${fresh.name}`;
    byId("greeting").value = fresh.step?.greeting ?? "";
    await take(fresh);
    if (shelf.step && shelf.widget?.is_offered) openStep();
  });
  await upload(byId("zip").files[0]);
}

byId("open-chat").href = byId("chat-link").href = api.chatAddress({ account, customer: "visitor" });
byId("journal-link").href = `/journal?${new URLSearchParams({ account })}`;
offerKeys(account, attempt);
begin();
