// The globals that Kommo's pages give to a widget's script, as far as they make sense here.

import { byId } from "../dom.js";

/** Put APP in place; `constants` gives what APP.constant() knows, `complain` shows a text to the owner. */
export function standInApp({ constants, complain }) {
  const notify = (notice) => complain([notice?.header, notice?.text].filter(Boolean).join(": ") || "The widget reports an error.");
  window.APP = {
    getBaseEntity: () => byId("entity").value,
    getWidgetsArea: () => "salesbot_designer",
    constant: (name) => constants()[name],
    notifications: { show_message_error: notify },
  };
}
