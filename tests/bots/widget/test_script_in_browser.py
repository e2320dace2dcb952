"""script.js in a browser, with a real jQuery on a real form: what its owner sees."""

import json
from pathlib import Path

import django.contrib.admin
import pytest

from sandbox.salesbot.effects import Left
from sandbox.salesbot.flows import parse_flow
from sandbox.salesbot.interpreter import Machine
from sandbox.salesbot.placeholders import Values
from tests.bots.widget.zips import files_of, our_zip

pytestmark = pytest.mark.browser

JQUERY = Path(django.contrib.admin.__file__).parent / "static/admin/js/vendor/jquery/jquery.min.js"
FILES = files_of(our_zip())
TEXTS = json.loads(FILES["i18n/es.json"])

FORM = """
<form id="step">
  <label>Bot <input data-field-name="bot" name="value_manual"></label>
  <label>Instruction <textarea data-field-name="instruction" name="value_manual"></textarea></label>
</form>
<div id="window"></div>
"""
HOST = """
(texts) => {
  window.told = [];
  window.APP = {
    getBaseEntity: () => 'leads',
    notifications: { show_message_error: (message) => window.told.push(message.text) },
  };
  window.define = (names, factory) => {
    const Widget = factory(window.jQuery);
    Widget.prototype.i18n = (group) => texts[group];
    window.widget = new Widget();
  };
}
"""


@pytest.fixture
def opened(page):
    """Give a page on which the widget has opened its step and its settings window, in Spanish."""
    page.set_content(FORM)
    page.add_script_tag(path=JQUERY)
    page.evaluate(HOST, TEXTS)
    page.add_script_tag(content=FILES["script.js"].decode())
    page.evaluate("() => { widget.callbacks.settings(jQuery('#window')); }")
    page.evaluate("() => { widget.callbacks.salesbotDesignerSettings(jQuery('#step'), () => '', {}); }")
    return page


def save(page):
    return page.evaluate(
        """() => {
          const values = {};
          jQuery('[data-field-name]').each((_, field) => { values[field.dataset.fieldName] = field.value; });
          try {
            return { flow: JSON.parse(widget.callbacks.onSalesbotDesignerSave('answer', values)) };
          } catch (error) {
            return { error: error.message };
          }
        }"""
    )


def test_a_wrong_slug_is_told_while_typing_and_again_on_saving(opened):
    opened.get_by_label("Bot").fill("dos palabras")
    wrong = TEXTS["salesbot"]["bot_wrong"]
    assert opened.get_by_text(wrong).is_visible()
    assert save(opened) == {"error": wrong}
    assert opened.evaluate("window.told") == [wrong]

    opened.get_by_label("Bot").fill("ventas")
    assert opened.get_by_text(wrong).count() == 0
    assert save(opened)["flow"][0]["question"][0]["params"]["data"]["bot"] == "ventas"


def test_a_long_instruction_is_told_with_its_length(opened):
    opened.get_by_label("Instruction").fill("x" * 1001)
    assert opened.get_by_text(TEXTS["salesbot"]["instruction_wrong"].replace("{count}", "1001")).is_visible()


def test_the_settings_window_says_where_the_widget_is_connected(opened):
    about = opened.locator("#window p").all_inner_texts()
    assert about[:2] == ["Hecho para Acme.", "Versión 1.0.0, conectado a bridge.example.com."]
    assert about[2:] == [TEXTS["settings"]["next"], TEXTS["settings"]["update"]]


def test_the_step_that_is_saved_in_a_browser_leaves_by_the_bots_exit_or_by_the_status(opened):
    flow = parse_flow(save(opened)["flow"])
    for data, code in (({"exit": "fail", "status": "success"}, "fail"), ({"status": "handoff"}, "handoff")):
        machine = Machine(flow, Values({"lead.id": "71"}))
        machine.start()
        left = [effect.code for effect in machine.take_continue(data, ()) if isinstance(effect, Left)]
        assert left == [code]
