"""The Salesbot to import: what the sandbox makes of it, and what Kommo's designer finds in it."""

import json
from typing import Any

import pytest

from bots.widget import CannotBuild, build_salesbot
from sandbox.salesbot.effects import Ended, Left, Listening, Requested, Shown
from sandbox.salesbot.flows import parse_flow
from sandbox.salesbot.interpreter import Machine, Waits
from sandbox.salesbot.placeholders import Values
from sandbox.widget import widget_flow_json

INSTALLED = parse_flow(widget_flow_json("https://bridge.example.com/hook", {"message": "{{message_text}}"}))
DAY = 24 * 3600


def salesbot(text: str = "", **values: Any) -> Machine:
    """Give the imported Salesbot in the sandbox's interpreter; `text` is the message that starts it."""
    file = build_salesbot(**{"name": "Acme"} | values).decode()
    return Machine(parse_flow(file, widget=INSTALLED), Values({"lead.id": "7", "origin": "waba"}, message_text=text))


def model_of(**values: Any) -> dict[str, Any]:
    whole = json.loads(build_salesbot(**{"name": "Acme"} | values))
    assert whole["type_functionality"] == 0
    model: dict[str, Any] = whole["model"]
    return model


def asked(effects: list[Any]) -> dict[str, Any]:
    """Give what the Widget step sent at last."""
    sent: dict[str, Any] = effects[-1].data
    return sent


def texts(effects: list[Any]) -> list[str]:
    return [effect.text for effect in effects if isinstance(effect, Shown)]


# in a chat


def test_the_message_that_starts_it_is_answered_and_then_each_further_one():
    bot = salesbot("Do you deliver?")
    assert bot.start() == [Requested("https://bridge.example.com/hook", {"message": "Do you deliver?"})]
    for number in range(3):
        effects = bot.take_continue({"status": "success", "show": "1", "message": f"answer {number}"}, ())
        assert texts(effects) == [f"answer {number}"]
        assert effects[-1] == Listening(seconds=30 * DAY)
        assert asked(bot.take_message(f"question {number}")) == {"message": f"question {number}"}


def test_with_a_greeting_it_greets_and_waits_for_what_the_customer_says():
    bot = salesbot("Hi", greeting="Good day! What do you need?")
    assert texts(bot.start()) == ["Good day! What do you need?"]
    assert bot.waits_for is Waits.MESSAGE
    assert asked(bot.take_message("Do you deliver?")) == {"message": "Do you deliver?"}


@pytest.mark.parametrize("status", ["success", "silent"])
@pytest.mark.parametrize("greeting", ["", "Good day!"])
def test_after_an_answer_and_after_silence_it_listens_again(status, greeting):
    bot = salesbot("Hi", greeting=greeting)
    bot.start()
    if greeting:
        bot.take_message("Hi")
    effects = bot.take_continue({"status": status, "show": "0"}, ())
    assert Left(status) in effects
    assert bot.waits_for is Waits.MESSAGE


@pytest.mark.parametrize("data", [{"status": "handoff"}, {"status": "fail"}, {}], ids=["handoff", "fail", "nothing"])
@pytest.mark.parametrize("greeting", ["", "Good day!"])
def test_what_a_person_takes_over_ends_it_on_purpose_after_the_bots_last_word(data, greeting):
    bot = salesbot("Hi", greeting=greeting)
    bot.start()
    if greeting:
        bot.take_message("Hi")
    effects = bot.take_continue(data | {"show": "1", "message": "A colleague will write."}, ())
    assert texts(effects) == ["A colleague will write."]
    assert effects[-1] == Ended("Its flow stopped it.", wanted=True)


@pytest.mark.parametrize("days", [1, 30, 365])
def test_after_days_of_silence_it_ends_on_purpose_and_says_nothing(days):
    bot = salesbot("Hi", silence_days=days)
    bot.start()
    bot.take_continue({"status": "success"}, ())
    assert bot.timer_seconds == days * DAY
    assert bot.take_timeout()[-1] == Ended("Its flow stopped it.", wanted=True)


def test_without_a_timer_it_waits_without_an_end():
    bot = salesbot("Hi", silence_days=None)
    bot.start()
    assert bot.take_continue({"status": "success"}, ())[-1] == Listening(seconds=None)
    assert "timer" not in build_salesbot(name="Acme", silence_days=None).decode()


@pytest.mark.parametrize("values", [{"silence_days": 0}, {"silence_days": 366}, {"greeting": "x" * 1001}])
def test_what_kommo_couldnt_run_isnt_built(values):
    with pytest.raises(CannotBuild) as refused:
        build_salesbot(name="Acme", **values)
    assert refused.value.fault.field == next(iter(values))


# in the designer


def step_of(flow: dict[str, Any], handler: str) -> dict[str, Any]:
    [found] = [one for step in flow.values() if step for one in step["question"] if one["handler"] == handler]
    params: dict[str, Any] = found["params"]
    return params


def test_the_widget_step_awaits_being_chosen_unless_its_ids_are_known():
    unknown = step_of(json.loads(model_of()["text"]), "widget")
    known = {"widget_code": "abc", "widget_id": "12", "widget_instance_id": "00000000-0000-4000-8000-000000000001"}
    chosen = step_of(json.loads(model_of(**known)["text"]), "widget")
    assert unknown["widget_source_code"] == ""
    assert not {"widget_id", "widget_instance_id"} & set(unknown)
    assert (chosen["widget_source_code"], chosen["widget_id"]) == ("abc", "12")
    assert chosen["widget_instance_id"] == known["widget_instance_id"]
    assert set(unknown["exits"]) == set(chosen["exits"]) == {"success", "handoff", "silent", "fail"}


@pytest.mark.parametrize(
    "values", [{}, {"greeting": "Good day!"}, {"silence_days": None}], ids=["plain", "greets", "∞"]
)
def test_every_block_is_drawn_and_leads_where_its_step_goes(values):
    model = model_of(**values)
    flow, drawn = json.loads(model["text"]), json.loads(model["positions"])
    blocks = {block["step"]: block for block in drawn if block["step"] >= 0}
    assert sorted(map(str, blocks)) == sorted(step for step in flow if step != "conversation")
    step_by_id = {block["id"]: block["step"] for block in blocks.values()}
    assert [block["goto"]["block"] for block in drawn if block["type"] == "start"] == [blocks[0]["id"]]
    for step, block in blocks.items():
        links = [link["block"] for action in block["actions"] for link in action["links"]]
        links += [block["goto"]["block"]] if "goto" in block else []
        assert sorted(step_by_id[link] for link in links) == sorted(jumps_of(flow[str(step)]["question"]))
    numbers = [action["id"] for block in drawn for action in block["actions"]]
    assert len(set(numbers)) == len(numbers)


def jumps_of(question: list[dict[str, Any]]) -> list[int]:
    """Give the steps that a step leads to."""
    found = []
    for handler in question:
        match handler:
            case {"handler": "goto", "params": {"step": step}}:
                found.append(step)
            case {"handler": "waits", "params": {"conditions": conditions}}:
                found += [one["action"]["step"] for one in conditions]
            case {"handler": "widget", "params": {"exits": exits}}:
                found += [jump["step"] for jump in exits.values()]
    return found


def test_the_same_values_give_the_same_bytes_and_names_of_any_form_are_kept():
    name = 'Zoë "{{json.x}}" \\ 店'
    assert build_salesbot(name=name) == build_salesbot(name=name)
    assert model_of(name=name)["name"] == name
