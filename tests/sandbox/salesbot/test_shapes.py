"""Whole flows of the shapes that are met in the wild, run from their first step to their end (protocol §3, §4.7)."""

import json
from pathlib import Path

import pytest

from sandbox.salesbot.effects import Ended, Left, Requested, Shown
from sandbox.salesbot.flows import exit_codes, parse_flow
from sandbox.salesbot.interpreter import Machine, Waits
from sandbox.salesbot.placeholders import Values

SHAPES = Path(__file__).parents[1] / "shapes"
FACTS = {"lead.id": "7", "contact.name": "Anna", "origin": "telegram"}
ANSWER = {"status": "success", "reply": "We do.", "text": "We do.", "message": "We do."}


def raw(name):
    return (SHAPES / f"{name}.json").read_text(encoding="utf-8")


def inside_widget_step(name):
    """Put a widget's flow into a Widget step, as the designer does, with all its exits leading to a message."""
    codes = exit_codes(parse_flow(raw(name)))
    exits = {code: {"type": "question", "step": number + 1} for number, code in enumerate(codes)}
    step = {"handler": "widget", "params": {"widget_source": raw(name), "exits": exits}}
    ends = [{"question": [{"handler": "show", "params": {"type": "text", "value": f"exit {code}"}}]} for code in codes]
    return Machine(parse_flow([{"question": [step]}, *ends]), Values(FACTS, message_text="Do you deliver?"))


def texts(effects):
    return [effect.text for effect in effects if isinstance(effect, Shown)]


@pytest.mark.statement("S4.7.minimal")
@pytest.mark.parametrize(("status", "code"), [("success", "success"), ("other", "fail")])
def test_the_tutorials_flow_asks_and_leaves_by_the_status(status, code):
    bot = inside_widget_step("tutorial-with-exits")

    (asked,) = bot.start()
    effects = bot.take_continue({"status": status}, ())

    assert asked == Requested("https://bridge.example/hook", {"message": "Do you deliver?", "lead": "7"})
    assert texts(effects) == [f"exit {code}"]


def test_the_tutorials_flow_of_a_request_alone_asks_and_then_has_no_exit():
    bot = inside_widget_step("tutorial-request-only")

    (asked,) = bot.start()

    assert asked.data == {"from": "widget", "message": "Do you deliver?"}
    assert bot.take_continue(ANSWER, ()) == [Ended("The Widget step ran out without an exit.")]


@pytest.mark.parametrize(
    ("data", "said"),
    [(ANSWER, ["We do.", "exit success"]), ({}, ["exit fail"])],
    ids=["success", "nothing"],
)
def test_the_two_step_flow_shows_and_leaves_in_one_step(data, said):
    bot = inside_widget_step("two-step")
    bot.start()

    assert texts(bot.take_continue(data, ())) == said


@pytest.mark.statement("S4.7.codes")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (ANSWER, ["We do.", "exit success"]),
        ({"status": "silence"}, ["exit silence"]),
        ({"status": "success"}, ["{{json.text}}", "exit success"]),
        ({}, ["exit fail"]),
    ],
    ids=["success", "silence", "no text", "nothing"],
)
def test_the_three_step_flow_has_exits_of_its_own_names(data, said):
    bot = inside_widget_step("three-step")
    bot.start()

    assert texts(bot.take_continue(data, ())) == said


def with_widget(name):
    installed = parse_flow(
        [
            {
                "question": [
                    {"handler": "widget_request", "params": {"url": "https://b/", "data": {"m": "{{message_text}}"}}},
                    {"handler": "exits", "params": {"value": "success"}},
                ]
            }
        ]
    )
    return Machine(parse_flow(raw(name), widget=installed), Values(FACTS, message_text="hello"))


@pytest.mark.statement("S3.3.export", "S3.3.send_message", "S2.3.later-block")
def test_a_designers_export_runs_through_buttons_pause_and_widget_and_round_again():
    bot = with_widget("designer-export")

    (greeting, _) = bot.start()
    assert [button.text for button in greeting.buttons] == ["A question", "A person"]
    assert texts(bot.take_message("a question")) == ["Ask away."]
    assert bot.take_message("Do you deliver?")[-1] == Requested("https://b/", {"m": "Do you deliver?"})
    effects = bot.take_continue(ANSWER, ())
    assert Left("success") in effects
    assert texts(effects) == ["We do."]
    assert bot.take_message("And on Sundays?")[-1].data == {"m": "And on Sundays?"}


@pytest.mark.parametrize("reply", ["A person", "HUMAN"])
def test_a_designers_export_ends_by_its_finish_block(reply):
    bot = with_widget("designer-export")
    bot.start()

    effects = bot.take_message(reply)

    assert texts(effects) == ["A person will be with you."]
    assert effects[-1] == Ended("Its flow stopped it.", wanted=True)


def test_a_designers_export_takes_any_other_reply_to_the_widget():
    bot = with_widget("designer-export")
    bot.start()

    assert bot.take_message("Do you deliver?")[-1].data == {"m": "Do you deliver?"}
    assert bot.waits_for is Waits.CONTINUE


def test_a_loop_with_a_pause_goes_round_with_each_message_and_ends_by_its_timer():
    bot = with_widget("loop-with-pause")
    assert bot.start()[-1].data == {"m": "hello"}

    for number in range(3):
        effects = bot.take_continue({"message": f"answer {number}"}, ())
        assert texts(effects) == [f"answer {number}"]
        assert bot.timer_seconds == 3600
        assert bot.take_message(f"message {number}")[-1].data == {"m": f"message {number}"}
    bot.take_continue({"message": "last"}, ())
    effects = bot.take_timeout()

    assert texts(effects) == ["Are you still there, Anna?"]
    assert effects[-1] == Ended("Its flow stopped it.", "talk-close", wanted=True)


@pytest.mark.parametrize("path", sorted(SHAPES.glob("*.json")), ids=lambda path: path.stem)
def test_every_shape_is_read_from_text_and_from_parsed_json_alike(path):
    text = path.read_text(encoding="utf-8")
    installed = parse_flow([{"question": []}])

    assert parse_flow(text, widget=installed) == parse_flow(json.loads(text), widget=installed)
