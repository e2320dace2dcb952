// What the account runs, and which widget's flow is frozen into it.

import * as api from "../api.js";
import { byId, clock, say } from "../dom.js";

/** Tell of the Salesbot that the account runs now. */
export function drawRuns(shelf) {
  const { account, chat, imported, runs, step, widget } = shelf;
  byId("runs").textContent = toldOf(shelf);
  say(byId("runs-old"), step?.is_old && widget
    ? `Widget ${widget.version} is here, but the Salesbot still runs the flow of ${step.version}: open the step and save again.` : "");
  say(byId("runs-stray"), step?.stray_exits.length
    ? `The flow leaves by exits that the step does not have, which leads nowhere: ${step.stray_exits.join(", ")}.` : "");
  byId("discard").hidden = !runs && !imported;
  byId("flow").hidden = !step;
  byId("flow-text").textContent = step ? JSON.stringify(JSON.parse(step.source), null, 2) : "";
  const address = api.chatAddress({ account, customer: chat || "visitor" });
  byId("open-chat").href = byId("chat-link").href = address;
}

function toldOf({ has_own: hasOwn, imported, runs, step }) {
  const since = step ? `, with the step of widget ${step.version}, saved at ${clock(step.saved_at)}` : "";
  if (runs) return `This account runs ${imported ? "an imported Salesbot" : "the Salesbot built here"}${since}.`;
  if (imported) return "The imported Salesbot needs its Widget step: fill it in and save. Until then the usual Salesbot runs.";
  if (hasOwn) return "This account runs the Salesbot of its config.";
  return "This account runs the sandbox's usual Salesbot: greet, listen, ask the bridge, listen again.";
}
