import json
import re
from pathlib import Path

import pytest

from sandbox.salesbot.flows import FlowError, exit_codes, parse_flow
from sandbox.salesbot.handlers import (
    Button,
    Comparison,
    Conditions,
    Exits,
    Goto,
    Jump,
    Pause,
    Show,
    Validation,
    Validations,
    Widget,
    WidgetRequest,
)


def show(value="Hi", **params):
    return {"handler": "show", "params": {"type": "text", "value": value, **params}}


def conditions(*result, **params):
    test = {"term1": "{{json.status}}", "term2": "success", "operation": "="}
    return {"handler": "conditions", "params": {"logic": "and", "conditions": [test], "result": list(result), **params}}


def a_flow(*handlers):
    return [{"question": list(handlers), "require": []}]


def waits(*conditions, logic="or"):
    return {"handler": "waits", "params": {"logic": logic, "conditions": list(conditions)}}


def event(step=0, **fields):
    return {"event": fields, "action": {"type": "question", "step": step}}


@pytest.mark.statement("S3.1.shapes")
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


@pytest.mark.statement("S3.2.buttons-url")
def test_buttons_are_read_and_links_in_both_shapes():
    plain = show(type="buttons", buttons=["Yes", "No"])
    links = show(type="buttons_url", buttons=["https://kommo.com", {"text": "Site", "url": "https://example.com"}])

    flow = parse_flow(a_flow(plain, links))

    assert flow.steps[0].question[0] == Show("Hi", (Button("Yes"), Button("No")))
    both = (Button("https://kommo.com", "https://kommo.com"), Button("Site", "https://example.com"))
    assert flow.steps[0].question[1] == Show("Hi", both)


@pytest.mark.statement("S3.2.unknown")
@pytest.mark.parametrize("name", ["send_sms", "stops", "Show", ""])
def test_a_handler_that_is_not_known_is_refused_by_name_and_place(name):
    hidden = conditions({"handler": name, "params": {}})
    line = f'flow[0].question[0].conditions.result[0]: handler "{name}" is not known here; known are show'

    with pytest.raises(FlowError, match=re.escape(line)):
        parse_flow(a_flow(hidden))


@pytest.mark.statement("S3.2.unrun")
@pytest.mark.parametrize("name", ["meta", "find", "filter", "preset"])
def test_a_documented_handler_that_is_not_run_here_is_refused_by_name(name):
    with pytest.raises(FlowError, match=f'handler "{name}" is documented by Kommo but not run here'):
        parse_flow(a_flow({"handler": name, "params": {}}))


@pytest.mark.statement("S3.2.unrun")
@pytest.mark.parametrize(
    ("name", "words"),
    [("link", "is documented by Kommo but not run here"), ("create_task", "is not known here; known are unsorted")],
)
def test_an_action_that_is_not_run_here_is_refused_by_name(name, words):
    with pytest.raises(FlowError, match=f'"{name}" {words}'):
        parse_flow(a_flow({"handler": "action", "params": {"name": name, "params": {}}}))


