"""Deliveries after the answer: what is written down of it, and by whom."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bots import claims, deliveries
from bots.deliveries import BACKOFF_S, LAST_TRY_BEFORE_END_S, Result, begin, settle
from bots.kommo import KommoAnswer, continue_body
from bots.models import Account, Attempt, Exchange, Message
from bots.states import Outcome, State
from tests.bots.continues import (
    ANSWER_LOST,
    NOON,
    TABLE,
    UNREACHABLE,
    D,
    S,
    U,
    answered,
    answered_exchange,
)
from tests.cast import an_account

LONG = "One sentence. " * 40

# after the call


def sent_exchange(**fields: Any) -> Exchange:
    """Give an exchange whose call has just gone out."""
    exchange = answered_exchange(**fields)
    assert begin(exchange, now=exchange.received_at + timedelta(seconds=3))
    return exchange


def settle_at(exchange: Exchange, result: Result, *, after_s: float = 4) -> Exchange:
    """Settle so many seconds after receipt, and give the stored row."""
    now = exchange.received_at + timedelta(seconds=after_s)
    assert settle(exchange, result, started_at=now - timedelta(seconds=1), now=now)
    return Exchange.objects.get(pk=exchange.pk)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name][1] not in (S,)])
def test_an_answer_that_settles_is_written_with_its_attempt(name: str):
    result, state, _, _ = TABLE[name]
    exchange = sent_exchange()

    stored = settle_at(exchange, result)

    assert (stored.state, stored.settled_at, stored.post_out) == (state, NOON + timedelta(seconds=4), False)
    attempt = Attempt.objects.get()
    assert (attempt.kind, attempt.ok, attempt.latency_ms) == (Attempt.Kind.CONTINUE, state is D, 1000)
    assert attempt.http_status == (result.status if isinstance(result, KommoAnswer) else None)
    assert attempt.sent == exchange.body


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name][1] is S and "shorten" not in TABLE[name][2]])
def test_an_answer_that_asks_for_patience_leaves_a_time_to_try_again(name: str):
    result, _, special, _ = TABLE[name]
    stored = settle_at(sent_exchange(), result)

    assert (stored.state, stored.lease_until, stored.post_out) == (State.SENDING, None, False)
    assert stored.retry_at is not None
    assert timedelta(seconds=0.8) <= stored.retry_at - (NOON + timedelta(seconds=4)) <= timedelta(seconds=1.2)
    assert stored.probing == ("probe" in special)
    assert not Message.objects.filter(role=Message.Role.BOT).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name][3] is U])
def test_a_probe_that_is_not_taken_leaves_it_unknown_with_its_line_in_the_conversation(name: str):
    exchange = sent_exchange(state=State.SENDING, probing=True, posts=1)
    stored = settle_at(exchange, TABLE[name][0])
    assert (stored.state, stored.reason) == (State.UNKNOWN, "unknown")
    assert Message.objects.get(role=Message.Role.BOT).text == exchange.reply_text


@pytest.mark.django_db
def test_a_probe_that_reached_nobody_is_repeated_and_stays_the_probe():
    stored = settle_at(sent_exchange(state=State.SENDING, probing=True, posts=1), UNREACHABLE)
    assert (stored.state, stored.probing) == (State.SENDING, True)


@pytest.mark.django_db
def test_a_delivery_writes_the_reply_into_the_conversation_once():
    exchange = sent_exchange()
    settle_at(exchange, answered(202))
    line = Message.objects.get(role=Message.Role.BOT)
    assert (line.text, line.conversation, line.exchange) == (exchange.reply_text, exchange.conversation, exchange)


@pytest.mark.django_db
def test_a_delivery_of_silence_writes_no_line():
    exchange = sent_exchange(outcome=Outcome.SILENT, reply_text="")
    assert settle_at(exchange, answered(202)).state == State.DELIVERED
    assert not Message.objects.filter(role=Message.Role.BOT).exists()


@pytest.mark.django_db
def test_a_fallback_that_was_delivered_still_says_why_it_is_one():
    exchange = sent_exchange(outcome=Outcome.FAIL, reason="no_reply", reason_text="The model was silent.")
    stored = settle_at(exchange, answered(202))
    assert (stored.reason, stored.reason_text) == ("no_reply", "The model was silent.")


@pytest.mark.django_db
def test_a_refusal_shows_its_reason_at_the_account_and_a_delivery_takes_it_away():
    account = an_account()
    settle_at(sent_exchange(account=account), answered(401))
    told = Account.objects.get()
    assert "Set a new long-lived token" in told.trouble
    assert told.trouble_at == NOON + timedelta(seconds=4)

    settle_at(sent_exchange(account=told), answered(202))
    assert (Account.objects.get().trouble, Account.objects.get().trouble_at) == ("", None)


@pytest.mark.django_db
def test_a_salesbot_that_went_on_is_no_trouble_of_the_account():
    exchange = sent_exchange()
    settle_at(exchange, answered(404))
    assert Account.objects.get().trouble == ""


# too long


def long_exchange(**fields: Any) -> Exchange:
    body = continue_body(status="success", message=LONG, outputs={"city": "Lima"})
    return sent_exchange(reply_text=LONG.strip(), body=body, **fields)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "refusal",
    [answered(400, codes=("TooLong",)), answered(422, detail="This value is too long.")],
    ids=["by its code", "by its words"],
)
def test_a_message_that_kommo_finds_too_long_is_shortened_and_sent_at_once(refusal: KommoAnswer):
    exchange = long_exchange()
    stored = settle_at(exchange, refusal)

    assert (stored.state, stored.shortened, stored.was_cut) == (State.SENDING, True, True)
    assert (stored.retry_at, stored.lease_until) == (NOON + timedelta(seconds=4), None)
    data = dict(stored.body or {})["data"]
    assert 0 < len(data["message"]) <= len(LONG) / 2
    assert stored.reply_text == data["message"]
    assert data["city"] == "Lima"


@pytest.mark.django_db
def test_a_refusal_for_another_reason_is_final():
    stored = settle_at(long_exchange(), answered(400, codes=("NotBlank",), detail="Must not be blank."))
    assert (stored.state, stored.shortened) == (State.REJECTED, False)
    assert "Must not be blank" in stored.reason_text


@pytest.mark.django_db
def test_a_shortened_message_that_is_still_too_long_is_final():
    stored = settle_at(long_exchange(shortened=True), answered(400, codes=("TooLong",)))
    assert stored.state == State.REJECTED


# the end of the time


@pytest.mark.django_db
def test_a_pause_that_would_pass_the_end_is_cut_to_one_last_try():
    stored = settle_at(sent_exchange(), answered(429, retry_after_s=3600.0), after_s=60)
    assert stored.retry_at == stored.end_due - timedelta(seconds=LAST_TRY_BEFORE_END_S)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "result", [UNREACHABLE, answered(429), answered(403, is_html=True)], ids=["refused", "429", "block"]
)
def test_what_could_not_be_told_in_time_has_failed(result: Result):
    stored = settle_at(sent_exchange(), result, after_s=118)
    assert (stored.state, stored.retry_at) == (State.FAILED, None)
    assert stored.reason_text


@pytest.mark.django_db
@pytest.mark.parametrize("result", [ANSWER_LOST, answered(500)], ids=["no answer", "500"])
def test_what_may_have_arrived_is_unknown_and_not_failed(result: Result):
    assert settle_at(sent_exchange(), result, after_s=118).state == State.UNKNOWN


@pytest.mark.django_db
def test_what_may_have_arrived_at_the_end_stands_in_the_conversation():
    exchange = sent_exchange()
    settle_at(exchange, ANSWER_LOST, after_s=118)
    assert Message.objects.get(role=Message.Role.BOT).text == exchange.reply_text


@pytest.mark.django_db
@pytest.mark.parametrize("end", [deliveries.end_without_place, deliveries.unreadable_token, claims.let_go])
def test_whatever_ends_an_exchange_whose_reply_may_have_arrived_leaves_its_line(end: Callable[..., object]):
    exchange = answered_exchange(state=State.SENDING, probing=True)

    end(exchange, now=exchange.end_due)

    assert Exchange.objects.get().state == State.UNKNOWN
    assert Message.objects.get(role=Message.Role.BOT).text == exchange.reply_text


@pytest.mark.django_db
def test_a_probe_that_reaches_nobody_until_the_end_is_unknown_and_not_failed():
    exchange = sent_exchange(state=State.SENDING, probing=True, posts=1)
    assert settle_at(exchange, UNREACHABLE, after_s=118).state == State.UNKNOWN


# who writes


@pytest.mark.django_db
def test_who_lost_the_exchange_writes_nothing_of_the_answer():
    exchange = sent_exchange()
    Exchange.objects.update(claim=2)
    before = Exchange.objects.values().get()

    assert not settle(exchange, answered(401), started_at=NOON, now=NOON)

    assert Exchange.objects.values().get() == before
    assert not Attempt.objects.exists()
    assert Account.objects.get().trouble == ""


@pytest.mark.django_db
def test_an_attempt_holds_no_token():
    exchange = sent_exchange(account=an_account(access_token="planted-token"))
    settle_at(exchange, answered(401, detail="no"))
    assert "planted-token" not in json.dumps(Attempt.objects.values().get(), default=str)


@pytest.mark.django_db
def test_a_worker_that_died_twice_over_a_call_leaves_it_unknown_with_its_line():
    exchange = answered_exchange(state=State.SENDING, probing=True, interrupted=True, post_out=True)

    assert deliveries.give_up_unsent(exchange, now=NOON)

    stored = Exchange.objects.get()
    assert (stored.state, stored.reason, stored.settled_at) == (State.UNKNOWN, "unknown", NOON)
    assert Message.objects.get(role=Message.Role.BOT).text == exchange.reply_text


@pytest.mark.django_db
def test_an_unreadable_token_waits_for_the_operator_and_says_what_to_do():
    exchange = answered_exchange()

    assert deliveries.unreadable_token(exchange, now=NOON)

    stored = Exchange.objects.get()
    assert (stored.state, stored.lease_until) == (State.ANSWERED, None)
    assert stored.retry_at == NOON + timedelta(seconds=BACKOFF_S[-1])
    assert "FIELD_KEYS" in stored.reason_text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, State.FAILED),
        ({"state": State.SENDING}, State.FAILED),
        ({"state": State.SENDING, "probing": True}, State.UNKNOWN),
        ({"state": State.SENDING, "interrupted": True}, State.UNKNOWN),
    ],
    ids=["never sent", "refused before", "an answer was lost before", "a worker died before"],
)
def test_an_unreadable_token_ends_with_the_time(fields: dict[str, Any], state: State):
    exchange = answered_exchange(**fields)
    assert deliveries.unreadable_token(exchange, now=exchange.end_due)
    assert Exchange.objects.get().state == state


@pytest.mark.django_db
def test_an_unreadable_token_of_a_lost_exchange_writes_nothing():
    exchange = answered_exchange()
    Exchange.objects.update(claim=2)
    assert not deliveries.unreadable_token(exchange, now=NOON)
    assert Exchange.objects.get().retry_at is None
