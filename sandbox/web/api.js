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

const JSON_TYPE = { "Content-Type": "application/json" };
const post = (path, body) => call(path, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) });
const remove = (path) => call(path, { method: "DELETE", headers: JSON_TYPE });

/** Everything on all accounts: {accounts, bridge_admin_url}. */
export const overview = () => call("/accounts");
export const openChat = (wanted) => post("/chats", wanted);
export const sendMessage = (message) => post("/messages", message);
export const restartSalesbot = (who) => post("/stop", who);
export const changeAccount = (account, changes) => post(`/accounts/${encodeURIComponent(account)}`, changes);
export const moveClock = (seconds) => post("/clock", { seconds });

export const faults = () => call("/faults");
export const addFault = (fault) => post("/faults", fault);
export const changeFault = (id, changes) => post(`/faults/${id}`, changes);
export const removeFault = (id) => remove(`/faults/${id}`);
export const clearFaults = () => remove("/faults");
export const planFaults = (schedule) => post("/faults/schedule", schedule);
export const endPlan = () => remove("/faults/schedule");

const designer = (account) => `/designer/${encodeURIComponent(account)}`;

/** The account's widget, its settings and its Salesbot, as the designer shows them. */
export const designed = (account) => call(designer(account));
export const keysOf = (account) => call(`${designer(account)}/keys`);
export const installWidget = (account, asked) => post(`${designer(account)}/install`, asked);
export const removeWidget = (account) => post(`${designer(account)}/remove`, {});
export const saveSalesbot = (account, step) => post(`${designer(account)}/save`, step);
export const importSalesbot = (account, salesbot) => post(`${designer(account)}/import`, { salesbot });
export const discardSalesbot = (account) => remove(`${designer(account)}/salesbot`);

/** Upload a zip as Kommo's integration window does; its terse answer, {response} or {error}. */
export async function uploadWidget(path, file) {
  const form = new FormData();
  form.append("widget", file);
  const answer = await fetch(path, { method: "POST", body: form });
  return answer.json().catch(() => ({ error: `The sandbox answered ${answer.status}.` }));
}

/** Call `take` with the whole chat now and on every change; `lost` when the stream breaks. */
export const follow = ({ account, customer }, take, lost) =>
  listen(`/chats/${encodeURIComponent(account)}/${encodeURIComponent(customer)}/events`, take, lost);

/** Call `take` with the journal's last entries now and with each new one; `lost` when the stream breaks. */
export const followJournal = (query, take, lost) => listen(`/journal/events?${query}`, take, lost);

function listen(path, take, lost) {
  const source = new EventSource(BASE + path);
  source.onmessage = (event) => take(JSON.parse(event.data));
  source.onerror = () => lost(() => source.close());
  return source;
}

export const chatAddress = ({ account, customer }) =>
  `/chat/${encodeURIComponent(account)}/${encodeURIComponent(customer)}`;

export const designerAddress = designer;

export const journalAddress = (query) => `${BASE}/journal?${query}`;
