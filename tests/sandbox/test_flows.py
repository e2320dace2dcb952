import json
import re
from pathlib import Path

import pytest

from sandbox.flows import FlowError, exit_codes, parse_flow
from sandbox.handlers import Button, Exits, Goto, Jump, Show, WidgetRequest


def show(value="Hi", **params):
    return {"handler": "show", "params": {"type": "text", "value": value, **params}}


def conditions(*result, **params):
    test = {"term1": "{{json.status}}", "term2": "success", "operation": "="}
    return {"handler": "conditions", "params": {"logic": "and", "conditions": [test], "result": list(result), **params}}


def a_flow(*handlers):
    return [{"question": list(handlers), "require": []}]


@pytest.mark.parametrize("shape", ["list", "object keyed by number", "text"])
def test_a_flow_is_read_in_each_of_its_shapes(shape):
    steps = [*a_flow(show("one")), *a_flow(show("two"))]
    raw = {"list": steps, "object keyed by number": {"0": steps[0], "1": steps[1]}, "text": json.dumps(steps)}[shape]

    flow = parse_flow(raw)

    assert [step.question for step in flow.steps] == [(Show("one"),), (Show("two"),)]


def test_the_widget_flow_of_the_tutorial_is_read():
    leave = [conditions({"handler": "exits", "params": {"value": "success"}})]
    asked = {"url": "https://example.com", "data": {"message": "{{message_text}}"}}
    ask = {"handler": "widget_request", "params": asked}
    goto = {"handler": "goto", "params": {"type": "question", "step": 1}}

    flow = parse_flow([*a_flow(ask, goto), *a_flow(*leave, {"handler": "exits", "params": {"value": "fail"}})])

    request = WidgetRequest("https://example.com", {"message": "{{message_text}}"})
    assert flow.steps[0].question == (request, Goto(Jump("question", 1)))
    assert flow.steps[1].question[1] == Exits("fail")
    assert exit_codes(flow) == ("success", "fail")


def test_buttons_are_read_and_links_in_both_shapes():
    plain = show(type="buttons", buttons=["Yes", "No"])
    links = show(type="buttons_url", buttons=["https://kommo.com", {"text": "Site", "url": "https://example.com"}])

    flow = parse_flow(a_flow(plain, links))

    assert flow.steps[0].question[0] == Show("Hi", (Button("Yes"), Button("No")))
    both = (Button("https://kommo.com", "https://kommo.com"), Button("Site", "https://example.com"))
    assert flow.steps[0].question[1] == Show("Hi", both)


@pytest.mark.parametrize(
    "name", ["stop", "action", "send_message", "buttons", "validations", "find", "condition", "waits", ""]
)
def test_a_handler_that_is_not_known_is_refused_by_name_and_place(name):
    hidden = conditions({"handler": name, "params": {}})

    with pytest.raises(FlowError, match=re.escape(f'flow[0].question[0].conditions.result[0]: handler "{name}"')):
        parse_flow(a_flow(hidden))


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ([], "flow: must be a list of steps"),
        ("[", "flow: must be JSON"),
        ("[" * 100_000, "must not be larger than 65536 bytes"),
        ("[" * 60_000, "flow: must be JSON"),
        ({"0": {}, "error": []}, "flow.error: is not known here"),
        ({"1": {}}, "flow.1: is not known here"),
        ([{"questions": []}], "flow[0].questions: is not known here"),
        ([{"question": {}}], "flow[0].question: must be a list of handlers"),
        (["step"], "flow[0]: must be an object"),
        (a_flow("show"), 'flow[0].question[0]: must be an object with the text "handler"'),
        (a_flow({"handler": "show"}), "flow[0].question[0].params: must be an object"),
        (a_flow(show(5)), "show.value: must be a text"),
        (a_flow(show(type="picture")), "show.type: must be one of text, buttons, buttons_url"),
        (a_flow(show(type="buttons")), "show.buttons: must be a list with at least one button"),
        (a_flow(show(type="buttons", buttons=[{"text": "a", "url": "b"}])), "show.buttons[0]: must be a text"),
        (a_flow({"handler": "goto", "params": {"type": "step", "step": 0}}), "goto.type: must be one of question"),
        (a_flow({"handler": "goto", "params": {"type": "question", "step": "0"}}), "goto.step: must be a whole number"),
        (a_flow({"handler": "goto", "params": {"type": "question", "step": 1}}), "has no step 1"),
        (a_flow({"handler": "wait_answer", "params": {"type": "answer", "step": -1}}), "has no step -1"),
        (a_flow(conditions(logic="xor")), "conditions.logic: must be one of and, or"),
        (a_flow(conditions(conditions=[{"operation": "in"}])), "operation: must be one of =, !="),
        (a_flow({"handler": "exits", "params": {}}), "exits.value: must be a text"),
        (a_flow({"handler": "widget_request", "params": {"url": "x", "data": []}}), "data: must be an object"),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" in value else "",
)
def test_a_malformed_flow_is_refused_with_place_and_rule(raw, line):
    with pytest.raises(FlowError, match=re.escape(line)):
        parse_flow(raw)


def test_handlers_cannot_be_nested_without_end():
    nested = show()
    for _ in range(40):
        nested = conditions(nested)

    with pytest.raises(FlowError, match="must not nest handlers deeper than 32"):
        parse_flow(a_flow(nested))


def test_a_widget_inside_a_widget_is_refused():
    inner = {"handler": "widget", "params": {"widget_source": a_flow(show()), "exits": {}}}
    outer = {"handler": "widget", "params": {"widget_source": a_flow(inner), "exits": {}}}

    with pytest.raises(FlowError, match="must not hold a Widget step"):
        parse_flow(a_flow(outer))


def test_every_documented_continue_sample_holds_handlers_that_are_known():
    samples = Path(__file__).parents[1] / "payloads"
    body = json.loads((samples / "09-continue-chunks.json").read_text(encoding="utf-8"))

    assert len(parse_flow(a_flow(*body["execute_handlers"])).steps[0].question) == 2
