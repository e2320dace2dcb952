/**
 * KommoBridge: the Widget step of a Salesbot.
 *
 * Built for one account; nothing in here needs editing. The step asks the bridge, waits until the bridge lets the
 * Salesbot go on, shows the answer if there is one, and leaves by the exit that the bridge chose.
 */
define(['jquery'], function ($) {
  'use strict';

  // Filled in when the zip is built: hook_url, version, account, and the English texts by group.
  var BUILT = '@@BUILT@@';

  var OUTCOMES = ['success', 'handoff', 'silent', 'fail'];
  var FLOW_MAX_BYTES = 65536;
  var INSTRUCTION_MAX = 1000;
  var SLUG = /^[A-Za-z0-9_-]{1,60}$/;
  var PLACEHOLDER = /^\{\{[^{}]{1,80}\}\}$/;

  function trimmed(value) {
    return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
  }

  // An emoji counts as one character, as it does in the bridge.
  function charactersOf(text) {
    return text.replace(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g, '_').length;
  }

  function bytesOf(text) {
    var bytes = 0;
    for (var i = 0; i < text.length; i += 1) {
      var code = text.charCodeAt(i);
      // Half of a surrogate pair makes 2 of the pair's 4 bytes.
      bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3;
    }
    return bytes;
  }

  // Handlers and steps, as Salesbot JSON has them.

  function handler(name, params) {
    return { handler: name, params: params };
  }

  function step(handlers) {
    return { question: handlers, require: [] };
  }

  function goTo(number) {
    return handler('goto', { type: 'question', step: number });
  }

  function leaveBy(outcome) {
    return handler('exits', { value: outcome });
  }

  function whenJson(name, value, then) {
    return handler('conditions', {
      logic: 'and',
      conditions: [{ term1: '{{json.' + name + '}}', term2: value, operation: '=' }],
      result: [then]
    });
  }

  // `exit` comes only when the bot leaves an outcome by another exit than its own. Absent, it stays a placeholder and
  // equals no exit's name; then the status decides.
  function leave() {
    var byExit = OUTCOMES.map(function (outcome) {
      return whenJson('exit', outcome, leaveBy(outcome));
    });
    var byStatus = OUTCOMES.slice(0, -1).map(function (outcome) {
      return whenJson('status', outcome, leaveBy(outcome));
    });
    return byExit.concat(byStatus, leaveBy('fail'));
  }

  // `show` is asked first: an absent message would reach the customer as its placeholder, braces and all. Step 2 asks
  // too, because an answer of the bridge may jump there: with nothing to show, or shown already, it goes back to leave.
  function flowFor(data) {
    return [
      step([handler('widget_request', { url: BUILT.hook_url, data: data }), goTo(1)]),
      step([whenJson('show', '1', goTo(2))].concat(leave())),
      step([
        whenJson('show', '0', goTo(1)),
        handler('show', { type: 'text', value: '{{json.message}}' })
      ].concat(leave()))
    ];
  }

  // Kommo's own pages say `lead` or `leads`, `customer` or `customers`.
  function isAboutCustomers() {
    try {
      return /^customers?$/.test(String(APP.getBaseEntity()));
    } catch (error) {
      return false;
    }
  }

  function valueOf(params, field) {
    var value = params ? params[field] : '';
    if (value && typeof value === 'object') {
      value = trimmed(value.value_manual) || trimmed(value.value) || trimmed(value.text);
    }
    return trimmed(value);
  }

  // What the owner typed. It was seen that Kommo hands a typed text over as `value_manual` and leaves the field
  // itself as it was; such a text goes to the field that is empty and that it fits.
  function typedIn(params) {
    var typed = { bot: valueOf(params, 'bot'), instruction: valueOf(params, 'instruction') };
    var astray = valueOf(params, 'value_manual');
    if (!astray || astray === 'true' || astray === 'false') {
      return typed;
    }
    if (astray !== typed.bot && astray !== typed.instruction) {
      if (!typed.bot && (SLUG.test(astray) || PLACEHOLDER.test(astray))) {
        typed.bot = astray;
      } else if (!typed.instruction) {
        typed.instruction = astray;
      }
    }
    return typed;
  }

  function dataFor(typed) {
    var data = { message: '{{message_text}}' };
    if (typed.bot) {
      data.bot = typed.bot;
    }
    if (typed.instruction) {
      data.instruction = typed.instruction;
    }
    if (isAboutCustomers()) {
      data.entity = 'customer';
      data.customer_id = '{{customer.id}}';
    } else {
      data.entity = 'lead';
      data.lead_id = '{{lead.id}}';
    }
    data.contact_id = '{{contact.id}}';
    data.talk_id = '{{talk_id}}';
    data.origin = '{{origin}}';
    data.widget = BUILT.version;
    return data;
  }

  return function CustomWidget() {
    var self = this;

    // A text in the language of the page, or in English.
    function text(group, key, values) {
      var texts = {};
      try {
        texts = (self.i18n && self.i18n(group)) || (self.langs && self.langs[group]) || {};
      } catch (error) {
        texts = {};
      }
      var found = trimmed(texts[key]) || BUILT.english[group][key];
      return Object.keys(values || {}).reduce(function (told, name) {
        return told.split('{' + name + '}').join(values[name]);
      }, found);
    }

    function wrongBot(slug) {
      return !slug || SLUG.test(slug) || PLACEHOLDER.test(slug) ? '' : text('salesbot', 'bot_wrong');
    }

    function wrongInstruction(instruction) {
      var count = charactersOf(instruction);
      return count > INSTRUCTION_MAX ? text('salesbot', 'instruction_wrong', { count: count }) : '';
    }

    // Says why on the page, and stops the save: a step that was saved wrong would answer customers wrongly.
    function refuse(sentence) {
      try {
        APP.notifications.show_message_error({ header: text('salesbot', 'not_saved'), text: sentence });
      } catch (error) {
        // No notifications on this page: the error's own text has to do.
      }
      throw new Error(sentence);
    }

    function flowText(params) {
      var typed = typedIn(params);
      var wrong = wrongBot(typed.bot) || wrongInstruction(typed.instruction);
      if (wrong) {
        refuse(wrong);
      }
      var flow = JSON.stringify(flowFor(dataFor(typed)));
      if (bytesOf(flow) > FLOW_MAX_BYTES) {
        refuse(text('salesbot', 'too_large', { count: bytesOf(flow) }));
      }
      return flow;
    }

    function showHint($body, field, value, judge) {
      var $field = $body.find('[data-field-name="' + field + '"]');
      var $hint = $('<div class="kommobridge-hint" role="alert"></div>').css({ color: '#c0392b', fontSize: '13px' });
      if ($field.length) {
        $field.last().after($hint);
      } else {
        $body.append($hint);
      }
      $field.on('input change', function (event) {
        $hint.text(judge(trimmed(event.target.value)));
      });
      $hint.text(judge(value));
    }

    function showHints($body, params) {
      var typed = typedIn(params);
      $body.find('.kommobridge-hint').remove();
      showHint($body, 'bot', typed.bot, wrongBot);
      showHint($body, 'instruction', typed.instruction, wrongInstruction);
    }

    function showAbout($modal) {
      var about = [
        BUILT.account ? text('settings', 'built_for', { account: BUILT.account }) : '',
        text('settings', 'built', { version: BUILT.version, host: BUILT.hook_url.split('/')[2] }),
        text('settings', 'next'),
        text('settings', 'update')
      ];
      var $about = $('<div class="kommobridge-about"></div>');
      about.filter(Boolean).forEach(function (line) {
        $about.append($('<p></p>').text(line));
      });
      $modal.find('.kommobridge-about').remove();
      $modal.append($about);
    }

    // Hints are a courtesy: Kommo may build its pages otherwise tomorrow, and the step has to work all the same.
    function courteously(show, where, params) {
      try {
        show(where, params);
      } catch (error) {
        // Without the hint, then.
      }
    }

    this.callbacks = {
      render: function () {
        return true;
      },
      init: function () {
        return true;
      },
      bind_actions: function () {
        return true;
      },
      settings: function ($modal) {
        courteously(showAbout, $modal);
        return true;
      },
      onInstall: function () {
        return true;
      },
      onSave: function () {
        return true;
      },
      destroy: function () {},
      salesbotDesignerSettings: function ($body, renderRow, params) {
        courteously(showHints, $body, params);
        return {
          exits: OUTCOMES.map(function (outcome) {
            return { code: outcome, title: text('salesbot', outcome) };
          })
        };
      },
      onSalesbotDesignerSave: function (handlerCode, params) {
        return flowText(params);
      }
    };

    return this;
  };
});
