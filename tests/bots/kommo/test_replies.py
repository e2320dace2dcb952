"""What is sent to Kommo holds no braces that it would replace, and says what the contract names."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.kommo import channel_limit, continue_body, neutralise
from bots.kommo.replies import Handler
from tests.bots.kommo.samples import sample_json

braces_and_others = st.text(
    st.sampled_from("{}{} ab\n\u200b\u200d\ufe0f\u202e\x00\ud800😀🏽\U000e0041") | st.characters()
)


# Braces


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("{one} {two}", "{one} {two}"),
        ("{{name}}", "{ {name} }"),
        ("{{{name}}}", "{ { {name} } }"),
        ("{{{{", "{ { { {"),
        ("{}}{", "{} }{"),
        ("{\u200b{name}\u2060}", "{ {name} }"),
        ("{\x00{a}\ud800}", "{ {a}\ufffd}"),
        ("{\u200d{a}\ufe0f}", "{ {a} }"),
        ("{ {a} }", "{ {a} }"),
    ],
)
def test_of_braces_in_a_row_each_stands_alone(text: str, clean: str):
    assert neutralise(text) == clean


@settings(max_examples=1500, deadline=None)
@given(text=braces_and_others)
def test_neutralised_text_has_no_double_brace_and_stays_as_it_is(text: str):
    clean = neutralise(text)
    assert "{{" not in clean
    assert "}}" not in clean
    assert neutralise(clean) == clean
    clean.encode("utf-8")


# Characters


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\x00b\x07c\x1bd\x7fe\x9ff", "abcdef"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("a\r\nb\rc\x85d\u2028e\u2029f", "a\nb\nc\nd\ne\nf"),
        ("half \ud83d of a pair", "half \ufffd of a pair"),
        ("zero\u200bwidth\u2060 and\ufeff mark", "zerowidth and mark"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("hidden\U000e0068\U000e0069\U000e007f", "hidden"),
        ("\U0001f3f4\U000e0068\U000e0069\U000e007f", "\U0001f3f4"),
        ("variants a\ufe00 b\ufe0f \U000e0100", "variants a b "),
        ("soft\xadhyphen", "softhyphen"),
        ("word\u200djoin", "wordjoin"),
    ],
    ids=[
        "controls",
        "tab and line feed stay",
        "line breaks",
        "lone surrogate",
        "zero width",
        "direction overrides",
        "tags",
        "tags behind a flag",
        "variation selectors",
        "soft hyphen",
        "joiner between Latin letters",
    ],
)
def test_what_a_reader_does_not_see_is_taken_out(text: str, clean: str):
    assert neutralise(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧‍👦 family",
        "👩🏽‍💻 at work",
        "❤️‍🔥",
        "🏳️‍🌈 🏴‍☠️",
        "1️⃣ 2️⃣ #️⃣",
        "🇫🇷🇩🇪",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "☎️ ✈︎ ©️",
        "👍🏿",
        "می‌خواهم",
        "क्‍ष",
        "שלום\u200f!",
        "e\u0301 ñ",
        "日本語、한국어",
    ],
    ids=[
        "family",
        "skin tone and job",
        "burning heart",
        "flags by joiner",
        "keycaps",
        "flags by letters",
        "flag by tags",
        "picture or text form",
        "skin tone",
        "Persian",
        "Devanagari",
        "Hebrew with a mark",
        "accents",
        "East Asian",
    ],
)
def test_what_a_reader_does_see_stays(text: str):
    assert neutralise(text) == text


# Channels


@pytest.mark.parametrize(
    ("origin", "limit"),
    [
        ("waba", 4096),
        ("whatsapp", 4096),
        ("telegram", 4096),
        (" Telegram ", 4096),
        ("facebook", 2000),
        ("instagram", 1000),
        ("instagram_business", 1000),
        ("", 2000),
        ("livechat", 2000),
    ],
)
def test_a_channel_has_its_limit_and_an_unknown_one_a_careful_one(origin: str, limit: int):
    assert channel_limit(origin) == limit


# The body


def test_a_reply_is_data_alone():
    assert continue_body(status="success", message="Yes, on Sunday.", outputs={}) == {
        "data": {"status": "success", "message": "Yes, on Sunday.", "show": "1"}
    }


@pytest.mark.parametrize("message", ["", "  ", "\n", "\u200b", "\x00"])
def test_a_blank_message_is_not_shown(message: str):
    body = continue_body(status="silent", message=message, outputs={})
    assert body == {"data": {"status": "silent", "message": "", "show": "0"}}


def test_outputs_are_sent_beside_and_never_over_our_own_names():
    outputs: dict[str, Any] = {
        "status": "handoff",
        "message": "x",
        "show": "0",
        "exit": "fail",
        "city": "Lyon",
        "score": 0.5,
        "hot": True,
    }
    data = continue_body(status="success", message="Hi", outputs=outputs)["data"]
    assert data == {"status": "success", "message": "Hi", "show": "1", "city": "Lyon", "score": 0.5, "hot": True}


def test_another_exit_is_told_beside_the_true_status():
    data = continue_body(status="handoff", message="Hi", outputs={"exit": "fail"}, leaves_by="success")["data"]
    assert data == {"status": "handoff", "message": "Hi", "show": "1", "exit": "success"}


@pytest.mark.parametrize("name", ["", "a b", "{{x}}", "a.b", "1st", "x" * 65, "é"])
def test_an_output_that_no_placeholder_can_name_is_left_out(name: str):
    assert set(continue_body(status="success", message="Hi", outputs={name: "v"})["data"]) == {
        "status",
        "message",
        "show",
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_can_not_write_is_left_out(value: float):
    body = continue_body(status="success", message="Hi", outputs={"score": value})
    assert "score" not in body["data"]
    json.dumps(body, allow_nan=False)


def test_handlers_that_show_take_the_messages_place():
    handlers: list[Handler] = sample_json("09-continue-chunks.json")["execute_handlers"]
    body = continue_body(status="success", message="Hi", outputs={}, handlers=handlers)
    assert body["data"]["show"] == "0"
    assert body["execute_handlers"] == handlers


def test_a_handler_that_only_goes_on_leaves_the_message_to_the_widget():
    goto: Handler = {"handler": "goto", "params": {"type": "question", "step": 1}}
    body = continue_body(status="success", message="Hi", outputs={}, handlers=[goto])
    assert body["data"]["show"] == "1"


def test_at_most_ten_handlers_are_sent():
    show: Handler = {"handler": "show", "params": {"type": "text", "value": "x"}}
    assert len(continue_body(status="success", message="", outputs={}, handlers=[show] * 12)["execute_handlers"]) == 10


@pytest.mark.parametrize(
    "name", ["07-continue-data-only.json", "09-continue-chunks.json", "10-continue-documented.json"]
)
def test_what_we_build_has_the_keys_of_the_recorded_bodies(name: str):
    recorded = sample_json(name)
    handlers = recorded.get("execute_handlers", [])
    body = continue_body(status="success", message="Hi", outputs={}, handlers=handlers)
    assert set(recorded) <= set(body)
    assert [set(handler) for handler in body.get("execute_handlers", [])] == [{"handler", "params"}] * len(handlers)


def texts_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in below for text in texts_of(item)]


@settings(max_examples=300, deadline=None)
@given(
    message=braces_and_others,
    outputs=st.dictionaries(
        st.sampled_from(["a", "status", "b_2", "{{x}}"]), braces_and_others | st.floats() | st.booleans()
    ),
    shown=st.lists(braces_and_others, max_size=3),
)
def test_no_double_brace_leaves_in_any_text(message: str, outputs: dict[str, Any], shown: list[str]):
    handlers: list[Handler] = [
        {"handler": "show", "params": {"type": "buttons", "value": text, "buttons": [text, text]}} for text in shown
    ]
    body = continue_body(status="success", message=message, outputs=outputs, handlers=handlers)
    json.dumps(body, allow_nan=False, ensure_ascii=False).encode("utf-8")
    assert not any("{{" in text or "}}" in text for text in texts_of(body))
    assert ("execute_handlers" in body) == bool(handlers)
