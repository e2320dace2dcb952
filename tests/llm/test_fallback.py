"""The order of models, retries, shares of the time, and what happens to a cancelled answer."""

import asyncio
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

import llm
from llm import Call, CallError, Line
from tests.llm.asking import a_choice, a_config, answer, failure, in_a_loop
from tests.stubs.llm import Asked, LlmStub
from tests.waiting import wait_until


def test_the_text_of_a_plain_answer_is_the_reply_word_for_word(stub: LlmStub) -> None:
    stub.reply = "Línea uno.\n\n  • строка две {not json} ```code```\n" + "Long. " * 250 + "End."
    reply = answer(a_config(a_choice(stub.url)))
    assert reply.text == stub.reply
    assert (reply.outcome, dict(reply.outputs)) == ("success", {})


def test_a_call_tells_what_was_asked_and_what_it_took(stub: LlmStub) -> None:
    before = datetime.now(UTC)
    reply = answer(a_config(a_choice(stub.at("slow-0.3")), knowledge="A sofa costs 500 euro."))
    (call,) = reply.calls
    assert (call.provider, call.vendor, call.model, call.ok) == ("main", "openai", "gpt-4o-mini", True)
    assert before <= call.started_at <= datetime.now(UTC)
    assert 300 <= call.latency_ms < 5_000
    assert [dict(message) for message in call.messages] == stub.requests[0].messages
    assert call.knowledge == "A sofa costs 500 euro."
    assert call.answer_text == reply.text


@pytest.mark.parametrize("behaviour", ["500", "401", "400", "404", "empty", "garbage", "reset"])
def test_when_the_first_model_fails_the_next_one_answers(stub: LlmStub, behaviour: str) -> None:
    choices = (a_choice(stub.at(behaviour), provider="first"), a_choice(stub.url, provider="second"))
    reply = answer(a_config(*choices))
    assert reply.text == "Hello from the stub."
    assert [call.ok for call in reply.calls] == [False] * (len(reply.calls) - 1) + [True]
    assert reply.calls[-1].provider == "second"


def test_a_passing_fault_is_asked_once_more_on_the_same_model(stub: LlmStub) -> None:
    stub.script(["500", "ok"])
    reply = answer(a_config(a_choice(stub.url)))
    assert [call.error for call in reply.calls] == [CallError.SERVER_ERROR, CallError.NONE]


@pytest.mark.usefixtures("real_pauses")
def test_a_retry_waits_a_little(stub: LlmStub) -> None:
    stub.script(["503", "ok"])
    answer(a_config(a_choice(stub.url)))
    assert 0.25 < stub.requests[1].at - stub.requests[0].at < 3


def test_retry_after_is_honoured_when_it_fits(stub: LlmStub) -> None:
    stub.script(["429-after-1.5", "ok"])
    answer(a_config(a_choice(stub.url)))
    assert stub.requests[1].at - stub.requests[0].at >= 1.5


def test_a_retry_after_beyond_the_deadline_goes_to_the_next_model_at_once(stub: LlmStub) -> None:
    began = monotonic()
    reply = answer(a_config(a_choice(stub.at("429-after-60")), a_choice(stub.url)))
    assert monotonic() - began < 3
    assert [call.error for call in reply.calls] == [CallError.RATE_LIMITED, CallError.NONE]


def test_a_used_up_quota_is_not_asked_again(stub: LlmStub) -> None:
    stub.script(["quota"])
    no_reply = failure(a_config(a_choice(stub.url)))
    assert [call.error for call in no_reply.calls] == [CallError.NO_CREDIT]


def test_a_silent_first_model_leaves_time_for_the_second(stub: LlmStub) -> None:
    began = monotonic()
    reply = answer(a_config(a_choice(stub.at("silent")), a_choice(stub.at("slow-0.5"))), deadline_s=4)
    assert monotonic() - began < 4
    assert [call.error for call in reply.calls] == [CallError.TIMEOUT, CallError.NONE]
    assert 2_200 < reply.calls[0].latency_ms < 2_900  # 60 % of four seconds


def test_the_last_model_has_all_the_time_that_is_left(stub: LlmStub) -> None:
    reply = answer(a_config(a_choice(stub.at("401")), a_choice(stub.at("slow-2.5"))), deadline_s=4)
    assert reply.calls[-1].ok


