"""Buttons and links: what a model is asked for, and what of its proposals a customer may see."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm import BotConfig
from llm.offers import BUTTON_CHARS_MAX, BUTTONS_MAX
from llm.structured import FORM_KEYS, Reading, Unusable, read_answer, reply_schema
from tests.llm.asking import a_choice, a_config, a_link, answer
from tests.stubs.llm import LlmStub

PRICES = a_link("Price list", "https://acme.test/planted-prices", description="when they ask what things cost")
MAP = a_link("Map", "https://acme.test/planted-map")
SHOWROOM = a_config(offers_buttons=True, links=(PRICES, MAP))
PLANTED = "planted 4111"
FREE_TEXT = st.text(st.characters(), max_size=90)  # lone surrogates too
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | FREE_TEXT | st.sampled_from(["Map", " PRICE \n list"]),
    lambda inner: st.lists(inner, max_size=14) | st.dictionaries(st.sampled_from(["text", "title", "url"]), inner),
    max_leaves=30,
)


def a_form(**parts: Any) -> str:
    return json.dumps({"text": "Which one?", "outcome": "success"} | parts)


def read(config: BotConfig = SHOWROOM, **parts: Any) -> Reading:
    return read_answer(a_form(**parts), config=config)


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_the_schema_asks_for_both_and_requires_them() -> None:
    schema = reply_schema(SHOWROOM)
    assert schema["required"] == ["text", "outcome", "buttons", "links"]
    assert schema["properties"]["buttons"]["items"] == {"type": "string"}
    assert schema["properties"]["links"]["items"] == {"type": "string", "enum": ["Price list", "Map"]}
    assert "planted" not in json.dumps(schema)


@pytest.mark.parametrize(
    ("config", "key"),
    [
        (a_config(links=(MAP,)), "buttons"),
        (a_config(offers_buttons=True), "links"),
        (a_config(links=(a_link(" \n"),)), "links"),
    ],
    ids=["no buttons", "no links", "a link without text"],
)
def test_the_schema_does_not_ask_for_what_the_bot_does_not_offer(config: BotConfig, key: str) -> None:
    assert key not in reply_schema(config)["properties"]


@pytest.mark.parametrize(
    ("proposed", "buttons"),
    [
        pytest.param(["Red", "Blue"], ("Red", "Blue"), id="a list"),
        pytest.param([], (), id="an empty list"),
        pytest.param(None, (), id="null"),
        pytest.param("", (), id="an empty text"),
        pytest.param("Red", ("Red",), id="one text alone"),
        pytest.param([{"text": "Red"}, {"title": "Blue"}], ("Red", "Blue"), id="objects"),
        pytest.param({"text": "Red"}, ("Red",), id="one object alone"),
        pytest.param([2, 3], ("2", "3"), id="numbers"),
        pytest.param([" Dark\n\t red\u00a0 "], ("Dark red",), id="gaps and lines"),
        pytest.param(["R\x00e\x1bd", "\ud83dBlue"], ("Red", "Blue"), id="control characters and half an emoji"),
        pytest.param(["👨‍👩‍👧 Family"], ("👨‍👩‍👧 Family",), id="an emoji of several characters"),
        pytest.param(["x" * 80, "😀" * 40], ("x" * 80, "😀" * 40), id="as long as may be"),
        pytest.param([str(n) for n in range(10)], tuple("0123456789"), id="as many as may be"),
    ],
)
def test_buttons_are_read_leniently(proposed: Any, buttons: tuple[str, ...]) -> None:
    reading = read(buttons=proposed)
    assert (reading.text, reading.buttons, reading.remark) == ("Which one?", buttons, "")


@pytest.mark.parametrize(
    ("proposed", "buttons", "why"),
    [
        pytest.param(["Red", "RED", " red "], ("Red",), "said twice", id="the same in other case"),
        pytest.param(["Red", "", " ", "\u200b"], ("Red",), "without text", id="blanks"),
        pytest.param(["Red", None, True, 1.5, ["Blue"], {"url": "x"}], ("Red",), "without text", id="other kinds"),
        pytest.param(True, (), "without text", id="a boolean"),
        pytest.param(["x" * 81, "Red"], ("Red",), "longer than 80", id="too long"),
        pytest.param(["😀" * 41], (), "longer than 80", id="too long in UTF-16"),
        pytest.param([str(n) for n in range(12)], tuple("0123456789"), "more than 10", id="too many"),
        pytest.param(["See https://evil.test", "Red"], ("Red",), "an address", id="an address"),
    ],
)
def test_a_button_that_cannot_be_shown_is_dropped_and_said(proposed: Any, buttons: tuple[str, ...], why: str) -> None:
    reading = read(buttons=proposed)
    assert reading.buttons == buttons
    assert f"Buttons were dropped: {why}" in reading.remark


@pytest.mark.parametrize(
    ("chosen", "urls"),
    [
        pytest.param(["Map", "Price list"], (MAP.url, PRICES.url), id="in the order of the answer"),
        pytest.param(["price  LIST"], (PRICES.url,), id="in other case"),
        pytest.param([{"text": "Map", "url": "https://evil.test"}], (MAP.url,), id="an object with an address"),
        pytest.param("Map", (MAP.url,), id="one text alone"),
        pytest.param([], (), id="an empty list"),
        pytest.param(None, (), id="null"),
    ],
)
def test_a_link_is_chosen_by_its_text_and_leads_where_the_owner_said(chosen: Any, urls: tuple[str, ...]) -> None:
    reading = read(links=chosen)
    assert tuple(link.url for link in reading.links) == urls
    assert reading.remark == ""


@pytest.mark.parametrize(
    "chosen",
    [["https://evil.test"], ["Free money"], [PRICES.url], [{"url": MAP.url}], [1], {"Map": MAP.url}, True],
    ids=["an address", "another text", "the owner's address", "an address in an object", "a number", "a table", "true"],
)
def test_what_is_no_text_of_a_declared_link_opens_nothing(chosen: Any) -> None:
    reading = read(links=chosen)
    assert reading.links == ()
    assert reading.remark.startswith("Links were dropped: ")


def test_a_link_is_offered_once() -> None:
    reading = read(links=["Map", "MAP"])
    assert reading.links == (MAP,)
    assert "said twice" in reading.remark


def test_a_remark_never_quotes_what_was_dropped() -> None:
    reading = read(buttons=[PLANTED * 9, PLANTED, PLANTED], links=[PLANTED])
    assert reading.remark
    assert PLANTED not in reading.remark


@pytest.mark.parametrize(("outcome", "text"), [("silent", "Hi"), ("handoff", " ")], ids=["silent", "blank"])
def test_nothing_is_offered_without_words(outcome: str, text: str) -> None:
    reading = read(outcome=outcome, text=text, buttons=["Red"], links=["Map"])
    assert (reading.text, reading.buttons, reading.links) == ("", (), ())


def test_a_handoff_with_words_may_offer_too() -> None:
    reading = read(outcome="handoff", buttons=["Call me"], links=["Map"])
    assert (reading.buttons, reading.links) == (("Call me",), (MAP,))


def test_a_bot_that_offers_nothing_gets_nothing() -> None:
    reading = read(a_config(), buttons=["Red"], links=["Map"])
    assert (reading.text, reading.buttons, reading.links) == ("Which one?", (), ())
    assert "Buttons were dropped" in reading.remark
    assert "Links were dropped" in reading.remark


@given(form=st.dictionaries(st.sampled_from(sorted(FORM_KEYS)), ANYTHING), buttons=ANYTHING, links=ANYTHING)
def test_whatever_a_model_proposes_buttons_and_links_hold_their_limits(
    form: dict[str, Any], buttons: Any, links: Any
) -> None:
    said = json.dumps({"text": "Which one?"} | form | {"buttons": buttons, "links": links})
    try:
        reading = read_answer(said, config=SHOWROOM)
    except Unusable:
        return
    assert len(reading.buttons) <= BUTTONS_MAX
    assert len({button.casefold() for button in reading.buttons}) == len(reading.buttons)
    for button in reading.buttons:
        button.encode()  # no half of an emoji
        assert 1 <= units(button) <= BUTTON_CHARS_MAX
        assert button == " ".join(button.split())
        assert not {chr(code) for code in [*range(32), *range(127, 160)]} & set(button)
    assert set(reading.links) <= {PRICES, MAP}
    assert len(set(reading.links)) == len(reading.links)
    assert reading.text or not (reading.buttons or reading.links)


@given(
    said=st.text(st.sampled_from('{}[]":,\\ ab') | st.characters(), max_size=200),
    key=st.sampled_from(sorted(FORM_KEYS)),
)
def test_a_broken_form_never_reaches_the_customer(said: str, key: str) -> None:
    try:
        reading = read_answer(f'{{"{key}": {said}', config=SHOWROOM)
    except Unusable:
        return
    assert not reading.text.startswith(f'{{"{key}"')


def test_buttons_and_links_come_through_a_socket_and_no_address_goes_out(stub: LlmStub) -> None:
    stub.reply = a_form(buttons=["Red", "Blue", "red"], links=["Map"])
    reply = answer(a_config(a_choice(stub.url), offers_buttons=True, links=(PRICES, MAP)))
    assert (reply.text, reply.buttons, reply.links) == ("Which one?", ("Red", "Blue"), (MAP,))
    assert "Buttons were dropped: said twice." in reply.calls[0].error_text
    asked = stub.requests[0].body
    assert asked["response_format"]["json_schema"]["schema"] == reply_schema(SHOWROOM)
    assert "when they ask what things cost" in stub.requests[0].messages[0]["content"]
    assert "planted" not in json.dumps(asked)


def test_a_model_that_knows_only_tools_proposes_them_too(stub: LlmStub) -> None:
    stub.reply, stub.behaviour = a_form(buttons=["Red"], links=["Price list"]), "reply-tool"
    reply = answer(a_config(a_choice(stub.url, model="gpt-3.5-turbo"), offers_buttons=True, links=(PRICES,)))
    assert (reply.buttons, reply.links) == (("Red",), (PRICES,))


@pytest.mark.parametrize(
    ("model", "behaviours"),
    [("our-own-llama", ["ok"]), ("gpt-4o-mini", ["no-schema", "ok"])],
    ids=["a model that nobody knows", "a server that refuses the form"],
)
def test_a_model_that_is_asked_for_plain_words_offers_nothing(stub: LlmStub, model: str, behaviours: list[str]) -> None:
    stub.reply = a_form(buttons=["Red"], links=["Map"])
    stub.script(behaviours)
    reply = answer(a_config(a_choice(stub.url, model=model), offers_buttons=True, links=(MAP,)))
    assert (reply.text, reply.buttons, reply.links) == ("Which one?", (), ())
    assert "`buttons`" not in stub.requests[-1].messages[0]["content"]
