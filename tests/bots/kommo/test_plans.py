"""How a reply travels: as data, as one show with its buttons, as a list in the text, or in pieces."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.kommo import LinkButton, Plan, channel_limit, plan_delivery
from bots.kommo.cutting import length
from bots.kommo.offers import BUTTON_LIMITS, listing
from sandbox.api.rules import parse_continue
from tests.bots.kommo.test_replies import texts_of

DAYS = ("Today", "Tomorrow")
PRICES = LinkButton("Prices", "https://shop.example/prices")
MAP = LinkButton("Map", "https://shop.example/map")
LONG = "We deliver to every part of the town, on working days and on Saturday until noon. " * 2
GOTO = {"goto": {"type": "question", "step": 4}}
JUMP = {"handler": "goto", "params": {"type": "question", "step": 4}}


def plan(message: str = "Which day?", **options: Any) -> Plan:
    return plan_delivery(message, **{"status": "success", "outputs": {}, "origin": "telegram"} | options)


def shows(given: Plan) -> list[dict[str, Any]]:
    """Give the parameters of the handlers that show something."""
    handlers = given.body.get("execute_handlers", [])
    return [handler["params"] for handler in handlers if handler["handler"] == "show"]


# without anything beside the text


def test_a_reply_alone_is_data_alone():
    assert plan("Yes, on Sunday.", outputs={"city": "Lima"}) == Plan(
        body={"data": {"status": "success", "message": "Yes, on Sunday.", "show": "1", "city": "Lima"}},
        text="Yes, on Sunday.",
        offered=(),
        was_cut=False,
    )


@pytest.mark.parametrize("size", [10, 81, 800, 4000])
def test_a_text_of_any_size_goes_whole_as_data(size: int):
    text = ("Line one.\nLine two 😀 and then some more words of the shop. " * 100)[:size].strip()
    assert plan(text).body == {"data": {"status": "success", "message": text, "show": "1"}}


@pytest.mark.parametrize("origin", ["telegram", "waba"])
@pytest.mark.parametrize("unit", ["😀", "Чай 🍵\n"], ids=["emoji alone", "emoji and line breaks"])
def test_an_emoji_counts_one_character_of_a_channels_limit(unit: str, origin: str):
    text = (unit * 4096)[:4095] + "!"
    given = plan(text, origin=origin)
    assert (given.text, given.was_cut) == (text, False)
    over = plan(f"{text}!", origin=origin)
    assert over.was_cut
    assert length(over.text) <= 4096


def test_a_list_is_counted_in_characters_too():
    text = ("Tea 🍵 " * 700)[:3999] + "!"
    given = plan(text, origin="waba", buttons=("🍵" * 10, "🍃" * 10, "🍂" * 10, "🌱"))
    assert (given.text.startswith(f"{text}\n\n1. 🍵"), given.was_cut, len(given.offered)) == (True, False, 4)


def test_a_text_over_the_channels_limit_is_cut():
    given = plan("One sentence. " * 200, origin="instagram")
    assert given.was_cut
    assert 900 < length(given.text) <= 1000
    assert given.body["data"]["message"] == given.text


# buttons and links


def test_a_short_text_goes_out_in_one_show_with_its_buttons():
    given = plan(buttons=DAYS)
    assert given.body == {
        "data": {"status": "success", "message": "Which day?", "show": "0"},
        "execute_handlers": [
            {
                "handler": "show",
                "params": {"type": "buttons", "value": "Which day?", "buttons": ["Today", "Tomorrow"]},
            }
        ],
    }
    assert (given.text, given.offered, given.was_cut) == ("Which day?", DAYS, False)


def test_a_short_text_goes_out_in_one_show_with_its_links():
    given = plan("Here.", links=[PRICES, MAP])
    assert shows(given) == [
        {
            "type": "buttons_url",
            "value": "Here.",
            "buttons": [
                {"text": "Prices", "url": "https://shop.example/prices"},
                {"text": "Map", "url": "https://shop.example/map"},
            ],
        }
    ]
    assert (given.text, given.offered, given.body["data"]["show"]) == ("Here.", (), "0")


@pytest.mark.parametrize(
    ("message", "is_tapped"),
    [("x" * 80, True), ("x" * 81, False), ("😀" * 40, True), ("😀" * 40 + "!", False)],
    ids=["80", "81", "80 by emoji", "81 by emoji"],
)
def test_only_a_text_of_80_units_comes_with_buttons(message: str, *, is_tapped: bool):
    given = plan(message, buttons=DAYS)
    assert bool(shows(given)) is is_tapped
    assert given.offered == DAYS
    assert given.text == (message if is_tapped else f"{message}\n\n1. Today\n2. Tomorrow")


@pytest.mark.parametrize(
    ("origin", "buttons", "is_tapped"),
    [
        ("waba", ("a", "b", "c"), True),
        ("waba", ("a", "b", "c", "d"), False),
        ("waba", ("a", "b" * 21), False),
        ("instagram", tuple("abcdefghijklm"), True),
        ("facebook", tuple("abcdefghijklmn"), False),
        ("telegram", tuple("abcdefghijklmnopqrstuvwxy"), True),
        ("telegram", tuple("abcdefghijklmnopqrstuvwxyz"), False),
        ("telegram", ("a" * 81, "b"), False),
        ("whatsapp", ("a", "b"), False),
        ("livechat", ("a", "b"), False),
        ("", ("a", "b"), False),
    ],
)
def test_what_a_channel_does_not_take_becomes_a_numbered_list(
    origin: str, buttons: tuple[str, ...], *, is_tapped: bool
):
    given = plan(origin=origin, buttons=buttons)
    assert given.offered == buttons
    assert given.body["data"]["show"] == ("0" if is_tapped else "1")
    assert ("execute_handlers" in given.body) is is_tapped
    if not is_tapped:
        assert given.text == "Which day?\n\n" + "\n".join(f"{n}. {label}" for n, label in enumerate(buttons, start=1))
        assert given.body["data"]["message"] == given.text


def test_answers_and_links_together_are_text():
    given = plan(buttons=DAYS, links=[PRICES])
    assert given.text == "Which day?\n\n1. Today\n2. Tomorrow\nPrices: https://shop.example/prices"
    assert (given.offered, shows(given), given.body["data"]["show"]) == (DAYS, [], "1")


def test_a_channel_without_link_buttons_gets_the_addresses():
    assert plan("Here.", origin="", links=[PRICES]).text == "Here.\n\nPrices: https://shop.example/prices"


def test_of_a_text_that_is_too_long_for_its_list_the_text_is_cut():
    given = plan("One sentence. " * 200, origin="instagram", buttons=DAYS)
    assert given.was_cut
    assert given.text.endswith(" …\n\n1. Today\n2. Tomorrow")
    assert 900 < length(given.text) <= 1000
    assert given.offered == DAYS


def test_a_list_that_does_not_fit_is_left_out_and_nothing_is_offered():
    given = plan("Which?", origin="instagram", buttons=[f"{n} " + "x" * 150 for n in range(8)])
    assert (given.text, given.offered, given.was_cut) == ("Which?", (), True)


def test_links_that_do_not_fit_leave_the_answers():
    links = [LinkButton(f"Page {n}", "https://shop.example/" + "x" * 300) for n in range(4)]
    given = plan(origin="instagram", buttons=DAYS, links=links)
    assert (given.text, given.offered, given.was_cut) == ("Which day?\n\n1. Today\n2. Tomorrow", DAYS, True)


@pytest.mark.parametrize(
    ("message", "status"), [("", "success"), (" \u200b", "handoff"), ("Hi", "silent")], ids=["empty", "blank", "silent"]
)
@pytest.mark.parametrize("chunks", [True, False], ids=["in pieces", "whole"])
def test_nothing_is_offered_below_no_text(message: str, status: str, *, chunks: bool):
    given = plan(message, status=status, buttons=DAYS, links=[PRICES], chunks=chunks)
    assert given == Plan(
        body={"data": {"status": status, "message": "", "show": "0"}}, text="", offered=(), was_cut=False
    )


# in pieces


def test_pieces_are_shown_one_after_another_and_the_message_stays():
    given = plan(LONG, chunks=True)
    texts = [shown["value"] for shown in shows(given)]
    assert [shown["type"] for shown in shows(given)] == ["text"] * 3
    assert " ".join(texts) == LONG.strip() == given.text
    assert given.body["data"] == {"status": "success", "message": LONG.strip(), "show": "0"}


def test_the_last_piece_bears_the_buttons():
    given = plan(LONG, chunks=True, buttons=DAYS)
    *before, last = shows(given)
    assert {shown["type"] for shown in before} == {"text"}
    assert (last["type"], last["buttons"]) == ("buttons", ["Today", "Tomorrow"])
    assert (given.offered, given.text) == (DAYS, LONG.strip())


def test_without_buttons_the_list_comes_in_the_last_pieces():
    given = plan(LONG, chunks=True, buttons=DAYS, origin="livechat")
    assert {shown["type"] for shown in shows(given)} == {"text"}
    assert shows(given)[-1]["value"].endswith("1. Today\n2. Tomorrow")
    assert given.text == f"{LONG.strip()}\n\n1. Today\n2. Tomorrow"


def test_of_what_does_not_fit_the_text_is_cut_and_the_list_stays_whole():
    given = plan(LONG * 10, chunks=True, buttons=DAYS, origin="livechat")
    texts = [shown["value"] for shown in shows(given)]
    assert len(texts) == 10
    assert texts[-1] == "1. Today\n2. Tomorrow"
    assert texts[-2].endswith("…")
    assert (given.was_cut, given.offered) == (True, DAYS)


def test_a_list_that_takes_all_pieces_is_left_out():
    given = plan("Which?", chunks=True, origin="", buttons=[f"{n} " + "word " * 15 for n in range(12)])
    assert ([shown["value"] for shown in shows(given)], given.offered, given.was_cut) == (["Which?"], (), True)


def test_an_address_that_no_piece_can_hold_is_left_out_and_not_torn():
    long_link = LinkButton("Map", "https://shop.example/" + "x" * 100)
    given = plan("Here.", chunks=True, origin="", links=[long_link])
    assert ([shown["value"] for shown in shows(given)], given.was_cut) == (["Here."], True)
    given = plan("Here.", chunks=True, origin="", links=[long_link, PRICES])
    assert [shown["value"] for shown in shows(given)] == ["Here.\n\nPrices: https://shop.example/prices"]
    assert given.was_cut


# ways out


@pytest.mark.parametrize("chunks", [True, False], ids=["in pieces", "whole"])
def test_a_jump_comes_last_and_has_its_place_among_ten(*, chunks: bool):
    given = plan(LONG * 10, chunks=chunks, route=GOTO)
    handlers = given.body["execute_handlers"]
    assert handlers[-1] == JUMP
    assert len(handlers) == (10 if chunks else 1)
    assert given.body["data"]["show"] == ("0" if chunks else "1")


def test_a_jump_follows_the_buttons():
    handlers = plan(buttons=DAYS, route=GOTO).body["execute_handlers"]
    assert [handler["handler"] for handler in handlers] == ["show", "goto"]


def test_another_exit_stands_beside_the_true_status():
    given = plan("A colleague comes.", status="handoff", route={"exit": "success"})
    assert given.body == {
        "data": {"status": "handoff", "message": "A colleague comes.", "show": "1", "exit": "success"}
    }


@pytest.mark.parametrize("route", [GOTO, {"exit": "fail"}], ids=["jump", "exit"])
def test_silence_leaves_by_its_route_too(route: dict[str, Any]):
    body = plan("", status="silent", route=route, chunks=True).body
    expected: dict[str, Any] = {"data": {"status": "silent", "message": "", "show": "0"}}
    if "exit" in route:
        expected["data"]["exit"] = "fail"
    else:
        expected["execute_handlers"] = [JUMP]
    assert body == expected


# whatever comes in

wild = st.text(
    st.sampled_from("{{}} ab.\n\u200b\u200d\ufe0f\u202e\x00\ud800😀🏽🇫🇷\u0301") | st.characters(), max_size=400
)
words = st.lists(st.sampled_from(["word", "{{x}}", "😀", "\n", "слово", "x" * 90]), max_size=300).map(" ".join)
labels = st.lists(wild.map(lambda text: text[:30]) | st.text(min_size=1, max_size=25), max_size=30)
addresses = st.integers(1, 500).map(lambda size: "https://a.example/" + "p" * size)
all_links = st.lists(st.builds(LinkButton, wild.map(lambda text: text[:80]), addresses), max_size=6)


@settings(max_examples=400, deadline=None)
@given(
    message=wild | words,
    buttons=labels,
    links=st.just([]) | all_links,
    origin=st.sampled_from(["", "livechat", "whatsapp", *BUTTON_LIMITS]),
    chunks=st.booleans(),
    route=st.sampled_from([None, GOTO, {"exit": "silent"}]),
    status=st.sampled_from(["success", "handoff", "silent", "fail"]),
)
def test_limits_hold_whatever_comes_in(message: str, buttons: list[str], links: list[LinkButton], **options: Any):
    given = plan(message, buttons=buttons, links=links, **options)
    body = given.body
    text = json.dumps(body, ensure_ascii=False, allow_nan=False)
    parse_continue(text.encode("utf-8"))  # the stand-in's own reading of Kommo's rules
    assert not any("{{" in part or "}}" in part for part in [*texts_of(body), given.text, *given.offered])

    handlers = body.get("execute_handlers", [])
    assert len(handlers) <= 10
    assert [handler["handler"] for handler in handlers].count("goto") == (options["route"] is GOTO)
    shown = shows(given)
    assert all(0 < len(part["value"]) <= 80 for part in shown)
    assert body["data"]["show"] == ("1" if given.text and not shown else "0")
    assert body["data"]["message"] == given.text
    assert body["data"]["status"] == options["status"]
    if not options["chunks"]:
        assert len(given.text) <= channel_limit(options["origin"])

    tapped = [part for part in shown if "buttons" in part]
    assert tapped == [part for part in shown[-1:] if "buttons" in part]
    for part in tapped:
        limits = BUTTON_LIMITS[options["origin"]]
        assert len(part["buttons"]) <= (limits.answers if part["type"] == "buttons" else limits.links)
        names = [button if isinstance(button, str) else button["text"] for button in part["buttons"]]
        assert all(0 < length(name) <= limits.chars for name in names)
    if given.offered:
        is_tapped = bool(tapped) and tuple(tapped[0]["buttons"]) == given.offered
        assert is_tapped or listing(given.offered, ()) in given.text
    if options["chunks"]:
        assert "".join("".join(part["value"] for part in shown).split()) == "".join(given.text.split())
