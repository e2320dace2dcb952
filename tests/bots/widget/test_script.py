"""script.js, unchanged as in the zip, in a host that is not Kommo's: Node."""

import functools
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bots.kommo import parse_data
from bots.widget import LOCALES
from sandbox.salesbot.effects import Ended, Left, Listening, Requested, Shown
from sandbox.salesbot.flows import exit_codes, parse_flow
from sandbox.salesbot.handlers import Goto, Handler, Jump
from sandbox.salesbot.interpreter import Machine
from sandbox.salesbot.placeholders import Values
from sandbox.widget import salesbot_flow_json, widget_flow_json
from tests.bots.widget.zips import HOOK_URL, files_of, our_zip
from tests.conftest import do_without

HOST = Path(__file__).parent / "host.js"
EXITS = ["success", "handoff", "silent", "fail"]
FILES = files_of(our_zip(hosts="amocrm", version="1.2.3"))
SCRIPT = FILES["script.js"].decode()
STEP, WINDOW = {"$": "step"}, {"$": "window"}
ENTITIES = ["lead", "leads", "customer", "customers"]
FIXED = {"lead.id": "71", "customer.id": "72", "contact.id": "73", "origin": "waba"}

Play = Callable[..., dict[str, Any]]


def texts_of(locale: str) -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = json.loads(FILES[f"i18n/{locale}.json"])
    return texts


@pytest.fixture(scope="module")
def play() -> Play:
    """Give a function that loads script.js in Node, makes some calls and tells what happened."""
    node = shutil.which("node")
    if node is None:
        do_without("Node is not installed (make system)")

    @functools.cache
    def told(scenario: str) -> str:
        done = subprocess.run([node, str(HOST)], input=scenario, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout

    def play(*calls: list[Any], script: str = SCRIPT, **scenario: Any) -> dict[str, Any]:
        asked = {"script": script, "texts": texts_of("en"), "entity": "lead", "i18n": "function", "calls": calls}
        happened: dict[str, Any] = json.loads(told(json.dumps(asked | scenario)))
        return happened

    return play


@pytest.fixture(scope="module")
def saved(play: Play) -> Callable[..., Any]:
    """Give a function that saves the step and returns its flow."""

    def saved(params: Any = None, **scenario: Any) -> Any:
        [result] = play(["onSalesbotDesignerSave", "answer", params], **scenario)["results"]
        assert "error" not in result, result
        return json.loads(result["value"])

    return saved


@pytest.fixture(scope="module")
def refused(play: Play) -> Callable[..., str]:
    """Give a function that tries to save the step and returns why it couldn't."""

    def refused(params: Any, **scenario: Any) -> str:
        told = play(["onSalesbotDesignerSave", "answer", params], **scenario)
        [result] = told["results"]
        assert "value" not in result, result
        texts = scenario.get("texts") or texts_of("en")
        assert told["told"] == [{"header": texts["salesbot"]["not_saved"], "text": result["error"]}]
        return str(result["error"])

    return refused


# what Kommo calls


def test_every_callback_that_kommo_calls_is_there_and_lets_it_go_on(play):
    told = play(
        ["render"],
        ["init"],
        ["bind_actions"],
        ["settings", WINDOW],
        ["onInstall"],
        ["onSave", {"active": "Y"}],
        ["destroy"],
    )
    assert [result.get("value") for result in told["results"]] == [True, True, True, True, True, True, None]
    assert {"onSalesbotDesignerSave", "salesbotDesignerSettings"} < set(told["callbacks"])


@pytest.mark.parametrize("locale", LOCALES["amocrm"])
@pytest.mark.parametrize("i18n", ["function", "langs"])
def test_the_exits_are_declared_in_the_language_of_the_page(play, locale, i18n):
    told = play(["salesbotDesignerSettings", STEP, None, {}], texts=texts_of(locale), i18n=i18n)
    titles = texts_of(locale)["salesbot"]
    assert told["results"][0]["value"] == {"exits": [{"code": code, "title": titles[code]} for code in EXITS]}


@pytest.mark.parametrize("texts", [{}, {"salesbot": None}, {"salesbot": "salesbot"}, {"salesbot": {"fail": ""}}])
def test_without_a_translation_the_exits_speak_english(play, texts):
    told = play(["salesbotDesignerSettings", STEP, None, {}], texts=texts)
    titles = [one["title"] for one in told["results"][0]["value"]["exits"]]
    assert titles == [texts_of("en")["salesbot"][code] for code in EXITS]


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param({"i18n": "none"}, id="no i18n"),
        pytest.param({"i18n": "function", "texts": None}, id="an i18n that throws"),
        pytest.param({"jquery": False}, id="no jQuery"),
        pytest.param({"entity": None}, id="no APP"),
    ],
)
def test_whatever_the_page_lacks_the_exits_are_declared_and_the_step_is_saved(play, scenario):
    calls = (
        ["salesbotDesignerSettings", STEP, None, None],
        ["onSalesbotDesignerSave", "answer", None],
        ["settings", WINDOW],
    )
    told = play(*calls, **scenario)
    declared, saved, _ = told["results"]
    assert [one["code"] for one in declared["value"]["exits"]] == EXITS
    assert exit_codes(parse_flow(saved["value"])) == tuple(EXITS)


