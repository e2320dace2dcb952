// Loads a widget's script.js as Kommo does: an AMD module, one instance with Kommo's helpers, callbacks in their order.

const DEPENDENCIES = { jquery: window.jQuery };
const READING_ID = "TypeError: Cannot read properties of undefined (reading 'id')";

/** The widget did something that Kommo's page would break at; the text is for people. */
export class WidgetFault extends Error {}

/** Read a text such as "salesbot.handler_name" out of an i18n file. */
export const textAt = (texts, key) => String(key).split(".").reduce((found, name) => found?.[name], texts);

export class Host {
  /** `call` is told of each call of the script: (name, what came back); `surroundings` gives the settings of the page. */
  constructor(widget, { locale, call }) {
    this.widget = widget;
    this.texts = widget.texts[locale] ?? {};
    this.call = call;
    this.instance = null;
  }

  /** Load the script and start the widget: render, init, and bind_actions when render gave true. */
  async start() {
    const defined = await load(this.widget.script);
    const Custom = defined.factory(...defined.dependencies.map(dependency));
    this.told(`define([${defined.dependencies.join(", ")}])`, typeof Custom);
    if (typeof Custom !== "function") throw new WidgetFault("script.js: the module must return the function CustomWidget.");
    this.instance = this.helped(Custom);
    if (!this.instance.callbacks || typeof this.instance.callbacks !== "object") {
      throw new WidgetFault("script.js: the widget has no callbacks.");
    }
    const rendered = this.run("render");
    if (rendered !== true) return;
    this.run("init");
    this.run("bind_actions");
  }

  has(name) {
    return typeof this.instance?.callbacks?.[name] === "function";
  }

  /** Call a callback; one that the widget does not have gives undefined. What it throws is passed on. */
  run(name, ...given) {
    if (!this.has(name)) {
      this.told(name, "not there");
      return undefined;
    }
    try {
      const back = this.instance.callbacks[name](...given);
      this.told(name, short(back));
      return back;
    } catch (error) {
      this.told(name, `threw: ${error?.message ?? error}`);
      throw error;
    }
  }

  /** Ask which exits the step has. A widget without that callback breaks Kommo's designer in a known way. */
  exits(body, renderRow, params) {
    const settings = this.run("salesbotDesignerSettings", body, renderRow, params);
    if (!settings || !Array.isArray(settings.exits)) {
      throw new WidgetFault(`${READING_ID} The callback salesbotDesignerSettings is missing, or it names no exits.`);
    }
    return settings.exits;
  }

  told(name, back) {
    this.call(name, back);
  }

  /** Make the instance; its helpers stand on the prototype, so that the constructor may use them already. */
  helped(Custom) {
    const { widget, texts } = this;
    Object.assign(Custom.prototype, {
      langs: texts,
      params: { ...widget.values, version: widget.version, path: widget.path, status: widget.status },
      i18n: (key) => textAt(texts, key),
      get_settings: () => ({ ...widget.values }),
      set_settings: (changes) => Object.assign(widget.values, changes),
      get_version: () => widget.version,
      get_install_status: () => widget.status,
    });
    return new Custom();
  }
}

function dependency(name) {
  if (name in DEPENDENCIES) return DEPENDENCIES[name];
  throw new WidgetFault(`script.js asks for “${name}”; the sandbox gives ${Object.keys(DEPENDENCIES).join(", ")} alone.`);
}

/** Let the browser run the script, and give what it handed to define(). */
function load(address) {
  return new Promise((resolve, reject) => {
    let defined = null;
    window.define = (...given) => { defined = asDefined(given); };
    window.define.amd = {};
    const script = document.createElement("script");
    script.src = address;
    const end = (fault) => {
      script.remove();
      delete window.define;
      if (fault || !defined) reject(new WidgetFault(fault || "script.js does not call define(), or cannot be read."));
      else resolve(defined);
    };
    script.addEventListener("load", () => end(""));
    script.addEventListener("error", () => end("script.js could not be loaded."));
    document.head.append(script);
  });
}

/** define(factory), define(dependencies, factory) or define(name, dependencies, factory). */
function asDefined(given) {
  const factory = given.at(-1);
  const dependencies = given.find(Array.isArray) ?? [];
  return { dependencies, factory: typeof factory === "function" ? factory : () => factory };
}

function short(back) {
  if (back === undefined) return "undefined";
  const text = typeof back === "string" ? back : back instanceof Promise ? "a promise" : JSON.stringify(back) ?? typeof back;
  return text.length > 90 ? `${text.slice(0, 89)}…` : text;
}
