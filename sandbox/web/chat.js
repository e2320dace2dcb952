// One customer's chat: opens it, follows it, and sends what is typed.

import * as api from "./api.js";
import { Bubbles } from "./bubbles.js";
import { byId, say } from "./dom.js";
import { showPeople } from "./people.js";
import { Turns } from "./turns.js";

const RETRY_MS = 2000;
const [, , account, customer] = location.pathname.split("/").map(decodeURIComponent);
const who = { account, customer };

const bubbles = new Bubbles(byId("log"), { press: (text) => send(text) });
const turns = new Turns(byId("turns"));
let waitingSince = null;

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
  const spoken = chat.state === "thinking" ? "The Salesbot waits for the bridge." : "";
  if (byId("spoken-state").textContent !== spoken) byId("spoken-state").textContent = spoken;
  tick();
  bubbles.stay();
}

function tick() {
  if (waitingSince === null) return;
  const seconds = Math.max(0, Math.round(Date.now() / 1000 - waitingSince));
  byId("thinking-text").textContent = `The Salesbot waits for the bridge${seconds > 1 ? ` · ${seconds} s` : ""}`;
}

async function send(text) {
  const box = byId("say");
  try {
    await api.sendMessage({ ...who, text });
    say(byId("trouble"), "");
    return true;
  } catch (error) {
    say(byId("trouble"), error.message);
    return false;
  } finally {
    box.focus();
  }
}

async function submit(event) {
  event.preventDefault();
  const box = byId("say");
  const text = box.value;
  if (!text.trim()) return;
  box.value = "";
  if (!(await send(text)) && !box.value) box.value = text;
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
setInterval(tick, 1000);
open().then(() => showPeople(who));
if (matchMedia("(pointer: fine)").matches) byId("say").focus();
