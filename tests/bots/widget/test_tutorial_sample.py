"""Kommo's tutorial ends with a sample widget. Rebuilt here with its traps, it has to be judged as it would fare.

Its manifest names a tour picture and a logo that nobody ships, its script calls a function that it never defines, and
the shorter fragment of a manifest further up is no JSON. Source: protocol §3.1, §4.3.
"""

import json

import pytest

from bots.widget import check_widget
from bots.widget.scripts import code_of, undefined_calls
from tests.bots.widget.zips import files_of, our_zip, zip_of

MANIFEST = {
    "widget": {
        **{key: f"widget.{key}" for key in ("name", "description", "short_description")},
        "version": "1.0.1",
        "interface_version": 2,
        "init_once": True,
        "locale": ["en"],
        "installation": True,
        "support": {"link": "https://www.example.com", "email": "[email protected]"},
    },
    "locations": ["salesbot_designer"],
    "tour": {
        "is_tour": True,
        "tour_images": {"en": ["/images/tour_1_en.png"]},
        "tour_description": "widget.tour_description",
    },
    "settings": {
        "login": {"name": "settings.login", "type": "text", "required": False},
        "password": {"name": "settings.password", "type": "text", "required": False},
    },
    "salesbot_designer": {
        "logo": "/widgets/my_widget/images/image.jpg",
        "handler_name": {
            "name": "salesbot.handler_name",
            "settings": {"text": {"name": "salesbot.text", "default_value": "", "type": "text", "manual": True}},
        },
    },
}
TEXTS = {
    "widget": dict.fromkeys(("name", "short_description", "description", "tour_description"), "A sample"),
    "settings": {"login": "Login", "password": "Password"},
    "salesbot": {"handler_name": "Handler", "text": "Text", "message": "Message"},
}
SCRIPT = """
define(['jquery'], function ($) {
  return function CustomWidget() {
    const createStep = (handlers) => ({ question: handlers, require: [] });
    this.callbacks = {
      settings: () => {}, init: () => true, bind_actions: () => true, render: () => true,
      onSalesbotDesignerSave: (_code, params) => {
        const url = params?.text || '';
        const first = createStep([{ handler: 'widget_request', params: { url, data: { from: 'widget' } } }]);
        return JSON.stringify([first, createConditionStep()]);
      },
      destroy: () => {}, onSave: () => true,
    };
    return this;
  };
});
"""


def sample(**more: bytes) -> bytes:
    logos = {name: content for name, content in files_of(our_zip()).items() if name.startswith("images/logo")}
    own = {"manifest.json": json.dumps(MANIFEST), "script.js": SCRIPT, "i18n/en.json": json.dumps(TEXTS)}
    return zip_of({name: text.encode() for name, text in own.items()} | logos | more)


def test_the_sample_is_refused_for_its_picture_and_warned_of_for_its_script():
    found = check_widget(sample())
    assert [(str(one), one.is_warning) for one in found] == [
        (
            "manifest.json: tour.tour_images.en must list pictures of the zip, unlike /images/tour_1_en.png; "
            "add the file or correct the path.",
            False,
        ),
        (
            "manifest.json: salesbot_designer.logo should name a picture of the zip, unlike "
            "/widgets/my_widget/images/image.jpg; add the file or leave logo out.",
            True,
        ),
        (
            "script.js: must have the callback salesbotDesignerSettings, or the designer fails with \"reading 'id'\"; "
            "let it return {exits: [{code, title}]}.",
            True,
        ),
        (
            "script.js: must define what it calls, unlike createConditionStep(); "
            "define it, or the callback that calls it fails.",
            True,
        ),
    ]


def test_with_its_picture_kommo_would_take_the_sample():
    picture = files_of(our_zip())["images/tour_en.png"]
    found = check_widget(sample(**{"images/tour_1_en.png": picture}))
    assert found
    assert all(one.is_warning for one in found)


def test_the_fragment_with_comments_is_told_where_it_stops_being_json():
    fragment = b'{\n  "salesbot_designer": {\n    "manual": true, // true: the user types\n  }\n}'
    [first, *_] = check_widget(sample(**{"manifest.json": fragment}))
    assert str(first) == (
        "manifest.json: must be JSON, and line 3, column 21 is not (Expecting property name enclosed in double "
        "quotes); correct it there, without comments and trailing commas."
    )


CALLS = [
    pytest.param("nowhere();", ("nowhere",), id="never defined"),
    pytest.param("nowhere(); again(); nowhere();", ("nowhere", "again"), id="two of them, once each"),
    pytest.param("function here() {} here();", (), id="a declaration"),
    pytest.param("here(); var here = function () {};", (), id="assigned later"),
    pytest.param("const { here } = this; here();", (), id="taken out of an object"),
    pytest.param("require(['a'], (here) => here());", (), id="a parameter"),
    pytest.param("this.nowhere(); $.nowhere(); self?.nowhere();", (), id="methods"),
    pytest.param("class A { here(a) { return 1; } }", (), id="a method's definition"),
    pytest.param("x = { async here() { await fetch('/'); } };", (), id="a shorthand method"),
    pytest.param("if (a) { while (b) {} } return (c);", (), id="words of the language"),
    pytest.param("// nowhere()\n/* nowhere() */ 'nowhere()' + \"nowhere()\" + `nowhere()`", (), id="no code"),
    pytest.param("x = /nowhere()/.test(y) || /[/]nowhere()/g", (), id="inside a pattern"),
    pytest.param("a = b / nowhere() / c;", ("nowhere",), id="between divisions"),
    pytest.param("`${`x`} ${ {a: 1} }`; nowhere();", ("nowhere",), id="behind nested templates"),
    pytest.param("'it\\'s'; nowhere();", ("nowhere",), id="behind an escaped quote"),
    pytest.param("new Widget(); String(1); ab();", (), id="classes and minified names"),
    pytest.param("/* open", (), id="a comment without end"),
]


@pytest.mark.parametrize(("script", "names"), CALLS)
def test_a_function_that_is_only_ever_called_is_undefined(script, names):
    assert undefined_calls(code_of(script)) == names
