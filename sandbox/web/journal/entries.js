// What an entry of the journal says: who spoke to whom, in how many words, and whether it went well.

import { duration } from "../dom.js";

const SHORT = 70;

export class Reader {
  /** `titles` gives each kind of trouble its name for people. */
  constructor(titles = new Map()) {
    this.titles = titles;
    this.asked = new Map(); // continue calls that await their answer, by continue id
  }

  /** Give {from, to, text, tone, note} of an entry; `note` stands below the text. */
  read(entry) {
    const tell = TELL[entry.kind] ?? other;
    return { from: "kommo", to: "kommo", tone: "plain", note: "", ...tell(entry, this) };
  }
}

const short = (text) => {
  const line = String(text ?? "").replace(/\s+/g, " ").trim();
  return line.length > SHORT ? `${line.slice(0, SHORT - 1)}…` : line;
};

const isGood = (status) => status >= 200 && status < 300;

const TELL = {
  message: ({ text, attachment }) => ({ from: "customer", text: text ? `“${short(text)}”` : attachment ? `file ${attachment}` : "(no text)" }),
  shown: ({ text, leaked }) => ({
    to: "customer", text: `“${short(text)}”`, tone: leaked?.length ? "bad" : "good", note: leaked?.length ? `with braces: ${leaked.join(", ")}` : "",
  }),
  widget_request: ({ headers, copy }) => ({
    to: "bridge", text: `widget_request${copy ? ", a copy" : ""}`, note: shortType(headers?.["Content-Type"]),
  }),
  widget_request_answer: ({ status, ack_ms: ms, error }) => ({
    from: "bridge", text: status ? `${status} in ${duration(ms)}` : `no answer in ${duration(ms)}`, note: error || "", tone: status === 200 ? "good" : "bad",
  }),
  continue: (entry, reader) => {
    reader.asked.set(String(entry.key), entry.monotonic);
    return { from: "bridge", text: "continue", note: describe(entry.body) };
  },
  continue_accepted: () => ({ text: "the Salesbot goes on", tone: "good" }),
  continue_answer: (entry, reader) => {
    const begun = reader.asked.get(String(entry.key));
    const took = begun === undefined ? "" : ` in ${duration(Math.max(0, Math.round((entry.monotonic - begun) * 1000)))}`;
    return {
      to: "bridge", text: `${entry.status ?? "connection cut"}${took}`, tone: isGood(entry.status) && !entry.fault ? "good" : "bad",
      note: entry.fault ? `broken on demand: ${reader.titles.get(entry.fault) ?? entry.fault}` : isGood(entry.status) ? "" : detailOf(entry.body),
    };
  },
  request_fault: ({ told }) => ({ text: "broken on demand", note: told, tone: "bad" }),
  fault_queued: ({ fault }) => ({ text: `trouble set: ${fault.title}`, note: `${fault.count} ×`, tone: "wait" }),
  fault_changed: ({ fault }) => ({ text: `trouble ${fault.on ? "on" : "off"}: ${fault.title}`, tone: "wait" }),
  fault_removed: ({ fault }) => ({ text: `trouble removed: ${fault.title}`, tone: "wait" }),
  faults_cleared: () => ({ text: "all troubles removed", tone: "wait" }),
  fault_schedule: ({ schedule }) => ({ text: schedule ? `trouble by chance, seed “${schedule.seed}”` : "no more trouble by chance", tone: "wait" }),
  not_delivered: ({ text, reason }) => ({ to: "customer", text: `“${short(text)}”`, note: `not delivered: ${reason}`, tone: "bad" }),
  person_message: ({ text }) => ({ to: "customer", text: `“${short(text)}”`, note: "from a person of the team" }),
  rest: ({ method, path, status, answer }) => ({
    from: "bridge", text: `${method} ${short(path)}`, note: `answered ${status}${isGood(status) ? "" : `: ${detailOf(answer)}`}`, tone: isGood(status) ? "good" : "bad",
  }),
  timer: () => ({ text: "a pause is over", tone: "wait" }),
  bot_run: ({ bot_id: bot }) => ({ text: `Salesbot ${bot} was started by the API`, tone: "wait" }),
  bot_stop: ({ bot_id: bot }) => ({ text: `Salesbot ${bot} was stopped by the API`, tone: "wait" }),
  bots_stopped: () => ({ text: "the Salesbot was stopped by hand", tone: "wait" }),
  widget_uploaded: ({ version }) => ({ text: `widget ${version} was uploaded`, tone: "good" }),
  widget_refused: ({ answer, broken }) => ({ text: `a widget was refused: ${answer}`, note: broken.join(" "), tone: "bad" }),
  widget_installed: ({ version, status }) => ({ text: `widget ${version}: ${status.replaceAll("_", " ")}`, tone: "wait" }),
  widget_removed: ({ version }) => ({ text: `widget ${version} was switched off`, tone: "wait" }),
  salesbot_saved: ({ version, exits }) => ({ text: `the Salesbot was saved with widget ${version}`, note: `exits: ${exits.join(", ")}`, tone: "wait" }),
  salesbot_imported: ({ runs }) => ({ text: "a Salesbot was imported", note: runs ? "" : "its Widget step has to be saved", tone: "wait" }),
  salesbot_discarded: () => ({ text: "the account has its usual Salesbot again", tone: "wait" }),
  clock_moved: ({ seconds }) => ({ text: `the clock was moved by ${duration(seconds * 1000)}`, tone: "wait" }),
};

/** Tell of an entry that this page has no words for. */
const other = ({ kind }) => ({ text: kind.replaceAll("_", " ") });

const shortType = (type = "") => ({ "application/json": "JSON", "application/x-www-form-urlencoded": "form" })[type] ?? type;

function describe(body) {
  try {
    const { data = {}, execute_handlers: handlers } = JSON.parse(body);
    return [data.status, data.message ? `${[...data.message].length} characters` : "", handlers ? `${handlers.length} handlers` : ""].filter(Boolean).join(", ");
  } catch {
    return body === null ? "too large" : "not JSON";
  }
}

function detailOf(body) {
  try {
    return short(JSON.parse(body).detail);
  } catch {
    return "";
  }
}
