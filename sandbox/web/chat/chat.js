// One customer's chat: opens it, follows it, and sends what is typed.

import * as api from "../api.js";
import { byId, moment, say } from "../dom.js";
import { showBreaking } from "./breaking.js";
import { Bubbles } from "./bubbles.js";
import { showPeople } from "./people.js";
import { showSettings } from "./settings.js";
import { Turns } from "./turns.js";

const RETRY_MS = 2000;
const HOUR_SECONDS = 3600;
const [, , account, customer] = location.pathname.split("/").map(decodeURIComponent);
const who = { account, customer };

const bubbles = new Bubbles(byId("log"), { press: (text) => send({ text }) });
const turns = new Turns(byId("turns"));
let waitingSince = null;
let timer = null;

async function open() {
  try {
    take(await api.openChat(who));
    say(byId("trouble"), "");
    api.follow(who, take, lost);
  } catch (error) {
    say(byId("trouble"), `${error.message} Trying again…`);
    setTimeout(open, RETRY_MS);
  }
}

function lost(close) {
  close();
  say(byId("trouble"), "The connection to the sandbox was lost. Trying again… (A restarted sandbox has forgotten its chats.)");
  setTimeout(open, RETRY_MS);
}

function take(chat) {
  say(byId("trouble"), "");
  document.title = `${chat.name} · Kommo sandbox`;
  byId("talk-name").textContent = chat.name;
  byId("talk-letter").textContent = [...chat.name][0].toUpperCase();
  byId("talk-facts").textContent = `${chat.channel} · lead ${chat.lead_id} · account ${chat.account}`;
  byId("say-label").textContent = `Write as ${chat.name}`;
  say(byId("log-empty"), chat.bubbles.length ? "" : `This is ${chat.name}'s chat window. Write the first message below.`);
  byId("did-empty").hidden = chat.turns.length > 0;
  bubbles.take(chat.bubbles);
  turns.take(chat);
  showState(chat);
}

function showState(chat) {
  const waiting = chat.turns.findLast((turn) => turn.state === "waiting" || turn.state === "stuck");
  waitingSince = chat.state === "thinking" && waiting ? waiting.started_at : null;
  byId("thinking").hidden = waitingSince === null;
  byId("stuck").hidden = chat.state !== "stuck";
  byId("stuck-text").textContent = chat.state === "stuck"
    ? "The Salesbot waits, and the bridge did not acknowledge: in real Kommo this chat hangs." : "";
  say(byId("held"), chat.held ? `${chat.held} more from the customer: waits until the Salesbot listens again.` : "");
  showTimer(chat);
  const spoken = chat.state === "thinking" ? "The Salesbot waits for the bridge." : "";
  if (byId("spoken-state").textContent !== spoken) byId("spoken-state").textContent = spoken;
  tick();
  bubbles.stay();
}

/** A pause of the Salesbot: until when, and buttons that move the sandbox's clock. */
function showTimer({ waits_until: until, waits_for: what, clock: now }) {
  timer = until ? { until, now } : null;
  byId("timer").hidden = !timer;
  byId("timer-text").textContent = timer ? `The Salesbot has a timer until ${moment(until, now ?? undefined)}${what ? ` (${what})` : ""}.` : "";
}

async function moveClock(seconds) {
  try {
    await api.moveClock(seconds);
  } catch (error) {
    say(byId("trouble"), error.message);
  }
}

function tick() {
  if (waitingSince === null) return;
  const seconds = Math.max(0, Math.round(Date.now() / 1000 - waitingSince));
  byId("thinking-text").textContent = `The Salesbot waits for the bridge${seconds > 1 ? ` · ${seconds} s` : ""}`;
}

async function send(message) {
  try {
    await api.sendMessage({ ...who, text: "", ...message });
    say(byId("trouble"), "");
    return true;
  } catch (error) {
    say(byId("trouble"), error.message);
    return false;
  } finally {
    byId("say").focus();
  }
}

async function submit(event) {
  event.preventDefault();
  const box = byId("say");
  const text = box.value;
  if (!text.trim()) return;
  box.value = "";
  if (!(await send({ text })) && !box.value) box.value = text;
}

async function attach(event) {
  event.preventDefault();
  byId("attach-dialog").close();
  await send({ attachment: byId("attach-name").value });
}

async function restart() {
  try {
    await api.restartSalesbot(who);
    byId("say").focus();
  } catch (error) {
    say(byId("trouble"), error.message);
  }
}

byId("say-form").addEventListener("submit", submit);
byId("say").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId("say-form").requestSubmit();
});
byId("restart").addEventListener("click", restart);
byId("attach").addEventListener("click", () => byId("attach-dialog").showModal());
byId("attach-cancel").addEventListener("click", () => byId("attach-dialog").close());
byId("attach-form").addEventListener("submit", attach);
byId("timer-then").addEventListener("click", () => timer && moveClock(Math.max(1, Math.ceil(timer.until - (timer.now ?? Date.now() / 1000)))));
byId("timer-hour").addEventListener("click", () => moveClock(HOUR_SECONDS));
byId("journal-link").href = `/journal?${new URLSearchParams(who)}`;
byId("designer-link").href = api.designerAddress(who.account);
setInterval(tick, 1000);
showBreaking(who, (kinds) => turns.explain(kinds));
const settings = showSettings(account);
open().then(() => showPeople(who, settings));
if (matchMedia("(pointer: fine)").matches && !location.hash) byId("say").focus();
