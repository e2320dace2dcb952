"""Each way in which a vendor fails, through a real socket: it ends in time, with its code and a sentence."""

import socket
from time import monotonic

import pytest

from llm import CallError
from tests.llm.asking import KEY, a_choice, a_config, answer, failure
from tests.stubs.llm import LlmStub

DEADLINE_S = 2.0
GRACE_S = 1.0


@pytest.mark.parametrize(
    ("behaviour", "error", "requests"),
    [
        ("500", CallError.SERVER_ERROR, 2),
        ("503", CallError.SERVER_ERROR, 2),
        ("429", CallError.RATE_LIMITED, 2),
        ("401", CallError.REFUSED_KEY, 1),
        ("403", CallError.REFUSED_KEY, 1),
        ("402", CallError.NO_CREDIT, 1),
        ("400", CallError.BAD_REQUEST, 1),
        ("422", CallError.BAD_REQUEST, 1),
        ("404", CallError.UNKNOWN_MODEL, 1),
        ("302", CallError.REDIRECTED, 1),
        ("redirect", CallError.REDIRECTED, 1),
        ("empty", CallError.EMPTY, 2),
        ("blank", CallError.EMPTY, 2),
        ("null", CallError.EMPTY, 2),
        ("tools", CallError.TOOL_CALLS, 2),
        ("cut", CallError.CUT, 1),
        ("filtered", CallError.FILTERED, 1),
        ("garbage", CallError.UNREADABLE, 2),
        ("odd", CallError.UNREADABLE, 2),
        ("huge", CallError.TOO_LARGE, 1),
        ("huge-chunked", CallError.TOO_LARGE, 1),
        ("bomb", CallError.TOO_LARGE, 1),
        ("reset", CallError.UNREACHABLE, 2),
        ("silent", CallError.TIMEOUT, 1),
        ("drip", CallError.TIMEOUT, 1),
        ("slow-60", CallError.TIMEOUT, 1),
    ],
)
def test_a_failing_vendor_ends_in_time_with_its_code(
    stub: LlmStub, behaviour: str, error: CallError, requests: int
) -> None:
    began = monotonic()
    no_reply = failure(a_config(a_choice(stub.at(behaviour))), deadline_s=DEADLINE_S)
    assert monotonic() - began < DEADLINE_S + GRACE_S
    assert {call.error for call in no_reply.calls} == {error}
    assert (len(no_reply.calls), len(stub.requests)) == (requests, requests)


@pytest.mark.parametrize(
    "api_base",
    [
        pytest.param("http://127.0.0.1:{closed}/v1", id="a port where nobody listens"),
        pytest.param("http://no-such-host.invalid/v1", id="a name that does not exist"),
        pytest.param("http://[::1]:{closed}/v1", id="the same on IPv6"),
    ],
)
def test_a_server_that_is_not_there_is_told_as_unreachable(api_base: str) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        address = api_base.format(closed=held.getsockname()[1])
        no_reply = failure(a_config(a_choice(address)), deadline_s=DEADLINE_S)
    assert {call.error for call in no_reply.calls} == {CallError.UNREACHABLE}


def test_a_server_that_never_takes_the_connection_ends_in_time() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):
            began = monotonic()
            no_reply = failure(a_config(a_choice(f"http://127.0.0.1:{full.getsockname()[1]}/v1")), deadline_s=1.5)
    assert monotonic() - began < 1.5 + GRACE_S
    assert no_reply.calls[-1].error in (CallError.TIMEOUT, CallError.UNREACHABLE)


def test_the_reason_names_provider_model_and_remedy(stub: LlmStub) -> None:
    reason = failure(a_config(a_choice(stub.at("401")))).reason
    assert reason.startswith("main (openai/gpt-4o-mini): the vendor refused the key. Check")
    assert "HTTP 401" in reason
    assert "stub says 401" in reason


def test_the_reason_tells_the_last_word_of_each_model(stub: LlmStub) -> None:
    choices = (a_choice(stub.at("401"), provider="first"), a_choice(stub.at("404"), provider="second"))
    reason = failure(a_config(*choices)).reason
    assert "first (" in reason
    assert "second (" in reason


def test_a_bot_without_models_says_so() -> None:
    no_reply = failure(a_config())
    assert "no model" in no_reply.reason
    assert no_reply.calls == ()


def test_what_came_back_is_kept_for_the_owner_without_the_key(stub: LlmStub) -> None:
    stub.reply = lambda asked: f'{{"text": "{asked.key}'  # a form that cannot be read, with the key in it
    call = failure(a_config(a_choice(stub.url))).calls[0]
    assert call.answer_text == '{"text": "[key]'
    assert KEY not in repr(call)


def test_an_answer_cut_by_length_goes_out_with_a_remark(stub: LlmStub) -> None:
    stub.reply = "A sofa costs 500 euro, and a bed costs"
    reply = answer(a_config(a_choice(stub.at("half"))))
    assert stub.reply.startswith(reply.text)
    assert "token limit" in reply.calls[-1].error_text


def test_failed_calls_that_were_billed_keep_their_tokens_and_cost(stub: LlmStub) -> None:
    call = failure(a_config(a_choice(stub.at("blank")))).calls[0]
    assert (call.input_tokens, call.output_tokens) == (11, 7)
    assert call.cost is not None
    assert call.cost > 0