@pytest.mark.parametrize("body", [None, 7, "text", {}, {"$": "nothing"}])
def test_a_form_that_is_built_otherwise_costs_the_hints_alone(play, body):
    told = play(["salesbotDesignerSettings", body, None, {"bot": "a b"}])
    assert [one["code"] for one in told["results"][0]["value"]["exits"]] == EXITS


# what it asks us


@pytest.mark.parametrize("entity", ENTITIES)
def test_the_request_says_whose_conversation_it_is(saved, entity):
    who = (
        {"entity": "customer", "customer_id": "{{customer.id}}"}
        if entity.startswith("customer")
        else {"entity": "lead", "lead_id": "{{lead.id}}"}
    )
    request = saved({}, entity=entity)[0]["question"][0]
    assert request["handler"] == "widget_request"
    assert request["params"] == {
        "url": HOOK_URL,
        "data": {
            "message": "{{message_text}}",
            "contact_id": "{{contact.id}}",
            "talk_id": "{{talk_id}}",
            "origin": "{{origin}}",
            "widget": "1.2.3",
            **who,
        },
    }


@pytest.mark.parametrize("entity", [None, "!", "", "contacts", "customers_segments"])
def test_where_the_page_doesnt_say_it_is_about_a_lead(saved, entity):
    assert saved({}, entity=entity)[0]["question"][0]["params"]["data"]["lead_id"] == "{{lead.id}}"


def data_of(flow: Any) -> dict[str, str]:
    data: dict[str, str] = flow[0]["question"][0]["params"]["data"]
    return data


@pytest.mark.parametrize(
    ("params", "bot", "instruction"),
    [
        pytest.param(None, None, None, id="no params"),
        pytest.param([], None, None, id="a list, as PHP writes an empty object"),
        pytest.param("bot", None, None, id="a text"),
        pytest.param({"bot": None, "instruction": False}, None, None, id="values that are no texts"),
        pytest.param({"bot": " sales ", "instruction": "\n"}, "sales", None, id="blanks around"),
        pytest.param({"bot": 7}, "7", None, id="a number"),
        pytest.param({"bot": {"value": "sales"}}, "sales", None, id="a value in an object"),
        pytest.param({"bot": "sales", "instruction": "Be brief."}, "sales", "Be brief.", id="both"),
        pytest.param({"bot": "{{lead.cf.123}}"}, "{{lead.cf.123}}", None, id="a slug that Kommo fills in"),
        pytest.param({"bot": "", "value_manual": "sales"}, "sales", None, id="a slug gone astray"),
        pytest.param({"value_manual": "Be brief."}, None, "Be brief.", id="an instruction gone astray"),
        pytest.param(
            {"bot": "sales", "value_manual": "Be brief."}, "sales", "Be brief.", id="one in place, one astray"
        ),
        pytest.param({"bot": "sales", "value_manual": "sales"}, "sales", None, id="the same text twice"),
        pytest.param({"value_manual": "true"}, None, None, id="a switch of Kommo's own"),
        pytest.param({"bot": "a", "instruction": "b", "value_manual": "c"}, "a", "b", id="nowhere to go"),
    ],
)
def test_the_steps_settings_reach_the_bridge(saved, params, bot, instruction):
    data = data_of(saved(params))
    assert (data.get("bot"), data.get("instruction")) == (bot, instruction)


def test_what_the_step_sends_is_what_the_bridge_reads(saved):
    flow = saved({"bot": "sales", "instruction": "Ask for the size."}, entity="leads")
    machine = Machine(parse_flow(flow), Values({"lead.id": "71", "contact.id": "73", "origin": "waba"}, "Hi 😀"))
    [asked] = [effect for effect in machine.start() if isinstance(effect, Requested)]
    read = parse_data(dict(asked.data))
    assert (read.message, read.bot, read.instruction) == ("Hi 😀", "sales", "Ask for the size.")
    assert (read.lead_id, read.contact_id, read.talk_id, read.origin) == ("71", "73", "", "waba")
    assert (read.widget, read.extra) == ("1.2.3", {"entity": "lead"})


# what a wrong field leads to