@pytest.mark.statement("S3.2.unknown")
@pytest.mark.parametrize(
    ("handler", "line"),
    [
        (show(colour="red"), "show.colour: is not known here"),
        ({**show(), "when": "now"}, "question[0].when: is not known here"),
        ({"handler": "stop", "params": {"action": "restart"}}, "stop.action: must be one of talk-close"),
        ({"handler": "goto", "params": {"type": "question", "step": 0, "if": 1}}, "goto.if: is not known here"),
        ({"handler": "action", "params": {"name": "set_tag", "params": {"type": 3}}}, "set_tag.type: must be one of 1"),
        ({"handler": "action", "params": {"name": "set_tag", "params": {"typo": 2}}}, "set_tag.typo: is not known"),
        (
            {"handler": "buttons", "params": [{"value": "a", "params": [], "kind": "x"}]},
            "buttons[0].kind: is not known",
        ),
        ({"handler": "buttons", "params": [{"type": "other", "params": []}]}, "buttons[0].type: must be else"),
        ({"handler": "buttons", "params": [{"regex": "(", "params": []}]}, "regex: must be a regular expression"),
        ({"handler": "buttons", "params": {}}, "buttons.params: must be a list with at least one choice"),
        ({"handler": "buttons", "params": [{"regex": "x" * 501, "params": []}]}, "regex: must not be longer than 500"),
        ({"handler": "buttons", "params": [{"value": "a", "synonyms": "b", "params": []}]}, "must be a list of texts"),
        (show(accept_unsorted="yes"), "show.accept_unsorted: must be true or false"),
        (
            {"handler": "stop", "params": {"action": "salesbot-start", "bot": "x"}},
            "stop.bot: must be the number of a bot",
        ),
        (
            waits(event(source="message_received"), event(source="timer", value=1), logic="and"),
            "waits.logic: must be or",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_unknown_inside_a_handler_is_passed_over(handler, line):
    with pytest.raises(FlowError, match=re.escape(line)):
        parse_flow(a_flow(handler))


@pytest.mark.statement("S3.3.waits")
def test_a_pause_is_read_with_both_ways_to_name_a_message_and_with_a_timer():
    jump = Jump("question", 0)
    for named in ({"source": "message", "action": "received"}, {"source": "message_received"}):
        flow = parse_flow(a_flow(waits(event(**named), event(source="timer", value=60))))

        assert flow.steps[0].question == (Pause(jump, jump, 60.0),)


@pytest.mark.statement("S3.3.pause-max")
@pytest.mark.parametrize(
    "seconds", [0, -1, 8760 * 3600 + 1, "60", True], ids=["0", "-1", "over a year", "text", "true"]
)
def test_a_pause_lasts_from_above_0_to_8760_hours(seconds):
    parse_flow(a_flow(waits(event(source="timer", value=8760 * 3600))))
    with pytest.raises(FlowError, match="8760 hours"):
        parse_flow(a_flow(waits(event(source="timer", value=seconds))))


@pytest.mark.parametrize(
    "wait",
    [waits(event(source="call")), waits(event(source="message", action="sent")), waits(event(source="timer"))],
    ids=["call", "sent", "no time"],
)
def test_an_event_that_is_not_known_is_refused(wait):
    with pytest.raises(FlowError, match="event: is not known here; known are message"):
        parse_flow(a_flow(wait))


@pytest.mark.statement("S3.1.error")
def test_error_handlers_stand_at_the_root_of_an_object():
    flow = parse_flow({"0": {"question": [show()]}, "error": [show("Sorry")], "conversation": False})

    assert flow.error == (Show("Sorry"),)
    with pytest.raises(FlowError, match=re.escape("flow.error[0]: handler")):
        parse_flow({"0": {}, "error": [{"handler": "nope"}]})


@pytest.mark.statement("S3.1.size")
def test_a_flow_of_64_kb_is_read_and_one_byte_more_is_not():
    room = 64 * 1024 - len(json.dumps(a_flow(show(""))))

    parse_flow(json.dumps(a_flow(show("x" * room))))
    with pytest.raises(FlowError, match="must not be larger than 65536 bytes"):
        parse_flow(json.dumps(a_flow(show("x" * (room + 1)))))


@pytest.mark.statement("S3.1.size", "S3.3.export")
def test_the_64_kb_count_for_the_flow_inside_an_export():
    inside = json.dumps(a_flow(show("x" * 70_000)))

    with pytest.raises(FlowError, match=re.escape("flow.model.text: must not be larger")):
        parse_flow({"type_functionality": 0, "model": {"text": inside}})
    parse_flow({"type_functionality": 0, "model": {"text": json.dumps(a_flow(show())), "positions": "x" * 70_000}})
    with pytest.raises(FlowError, match="must not be larger"):
        parse_flow(a_flow(show('"type_functionality"' + "x" * 70_000)))


@pytest.mark.statement("S3.1.sketch")
def test_the_tutorials_sketch_without_handlers_is_refused():
    sketch = [{"question": [{"type": "text"}, {"values": ["a"]}, {"accept_unsorted": "false"}], "require": []}]

    with pytest.raises(FlowError, match=re.escape('flow[0].question[0]: must be an object with the text "handler"')):
        parse_flow(json.dumps(sketch))


def test_a_widget_step_without_a_flow_takes_the_installed_widgets():
    step = {"handler": "widget", "params": {"widget_source_code": "llmbot", "exits": {}}}
    installed = parse_flow(a_flow(show("inside")))

    (read,) = parse_flow(a_flow(step), widget=installed).steps[0].question
    assert isinstance(read, Widget)
    assert read.flow is installed
    with pytest.raises(FlowError, match="widget_source_code: names a widget, but none is installed"):
        parse_flow(a_flow(step))
    with pytest.raises(FlowError, match="widget_source: is required"):
        parse_flow(a_flow({"handler": "widget", "params": {"exits": {}}}), widget=installed)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ([], "flow: must be a list of steps"),
        ("[", "flow: must be JSON"),
        ("[" * 100_000, "must not be larger than 65536 bytes"),
        ("[" * 60_000, "flow: must be JSON"),
        ({"0": {}, "errors": []}, "flow.errors: is not known here"),
        ({"0": {}, "2": {}}, "flow.2: is not known here"),
        ([{"require": [1]}], "flow[0].require: must be an empty list"),
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
        (a_flow(conditions(conditions=[{"operation": "~"}])), "operation: must be one of =, !=, in, not_in, in_range"),
        (a_flow({"handler": "exits", "params": {}}), "exits.value: must be a text"),
        (a_flow({"handler": "widget_request", "params": {"url": "x", "data": [1]}}), "data: must be an object"),
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
    samples = Path(__file__).parents[2] / "payloads"
    body = json.loads((samples / "09-continue-chunks.json").read_text(encoding="utf-8"))

    assert len(parse_flow(a_flow(*body["execute_handlers"])).steps[0].question) == 2


def test_a_list_in_a_condition_or_a_range_in_a_validation_may_be_written_as_such():
    test = {"term1": "{{lead.price}}", "term2": [1, "100"], "operation": "in_range"}
    check = {"client_value": "{{message_text}}", "type": "range_numbers", "condition_value": [1, 5]}
    handlers = [
        {"handler": "condition", "params": {**test, "result": []}},
        {"handler": "validations", "params": {"logic": "or", "conditions": [check], "result": []}},
    ]

    condition, validations = parse_flow(a_flow(*handlers)).steps[0].question

    assert condition == Conditions("and", (Comparison("{{lead.price}}", ("1", "100"), "in_range"),), ())
    assert validations == Validations("or", (Validation("{{message_text}}", "range_numbers", "1-5", ""),), ())
