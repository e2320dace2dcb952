// The sandbox's control API, as the pages use it.

const BASE = "/sandbox/api";

async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch(BASE + path, options);
  } catch {
    throw new Error("The sandbox does not answer. Is it still running?");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.error || `The sandbox answered ${answer.status}.`);
  return body;
}

const post = (path, body) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const accounts = async () => (await call("/accounts")).accounts;
export const openChat = (wanted) => post("/chats", wanted);
export const sendMessage = (message) => post("/messages", message);
export const restartSalesbot = (who) => post("/stop", who);

/** Call `take` with the whole chat now and on every change; `lost` when the stream breaks. */
export function follow({ account, customer }, take, lost) {
  const path = `/chats/${encodeURIComponent(account)}/${encodeURIComponent(customer)}/events`;
  const source = new EventSource(BASE + path);
  source.onmessage = (event) => take(JSON.parse(event.data));
  source.onerror = () => lost(() => source.close());
  return source;
}

export const chatAddress = ({ account, customer }) =>
  `/chat/${encodeURIComponent(account)}/${encodeURIComponent(customer)}`;
