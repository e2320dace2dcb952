"""What Kommo finds too long is sent shorter, and the customer still gets what they may choose from."""

import json

import pytest

from bots.kommo import ContinueBody, LinkButton, continue_body, plan_delivery, shorten_for, still_offered
from bots.kommo.answers import read_answer
from bots.kommo.replies import Handler
from tests.bots.kommo.samples import sample_bytes

LONG = "This is a sentence of some length. " * 40


def a_body(message: str = LONG, *values: str) -> ContinueBody:
    handlers: list[Handler] = [{"handler": "show", "params": {"type": "text", "value": value}} for value in values]
    return continue_body(status="success", message=message, outputs={"city": "Lyon"}, handlers=handlers)


@pytest.mark.parametrize(
    "error", ["TooLong", "tooLong", "too_long", "value is too long (80)", "MaxLength", "StringLength"]
)
def test_a_refused_length_halves_the_message(error: str):
    body = a_body()
    shorter = shorten_for(body, [error])
    assert shorter is not None
    message = str(shorter["data"]["message"])
    whole = str(body["data"]["message"])
    assert len(whole) * 0.3 < len(message) <= len(whole) // 2
    assert message.endswith("length. …")
    assert shorter["data"] | {"message": ""} == body["data"] | {"message": ""}


# Pieces and buttons


GOTO = {"goto": {"type": "question", "step": 4}}


def values_of(body: ContinueBody) -> list[str]:
    """Give the texts that the handlers show."""
    return [handler["params"]["value"] for handler in body["execute_handlers"] if handler["handler"] == "show"]


def test_refused_pieces_become_half_as_long_and_the_jump_stays_last():
    body = plan_delivery(LONG, origin="telegram", route=GOTO, status="success", outputs={}, chunks=True).body
    shorter = shorten_for(body, ["TooLong"])
    assert shorter is not None
    shown = values_of(shorter)
    assert len(shown) == 9
    assert max(map(len, shown)) <= 40
    assert shorter["execute_handlers"][-1] == body["execute_handlers"][-1]
    assert shorter["data"]["message"] == " ".join(shown)
    assert shown[-1].endswith("…")


@pytest.mark.parametrize("chunks", [True, False], ids=["in pieces", "whole"])
def test_refused_buttons_become_a_list_that_is_shown_as_text(*, chunks: bool):
    plan = plan_delivery(
        "Which day?", status="success", outputs={}, origin="telegram", buttons=["Today", "Tomorrow"], chunks=chunks
    )
    shorter = shorten_for(plan.body, ["TooLong"])
    assert shorter is not None
    assert shorter["execute_handlers"] == [
        {"handler": "show", "params": {"type": "text", "value": "Which day?\n\n1. Today\n2. Tomorrow"}}
    ]
    assert shorter["data"] == {"status": "success", "message": "Which day?\n\n1. Today\n2. Tomorrow", "show": "0"}
    assert still_offered(shorter, plan.offered) == ["Today", "Tomorrow"]


def test_a_refused_link_is_written_out():
    plan = plan_delivery(
        "Here.", status="success", outputs={}, origin="telegram", links=[LinkButton("Prices", "https://a.example/p")]
    )
    shorter = shorten_for(plan.body, ["TooLong"])
    assert shorter is not None
    assert values_of(shorter) == ["Here.\n\nPrices: https://a.example/p"]


def test_of_a_text_with_a_list_the_text_is_cut_and_the_list_stays():
    plan = plan_delivery(LONG, status="success", outputs={}, origin="", buttons=["Today", "Tomorrow"])
    shorter = shorten_for(plan.body, ["TooLong"])
    assert shorter is not None
    message = str(shorter["data"]["message"])
    assert message.endswith(" …\n\n1. Today\n2. Tomorrow")
    assert len(message) <= len(plan.text) // 2
    assert still_offered(shorter, plan.offered) == ["Today", "Tomorrow"]


def test_a_list_without_room_goes_and_nothing_is_offered_any_more():
    buttons = [f"Answer number {number}" for number in range(20)]
    plan = plan_delivery("Which of these?", status="success", outputs={}, origin="", buttons=buttons)
    shorter = shorten_for(plan.body, ["TooLong"])
    assert shorter is not None
    assert still_offered(shorter, plan.offered) == []


@pytest.mark.parametrize("errors", [[], ["InvalidType"], ["NotSupportedChoice", "unknown field"], [""]])
def test_another_reason_shortens_nothing(errors: list[str]):
    assert shorten_for(a_body(), errors) is None


@pytest.mark.parametrize("message", ["", "x", "ab"])
def test_nothing_left_to_cut_gives_nothing(message: str):
    assert shorten_for(a_body(message), ["TooLong"]) is None


def test_shortening_leaves_the_given_body_alone():
    body = a_body(LONG, "word " * 30)
    before = json.dumps(body)
    assert shorten_for(body, ["TooLong"]) is not None
    assert json.dumps(body) == before


def test_shortening_again_and_again_comes_to_an_end():
    body: ContinueBody | None = a_body(LONG, *["word " * 30] * 10)
    for _ in range(20):
        body = shorten_for(body, ["TooLong"]) if body else None
    assert body is None


def test_the_recorded_refusal_counts_as_one_of_length():
    answer = read_answer(400, {}, sample_bytes("11-continue-error-too-long.json"), access_token="t")
    assert shorten_for(a_body(), answer.codes) is not None