@pytest.mark.parametrize("locale", LOCALES["amocrm"])
@pytest.mark.parametrize("slug", ["two words", "ventas/es", "привет", "x" * 61, "{{lead.id}} x"])
def test_a_slug_of_the_wrong_form_isnt_saved_and_the_page_says_why(refused, locale, slug):
    texts = texts_of(locale)
    assert refused({"bot": slug}, texts=texts) == texts["salesbot"]["bot_wrong"]


def test_an_instruction_may_have_1000_characters_emoji_count_as_one(saved, refused):
    assert data_of(saved({"instruction": "😀" * 1000}))["instruction"] == "😀" * 1000
    assert refused({"instruction": "😀" * 1001}) == texts_of("en")["salesbot"]["instruction_wrong"].replace(
        "{count}", "1001"
    )


def test_a_step_over_64_kb_isnt_saved(saved, refused):
    spare = 65_536 - len(json.dumps(saved({}), separators=(",", ":")))
    fits, over = (SCRIPT.replace(HOOK_URL, HOOK_URL + "x" * more) for more in (spare, spare + 1))
    assert len(json.dumps(saved({}, script=fits), separators=(",", ":"))) == 65_536
    assert refused({}, script=over) == texts_of("en")["salesbot"]["too_large"].replace("{count}", "65537")


def test_the_64_kb_are_bytes_and_not_characters(saved, refused):
    text = "ñ€😀"
    spare = 65_536 - len(json.dumps(saved({"instruction": text}), separators=(",", ":"), ensure_ascii=False).encode())
    assert saved({"instruction": text}, script=SCRIPT.replace(HOOK_URL, HOOK_URL + "x" * spare))
    assert refused({"instruction": text}, script=SCRIPT.replace(HOOK_URL, HOOK_URL + "x" * (spare + 1)))


def test_the_form_tells_at_once_what_is_wrong_and_takes_it_back(play):
    told = play(
        ["salesbotDesignerSettings", STEP, None, {}],
        type={"bot": ["sales", "two words", ""], "instruction": ["ok", "x" * 1001, "x" * 1000]},
    )
    texts = texts_of("en")["salesbot"]
    assert told["typed"] == {
        "bot": ["", texts["bot_wrong"], ""],
        "instruction": ["", texts["instruction_wrong"].replace("{count}", "1001"), ""],
    }


def test_a_saved_mistake_is_told_when_the_form_opens_and_only_once(play):
    opened = ["salesbotDesignerSettings", STEP, None, {"bot": "two words"}]
    assert play(opened, opened, opened)["form"] == texts_of("en")["salesbot"]["bot_wrong"]


def test_hints_find_a_place_even_when_the_fields_have_other_names(play):
    told = play(["salesbotDesignerSettings", STEP, None, {"bot": "two words"}], fields=["x"])
    assert told["form"] == texts_of("en")["salesbot"]["bot_wrong"]


def test_the_settings_window_says_what_is_installed_and_what_comes_next(play):
    script = files_of(our_zip(account_name='<img src="x" onerror="alert(1)">', version="1.2.3"))["script.js"].decode()
    told = play(["settings", WINDOW], ["settings", WINDOW], script=script)
    texts = texts_of("en")["settings"]
    assert told["window"].split("\n") == [
        'Built for <img src="x" onerror="alert(1)">.',
        "Version 1.2.3, connected to bridge.example.com.",
        texts["next"],
        texts["update"],
    ]


def test_a_widget_without_an_accounts_name_doesnt_mention_one(play):
    script = files_of(our_zip(account_name=""))["script.js"].decode()
    assert play(["settings", WINDOW], script=script)["window"].startswith("Version 1.0.0, connected to ")


@pytest.mark.parametrize(
    "word",
    [
        r"\beval\b",
        r"new Function",
        r"innerHTML",
        r"\.html\(",
        "XMLHttp",
        "fetch",
        "ajax",
        "=>",
        r"\$\{",
        r"\b(let|const|class)\b",
    ],
)
def test_the_script_needs_no_build_runs_no_text_and_calls_nobody(word):
    assert re.findall(word, SCRIPT.replace('class="kommobridge-', "")) == []


# how the step runs


def run(source: Any, data: dict[str, Any], message: str = "Hello", *, handlers: tuple[Handler, ...] = ()) -> list[Any]:
    """Run a whole Salesbot around a Widget step: one message, one continue; give what happened after the request."""
    salesbot = salesbot_flow_json(greeting="", widget_source=source, codes=EXITS)
    machine = Machine(parse_flow(salesbot), Values(FIXED))
    machine.start()
    before = machine.take_message(message)
    assert any(isinstance(effect, Requested) and effect.url == HOOK_URL for effect in before)
    return machine.take_continue(data, handlers)


def seen(effects: list[Any]) -> tuple[list[str], list[str], bool]:
    """Give what the customer read, by which exits the step was left, and whether the Salesbot listens again."""
    shown = [effect.text for effect in effects if isinstance(effect, Shown)]
    left = [effect.code for effect in effects if isinstance(effect, Left)]
    assert not any(isinstance(effect, Ended) for effect in effects)
    return shown, left, isinstance(effects[-1], Listening)


