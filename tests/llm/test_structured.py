"""Reading an answer: leniently where it is an answer, strictly where it would show the raw form to a customer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm import CallError, Output
from llm.structured import FORM_KEYS, Unusable, read_answer, reply_schema
from tests.llm.asking import a_choice, a_config, an_output, answer
from tests.stubs.llm import LlmStub

BUDGET = an_output("budget", "number", description="how much they want to spend")
KIND = an_output("kind", "text", choices=("Sofa", "Bed"))
URGENT = an_output("urgent", "boolean")
SEATS = an_output("seats", "number", choices=("2", "3"))
NAME = an_output("name", "text")


def a_form(text: Any = "Hello", outcome: Any = "success", **outputs: Any) -> str:
    return json.dumps({"text": text, "outcome": outcome, "outputs": outputs})


@pytest.mark.parametrize(
    ("said", "text", "outcome"),
    [
        pytest.param("Hello there", "Hello there", "success", id="plain words"),
        pytest.param("  Hello\n", "Hello", "success", id="blanks around"),
        pytest.param(a_form("Hi"), "Hi", "success", id="the form"),
        pytest.param(a_form("Wait", "handoff"), "Wait", "handoff", id="handoff with words"),
        pytest.param(a_form("", "handoff"), "", "handoff", id="handoff without words"),
        pytest.param(a_form("", "silent"), "", "silent", id="silent"),
        pytest.param(a_form("But", "silent"), "", "silent", id="silent that still talks"),
        pytest.param(a_form("Hi", "victory"), "Hi", "success", id="an outcome that does not exist"),
        pytest.param('{"text": "Hi"}', "Hi", "success", id="text alone"),
        pytest.param('{"outcome": "silent"}', "", "silent", id="outcome alone"),
        pytest.param(f"```json\n{a_form('Hi')}\n```", "Hi", "success", id="in a fence"),
        pytest.param(f"Here you are:\n{a_form('Hi')}\nBye", "Hi", "success", id="between words"),
        pytest.param('{"a": 1}', '{"a": 1}', "success", id="JSON of another kind"),
        pytest.param('{"why": "so", "text": "Hi", "links": []}', "Hi", "success", id="a key more than asked for"),
        pytest.param('{"id": 1, "links": []}', '{"id": 1, "links": []}', "success", id="JSON that has a word of ours"),
        pytest.param("[1, 2]", "[1, 2]", "success", id="a JSON list"),
        pytest.param('Use {"key": 1} here', 'Use {"key": 1} here', "success", id="JSON inside words"),
        pytest.param("<think>They want\na sofa.</think>\n\nHello", "Hello", "success", id="thoughts aloud"),
        pytest.param("{{braces}}", "{{braces}}", "success", id="braces"),
    ],
)
def test_an_answer_is_read_leniently(said: str, text: str, outcome: str) -> None:
    reading = read_answer(said, config=a_config())
    assert (reading.text, reading.outcome) == (text, outcome)


@pytest.mark.parametrize(
    ("said", "was_cut", "error"),
    [
        pytest.param("", False, CallError.EMPTY, id="nothing"),
        pytest.param(" \n\t", False, CallError.EMPTY, id="blanks"),
        pytest.param("", True, CallError.CUT, id="cut before a word"),
        pytest.param("<think>Hm.</think>", False, CallError.EMPTY, id="thoughts alone"),
        pytest.param(a_form(""), False, CallError.EMPTY, id="a form without words"),
        pytest.param(a_form(None), False, CallError.EMPTY, id="null for words"),
        pytest.param(a_form({"a": 1}), False, CallError.EMPTY, id="an object for words"),
        pytest.param('{"text": "We deli', True, CallError.CUT, id="a form that was cut"),
        pytest.param('{"text": "We deli', False, CallError.UNREADABLE, id="a broken form"),
        pytest.param('{"buttons": ["Re', False, CallError.UNREADABLE, id="a broken form that begins with buttons"),
        pytest.param('{"links": ["A"]}', False, CallError.UNREADABLE, id="links alone"),
        pytest.param('{"buttons": ["Red"]}', False, CallError.EMPTY, id="buttons alone"),
        pytest.param('{"message": "Hi", "buttons": []}', False, CallError.EMPTY, id="words under another name"),
        pytest.param('```json\n{"outcome": "hand', False, CallError.UNREADABLE, id="a broken form in a fence"),
    ],
)
def test_what_a_customer_must_not_see_is_refused(said: str, *, was_cut: bool, error: CallError) -> None:
    with pytest.raises(Unusable) as refused:
        read_answer(said, config=a_config(), was_cut=was_cut)
    assert refused.value.error is error


@pytest.mark.parametrize(
    ("output", "value", "kept"),
    [
        pytest.param(BUDGET, 500, 500, id="a number"),
        pytest.param(BUDGET, "499,90", 499.9, id="a number as text"),
        pytest.param(BUDGET, 12.0, 12, id="a whole number loses its point"),
        pytest.param(NAME, " Ann ", "Ann", id="a text"),
        pytest.param(NAME, 42, "42", id="a number for a text"),
        pytest.param(URGENT, True, True, id="a boolean"),
        pytest.param(URGENT, "False", False, id="a boolean as text"),
        pytest.param(KIND, "sofa", "Sofa", id="a choice in other case"),
        pytest.param(SEATS, "3", 3, id="a number among choices"),
    ],
)
def test_a_value_of_the_declared_kind_is_kept(output: Output, value: Any, kept: Any) -> None:
    reading = read_answer(a_form(**{output.name: value}), config=a_config(outputs=(output,)))
    assert reading.outputs == {output.name: kept}
    assert type(reading.outputs[output.name]) is type(kept)
    assert reading.remark == ""


@pytest.mark.parametrize(
    ("output", "value"),
    [
        pytest.param(BUDGET, "a lot", id="words for a number"),
        pytest.param(BUDGET, True, id="a boolean for a number"),
        pytest.param(BUDGET, "inf", id="infinity"),
        pytest.param(BUDGET, [1], id="a list"),
        pytest.param(NAME, {"first": "Ann"}, id="an object for a text"),
        pytest.param(NAME, False, id="a boolean for a text"),
        pytest.param(URGENT, "perhaps", id="words for a boolean"),
        pytest.param(KIND, "Table", id="outside the choices"),
        pytest.param(SEATS, 4, id="a number outside the choices"),
    ],
)
def test_a_wrong_value_is_dropped_and_said(output: Output, value: Any) -> None:
    reading = read_answer(a_form(**{output.name: value}), config=a_config(outputs=(output,)))
    assert reading.outputs == {}
    assert f"Output {output.name} was dropped" in reading.remark


def test_an_output_that_nobody_declared_is_dropped_without_its_content() -> None:
    reading = read_answer(a_form(price=1, secret="4111"), config=a_config(outputs=(BUDGET,)))
    assert reading.outputs == {}
    assert "does not declare" in reading.remark
    assert "4111" not in reading.remark


def test_null_means_not_known_and_is_no_mistake() -> None:
    reading = read_answer(a_form(budget=None), config=a_config(outputs=(BUDGET,)))
    assert (reading.outputs, reading.remark) == ({}, "")


def test_the_schema_requires_every_key_and_allows_no_other() -> None:
    schema = reply_schema(a_config(outputs=(BUDGET, KIND, URGENT)))
    assert schema["required"] == ["text", "outcome", "outputs"]
    assert schema["additionalProperties"] is False
    inner = schema["properties"]["outputs"]
    assert inner["required"] == ["budget", "kind", "urgent"]
    assert inner["properties"]["kind"]["anyOf"] == [{"type": "string", "enum": ["Sofa", "Bed"]}, {"type": "null"}]
    assert "outputs" not in reply_schema(a_config())["properties"]


def test_the_model_fills_outputs_and_outcome_through_a_socket(stub: LlmStub) -> None:
    stub.reply = a_form("A colleague will call you.", "handoff", budget=700, kind="Bed", urgent="maybe")
    config = a_config(a_choice(stub.url), outputs=(BUDGET, KIND, URGENT))
    reply = answer(config)
    assert (reply.text, reply.outcome) == ("A colleague will call you.", "handoff")
    assert reply.outputs == {"budget": 700, "kind": "Bed"}
    assert "Output urgent was dropped" in reply.calls[0].error_text
    assert stub.requests[0].body["response_format"]["json_schema"]["schema"] == reply_schema(config)


def test_a_model_that_knows_only_tools_is_asked_by_one(stub: LlmStub) -> None:
    stub.reply = a_form("Hi", "handoff", budget=5)
    stub.behaviour = "reply-tool"
    reply = answer(a_config(a_choice(stub.url, model="gpt-3.5-turbo"), outputs=(BUDGET,)))
    assert (reply.text, reply.outcome, reply.outputs) == ("Hi", "handoff", {"budget": 5})
    assert stub.requests[0].body["tool_choice"]["function"]["name"] == "reply"


def test_a_model_that_nobody_knows_is_asked_for_plain_text(stub: LlmStub) -> None:
    reply = answer(a_config(a_choice(stub.url, model="our-own-llama"), outputs=(BUDGET,)))
    assert (reply.text, reply.outcome) == ("Hello from the stub.", "success")
    assert not {"response_format", "tools"} & stub.requests[0].body.keys()
    assert reply.calls[0].cost is None


@given(said=st.text(max_size=300), was_cut=st.booleans())
def test_whatever_a_model_says_the_reply_is_not_empty_or_it_is_refused(said: str, *, was_cut: bool) -> None:
    try:
        reading = read_answer(said, config=a_config(outputs=(BUDGET,)), was_cut=was_cut)
    except Unusable:
        return
    assert reading.text or reading.outcome in ("handoff", "silent")


@given(
    form=st.dictionaries(
        st.sampled_from([*sorted(FORM_KEYS), "more"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["budget", "x"]), inner),
        ),
    )
)
def test_whatever_fills_the_form_it_never_reaches_the_customer_raw(form: dict[str, Any]) -> None:
    try:
        reading = read_answer(json.dumps(form), config=a_config(outputs=(BUDGET,)))
    except Unusable:
        return
    if "outcome" in form:
        assert reading.text == (form["text"].strip() if isinstance(form.get("text"), str) and reading.text else "")
    if len(form.keys() & FORM_KEYS) > 1:
        assert not reading.text.startswith("{") or reading.text == form["text"].strip()
    assert all(isinstance(value, int | float) for value in reading.outputs.values())
