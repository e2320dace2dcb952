/*
 * A second host for script.js beside Kommo's pages: AMD's define, as much of jQuery as the script uses, APP and i18n.
 * Reads a scenario as JSON from standard input and writes what happened as JSON.
 *
 * Scenario: script (text of script.js), texts (an i18n file, or null), entity (what APP.getBaseEntity says; null: there
 * is no APP at all; "!": it throws), i18n ("function", "langs" or "none"), jquery (false: none), calls: list of
 * [callback, ...arguments], with {"$": "step" or "window"} for the step's form or the settings window.
 * type: {field: [text, …]} is typed into the form after the last call.
 */
'use strict';

const vm = require('vm');

class Element {
  constructor(attributes) {
    this.attributes = attributes || {};
    this.children = [];
    this.parent = null;
    this.words = '';
    this.value = '';
    this.handlers = {};
  }

  place(child, after) {
    child.parent = this;
    this.children.splice(after ? this.children.indexOf(after) + 1 : this.children.length, 0, child);
  }

  all() {
    return this.children.flatMap((child) => [child, ...child.all()]);
  }

  text() {
    return [this.words, ...this.children.map((child) => child.text())].filter(Boolean).join('\n');
  }
}

function matches(element, selector) {
  const byClass = /^\.([\w-]+)$/.exec(selector);
  if (byClass) {
    return (element.attributes.class || '').split(' ').includes(byClass[1]);
  }
  const byAttribute = /^\[([\w-]+)="([^"]*)"\]$/.exec(selector);
  if (!byAttribute) {
    throw new Error(`This host does not know the selector ${selector}`);
  }
  return element.attributes[byAttribute[1]] === byAttribute[2];
}

function parsed(html) {
  const tag = /^<(\w+)((?: [\w-]+="[^"<>]*")*)><\/\1>$/.exec(html);
  if (!tag) {
    throw new Error(`This host makes empty elements only, not ${html}`);
  }
  const attributes = {};
  for (const found of tag[2].matchAll(/ ([\w-]+)="([^"]*)"/g)) {
    attributes[found[1]] = found[2];
  }
  return new Element(attributes);
}

function jquery(content) {
  const elements = typeof content === 'string' ? [parsed(content)] : content;
  const set = {
    elements,
    length: elements.length,
    find: (selector) => jquery(elements.flatMap((one) => one.all()).filter((one) => matches(one, selector))),
    last: () => jquery(elements.slice(-1)),
    css: () => set,
    text(words) {
      elements.forEach((one) => {
        one.words = String(words);
        one.children = [];
      });
      return set;
    },
    append(more) {
      more.elements.forEach((one) => elements[0].place(one));
      return set;
    },
    after(more) {
      more.elements.forEach((one) => elements[0].parent.place(one, elements[0]));
      return set;
    },
    remove() {
      elements.forEach((one) => {
        one.parent.children = one.parent.children.filter((other) => other !== one);
      });
      return set;
    },
    on(names, handler) {
      names.split(' ').forEach((name) => elements.forEach((one) => (one.handlers[name] = handler)));
      return set;
    },
  };
  return set;
}

function stepForm(fields) {
  const body = new Element();
  fields.forEach((field) => {
    const row = new Element({ class: 'row' });
    body.place(row);
    row.place(new Element({ 'data-field-name': field, name: 'value_manual' }));
  });
  return body;
}

function typeInto(form, typed) {
  const seen = {};
  Object.entries(typed || {}).forEach(([field, texts]) => {
    const input = form.all().find((one) => one.attributes['data-field-name'] === field);
    seen[field] = texts.map((text) => {
      input.value = text;
      input.handlers.input({ target: input });
      return form.text();
    });
  });
  return seen;
}

function appOf(scenario, told) {
  return {
    getBaseEntity: () => {
      if (scenario.entity === '!') {
        throw new Error('no entity here');
      }
      return scenario.entity;
    },
    notifications: { show_message_error: (message) => told.push(message) },
  };
}

function widgetOf(scenario, globals) {
  let made = null;
  const context = vm.createContext(globals);
  context.define = (dependencies, factory) => {
    if (JSON.stringify(dependencies) !== '["jquery"]') {
      throw new Error(`This host has jquery only, not ${dependencies}`);
    }
    made = factory(scenario.jquery === false ? undefined : jquery);
  };
  vm.runInContext(scenario.script, context, { filename: 'script.js' });
  const Widget = made;
  if (scenario.i18n === 'function') {
    Widget.prototype.i18n = (group) => scenario.texts[group];
  } else if (scenario.i18n === 'langs') {
    Widget.prototype.langs = scenario.texts;
  }
  return new Widget();
}

function main(scenario) {
  const told = [];
  const places = { step: stepForm(scenario.fields || ['bot', 'instruction']), window: new Element(), nothing: null };
  const globals = scenario.entity === null ? {} : { APP: appOf(scenario, told) };
  const widget = widgetOf(scenario, globals);
  const results = scenario.calls.map(([name, ...given]) => {
    const args = given.map((one) => (one && one.$ ? jquery([places[one.$]]) : one));
    try {
      const value = widget.callbacks[name](...args);
      return { value: value === undefined ? null : value };
    } catch (error) {
      return { error: error.message };
    }
  });
  return {
    callbacks: Object.keys(widget.callbacks),
    results,
    told,
    form: places.step.text(),
    window: places.window.text(),
    typed: typeInto(places.step, scenario.type),
  };
}

let input = '';
process.stdin.on('data', (chunk) => (input += chunk));
process.stdin.on('end', () => process.stdout.write(JSON.stringify(main(JSON.parse(input)))));