MESSAGES = {
    "short": "Yes.",
    "81 characters": "x" * 81,
    "800 with line breaks": "Línea 😀\n" * 100,
    "4,000": "ñ" * 4000,
}


@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("status", EXITS)
@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_each_status_shows_the_message_whole_and_leaves_by_its_exit(saved, entity, status, message):
    effects = run(saved({}, entity=entity), {"status": status, "message": message, "show": "1"})
    assert seen(effects) == ([message], [status], True)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"status": "success"}, id="a status alone"),
        pytest.param({"status": "success", "show": "0"}, id="no message"),
        pytest.param({"status": "success", "show": "0", "message": ""}, id="an empty message"),
        pytest.param({"status": "silent", "message": "not for the customer"}, id="no word on showing"),
        pytest.param({"status": "handoff", "show": "", "message": "x"}, id="show empty"),
        pytest.param({"status": "handoff", "show": "true", "message": "x"}, id="show as a word"),
        pytest.param({"status": "success", "show": "0", "message": "{{json.x}}"}, id="braces that aren't shown"),
    ],
)
def test_without_show_the_customer_reads_nothing_least_of_all_braces(saved, data):
    shown, left, listens = seen(run(saved({}), data))
    assert (shown, listens) == ([], True)
    assert left == [data.get("status", "fail")]


@pytest.mark.parametrize("status", ["wonderful", "", "SUCCESS", "{{json.status}}"])
@pytest.mark.parametrize("show", ["0", "1"])
def test_an_unknown_status_leaves_by_fail(saved, status, show):
    shown, left, _ = seen(run(saved({}), {"status": status, "show": show, "message": "Hello"}))
    assert (shown, left) == (["Hello"] if show == "1" else [], ["fail"])


@pytest.mark.parametrize("status", [*EXITS, "odd", None])
@pytest.mark.parametrize("show", ["1", "0", None])
@pytest.mark.parametrize("message", ["Hello", "", None])
def test_it_runs_as_the_sandboxs_own_widget_does(saved, status, show, message):
    data = {
        key: value for key, value in {"status": status, "show": show, "message": message}.items() if value is not None
    }
    theirs = run(widget_flow_json(HOOK_URL, {"message": "{{message_text}}"}), data)
    assert seen(run(saved({}), data)) == seen(theirs)


@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("status", EXITS)
@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize(("show", "message"), [("1", "Hello"), ("0", "Hello"), ("0", "")])
def test_an_answer_that_jumps_into_the_flow_shows_what_is_to_be_shown_and_nothing_else(
    saved, entity, status, step, show, message
):
    jump = Goto(Jump("question", step))
    effects = run(saved({}, entity=entity), {"status": status, "show": show, "message": message}, handlers=(jump,))
    assert seen(effects) == (["Hello"] if show == "1" else [], [status], True)


# by another exit than the outcome's own


@pytest.mark.parametrize("entity", ["lead", "customers"])
@pytest.mark.parametrize("show", ["1", "0"])
@pytest.mark.parametrize("status", [*EXITS, "odd", None])
@pytest.mark.parametrize("code", EXITS)
def test_an_exit_that_the_bot_names_comes_before_the_status(saved, entity, show, status, code):
    data = {"exit": code, "show": show, "message": "Hello"} | ({"status": status} if status else {})
    effects = run(saved({}, entity=entity), data)
    assert seen(effects) == (["Hello"] if show == "1" else [], [code], True)


@pytest.mark.parametrize("code", ["", "SUCCESS", "elsewhere", "{{json.exit}}", "1"])
@pytest.mark.parametrize("status", EXITS)
@pytest.mark.parametrize("show", ["1", "0"])
def test_an_exit_that_the_step_doesnt_have_leaves_it_to_the_status(saved, show, status, code):
    _, left, _ = seen(run(saved({}), {"exit": code, "status": status, "show": show, "message": "Hello"}))
    assert left == [status]


def test_each_way_out_of_the_flow_asks_for_the_exit_first(saved):
    for step in saved({})[1:]:
        conditions = [
            handler["params"]["conditions"][0] for handler in step["question"] if "conditions" in handler["params"]
        ]
        asked = [(one["term1"], one["term2"]) for one in conditions if one["term1"] != "{{json.show}}"]
        assert asked == [("{{json.exit}}", code) for code in EXITS] + [("{{json.status}}", code) for code in EXITS[:-1]]


def test_the_flow_takes_a_tenth_of_what_kommo_allows(saved):
    flow = saved({"bot": "x" * 60, "instruction": "x" * 1000})
    assert len(json.dumps(flow)) < 65_536 / 10