def test_three_silent_models_end_within_one_deadline(stub: LlmStub) -> None:
    began = monotonic()
    no_reply = failure(a_config(*[a_choice(stub.at("silent"))] * 3), deadline_s=4)
    assert monotonic() - began < 4.5
    assert [call.error for call in no_reply.calls] == [CallError.TIMEOUT] * 3


def test_with_no_time_left_nothing_is_asked(stub: LlmStub) -> None:
    no_reply = failure(a_config(a_choice(stub.url)), deadline_s=0.1)
    assert no_reply.calls == ()
    assert stub.requests == []


def test_a_context_that_is_too_long_is_asked_again_shorter(stub: LlmStub) -> None:
    history = [Line("customer", f"{number} " + "word " * 200) for number in range(60)]
    stub.script(["too-long", "ok"])
    reply = answer(a_config(a_choice(stub.url)), history=history)
    first, second = (sum(len(str(each["content"])) for each in asked.messages) for asked in stub.requests)
    assert second < first / 2
    assert reply.calls[0].error is CallError.CONTEXT_TOO_LONG
    assert stub.requests[1].last_text.endswith("How much is a sofa?")


def test_a_server_that_knows_no_schema_is_asked_again_without(stub: LlmStub) -> None:
    stub.script(["no-schema", "ok"])
    reply = answer(a_config(a_choice(stub.url)))
    assert reply.calls[-1].ok
    assert ["response_format" in asked.body for asked in stub.requests] == [True, False]


def test_each_call_is_told_when_it_ends(stub: LlmStub) -> None:
    told: list[Call] = []
    reply = answer(a_config(a_choice(stub.at("401")), a_choice(stub.url)), on_call=told.append)
    assert tuple(told) == reply.calls


def test_a_cancelled_answer_stops_at_once_and_tells_the_call_that_ran(stub: LlmStub) -> None:
    told: list[Call] = []
    config = a_config(a_choice(stub.at("silent")), a_choice(stub.url))

    async def cancelled() -> float:
        work = asyncio.ensure_future(
            llm.answer(config, (), "Hi", deadline_s=60, allow_private_hosts=True, on_call=told.append)
        )
        await asyncio.to_thread(wait_until, lambda: stub.requests)
        began = monotonic()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        return monotonic() - began

    assert in_a_loop(cancelled) < 1
    assert [call.error for call in told] == [CallError.INTERRUPTED]
    wait_until(lambda: stub.open_now == 0)
    assert len(stub.requests) == 1


def test_answers_run_side_by_side(stub: LlmStub) -> None:
    config = a_config(a_choice(stub.at("slow-1")))

    async def crowd() -> float:
        began = monotonic()
        await asyncio.gather(
            *(llm.answer(config, (), f"{n}", deadline_s=20, allow_private_hosts=True) for n in range(40))
        )
        return monotonic() - began

    assert in_a_loop(crowd) < 8
    assert stub.most_open >= 30


def test_what_one_customer_says_never_reaches_another(stub: LlmStub) -> None:
    def echo(asked: Asked) -> str:
        return f"{asked.key.removeprefix('key-')} {asked.last_text}"  # a whole key would be taken out

    stub.reply = echo

    async def crowd() -> list[str]:
        replies = await asyncio.gather(
            *(
                llm.answer(
                    a_config(a_choice(stub.url, api_key=f"key-{n}"), prompt=f"secret-{n}."),
                    (),
                    f"message-{n}.",
                    deadline_s=20,
                    allow_private_hosts=True,
                )
                for n in range(30)
            )
        )
        return [reply.text for reply in replies]

    assert in_a_loop(crowd) == [f"{n} message-{n}." for n in range(30)]
    for asked in stub.requests:
        number = asked.key.removeprefix("key-")
        assert asked.messages[0]["content"].startswith(f"secret-{number}.")
        assert asked.last_text == f"message-{number}."


@pytest.mark.usefixtures("real_pauses")
def test_times_of_calls_are_in_order(stub: LlmStub) -> None:
    stub.script(["500", "500"])
    calls = failure(a_config(a_choice(stub.url))).calls
    assert calls[1].started_at - calls[0].started_at > timedelta(seconds=0.25)
