"""Claims: each exchange has one worker at a time, in the order of its conversation, whatever dies meanwhile."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from bots.models import Exchange
from bots.models.exchanges import HANGS_AFTER, LEASE
from bots.states import SETTLED, State, move
from tests.cast import a_conversation, an_account, an_exchange

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def claim(*, owner: str = "one", now: datetime = NOON, limit: int = 10) -> list[Exchange]:
    return Exchange.objects.claim(limit=limit, owner=owner, now=now)


def due(**fields: Any) -> Exchange:
    """Make an exchange that was received just before noon."""
    return an_exchange(**{"received_at": NOON - SECOND} | fields)


# one claim


@pytest.mark.django_db
def test_a_claim_takes_an_exchange_for_one_worker_with_a_lease():
    due()

    (exchange,) = claim(owner="host:7")

    stored = Exchange.objects.get()
    assert (stored.state, stored.owner, stored.claim, stored.answer_claims) == (State.ANSWERING, "host:7", 1, 1)
    assert (stored.lease_until, stored.state_since) == (NOON + LEASE, NOON)
    assert stored.timeline[-1] == {"state": "answering", "at": "2026-03-01T12:00:00.000+00:00", "who": "host:7"}
    assert (exchange.claim, exchange.state, exchange.lease_until) == (1, State.ANSWERING, NOON + LEASE)


@pytest.mark.django_db
def test_what_is_claimed_is_not_claimed_again_while_the_lease_holds():
    due()
    assert claim()
    assert not claim(owner="two")
    assert not claim(owner="two", now=NOON + LEASE - SECOND)


@pytest.mark.django_db
def test_when_the_lease_is_over_another_worker_takes_it_and_the_first_can_write_nothing():
    due()
    (first,) = claim()

    (second,) = claim(owner="two", now=NOON + LEASE)

    assert (second.pk, second.claim, second.answer_claims) == (first.pk, 2, 2)
    assert not move(first, State.ANSWERED, now=NOON + LEASE)
    assert move(second, State.ANSWERED, now=NOON + LEASE)


@pytest.mark.django_db
def test_no_more_are_taken_than_asked_for_and_the_oldest_first():
    ages = [3, 1, 5, 2, 4]
    exchanges = {age: due(received_at=NOON - age * SECOND) for age in ages}
    assert [exchange.pk for exchange in claim(limit=2)] == [exchanges[5].pk, exchanges[4].pk]
    assert [exchange.pk for exchange in claim(limit=9)] == [exchanges[age].pk for age in (3, 2, 1)]


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.ANSWERED, State.SENDING])
def test_an_exchange_that_has_its_reply_keeps_its_state_and_costs_no_claim_of_the_model(state: State):
    due(state=state, answer_claims=1, claim=1)
    (exchange,) = claim()
    stored = Exchange.objects.get()
    assert (stored.state, stored.claim, stored.answer_claims) == (state, 2, 1)
    assert exchange.has_reply


@pytest.mark.django_db
@pytest.mark.parametrize("post_out", [False, True], ids=["no call was out", "a call was out"])
def test_a_claim_knows_whether_a_call_was_out_when_the_last_worker_died(*, post_out: bool):
    due(state=State.SENDING, post_out=post_out, lease_until=NOON)
    (exchange,) = claim()
    assert exchange.interrupted is post_out
    assert Exchange.objects.get().interrupted is post_out


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(SETTLED))
def test_a_settled_exchange_is_never_claimed(state: State):
    due(state=state)
    assert not claim()


@pytest.mark.django_db
def test_a_retry_waits_for_its_time_and_is_then_forgotten():
    due(state=State.SENDING, retry_at=NOON + SECOND)
    assert not claim()
    assert claim(now=NOON + SECOND)
    assert Exchange.objects.get().retry_at is None


@pytest.mark.django_db
def test_a_claim_reads_account_and_bot_along(django_assert_num_queries: Any):
    due()
    (exchange,) = claim()
    with django_assert_num_queries(0):
        assert exchange.account.enabled
        assert exchange.bot is None


@pytest.mark.django_db
def test_a_claim_of_many_costs_as_many_queries_as_a_claim_of_one(django_assert_max_num_queries: Any):
    for _ in range(20):
        due()
    with django_assert_max_num_queries(4):  # savepoint, select, one update, release
        assert len(claim(limit=20)) == 20


@pytest.mark.django_db
def test_the_look_for_work_reads_open_exchanges_alone():
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # it is quicker while the table is small

    plan = Exchange.objects.takeable(NOON).order_by("received_at", "pk").explain()

    reads = re.findall(r"(?:(?<!Heap )Scan|SCAN|SEARCH) .*", plan)
    assert len(reads) == 2
    # which of two fitting indexes PostgreSQL takes for one conversation depends on its statistics
    of_open = [read for read in reads if "exchange_open" in read or "conversation_id" in read]
    assert of_open == reads
    assert any("exchange_open" in read for read in reads)


# leases


@pytest.mark.django_db
def test_a_lease_that_is_renewed_holds_longer():
    due()
    (exchange,) = claim()
    Exchange.objects.renew([(exchange.pk, exchange.claim)], now=NOON + 10 * SECOND)
    assert not claim(owner="two", now=NOON + LEASE)
    assert claim(owner="two", now=NOON + 10 * SECOND + LEASE)


@pytest.mark.django_db
def test_who_lost_an_exchange_can_not_renew_its_lease():
    due()
    (first,) = claim()
    claim(owner="two", now=NOON + LEASE)
    before = Exchange.objects.values().get()

    Exchange.objects.renew([(first.pk, first.claim)], now=NOON + LEASE + SECOND)

    assert Exchange.objects.values().get() == before


@pytest.mark.django_db
def test_each_lease_is_renewed_under_its_own_claim():
    for _ in range(3):
        due()
    old, *others = claim()
    Exchange.objects.filter(pk=old.pk).update(claim=5)

    Exchange.objects.renew([(old.pk, 5), *((each.pk, each.claim) for each in others)], now=NOON + 9 * SECOND)

    assert set(Exchange.objects.values_list("lease_until", flat=True)) == {NOON + 9 * SECOND + LEASE}


@pytest.mark.django_db
def test_who_hangs_past_the_answer_deadline_keeps_its_lease_no_longer():
    due(answer_due=NOON + 30 * SECOND)
    (hanging,) = claim()
    later = NOON + 30 * SECOND + HANGS_AFTER

    Exchange.objects.renew([(hanging.pk, hanging.claim)], now=later - SECOND)
    assert Exchange.objects.get().lease_until == later - SECOND + LEASE
    Exchange.objects.renew([(hanging.pk, hanging.claim)], now=later)
    assert Exchange.objects.get().lease_until == later - SECOND + LEASE


@pytest.mark.django_db
def test_who_sends_its_reply_keeps_its_lease_whatever_the_answer_deadline():
    due(state=State.SENDING, answer_due=NOON - 60 * SECOND)
    (sending,) = claim()
    Exchange.objects.renew([(sending.pk, sending.claim)], now=NOON + 9 * SECOND)
    assert Exchange.objects.get().lease_until == NOON + 9 * SECOND + LEASE


@pytest.mark.django_db
def test_an_account_that_holds_its_share_gets_no_more_but_for_what_needs_no_model():
    fresh, overdue = due(answer_due=NOON + SECOND), due(answer_due=NOON)
    held = {fresh.account_id, overdue.account_id}
    taken = Exchange.objects.claim(limit=9, owner="one", now=NOON, full=held)
    assert [exchange.pk for exchange in taken] == [overdue.pk]


@pytest.mark.django_db
def test_a_settled_exchange_gets_no_lease_back():
    due(state=State.DELIVERED, claim=1)
    Exchange.objects.renew([(Exchange.objects.get().pk, 1)], now=NOON)
    assert Exchange.objects.get().lease_until is None


# order


@pytest.mark.django_db
def test_exchanges_of_one_conversation_are_taken_one_after_the_other():
    conversation = a_conversation()
    first, second, third = (due(conversation=conversation) for _ in range(3))

    assert [exchange.pk for exchange in claim()] == [first.pk]
    assert not claim()
    Exchange.objects.filter(pk=first.pk).update(state=State.DELIVERED)
    assert [exchange.pk for exchange in claim()] == [second.pk]
    Exchange.objects.filter(pk=second.pk).update(state=State.FAILED)
    assert [exchange.pk for exchange in claim()] == [third.pk]


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.RECEIVED, State.ANSWERING, State.ANSWERED, State.SENDING])
def test_an_earlier_open_exchange_holds_the_next_back_in_whatever_state_it_is(state: State):
    conversation = a_conversation()
    due(conversation=conversation, state=state, lease_until=NOON + LEASE)
    due(conversation=conversation)
    assert not claim()


@pytest.mark.django_db
def test_the_order_is_that_of_arrival_and_not_of_the_clock():
    conversation = a_conversation()
    first = due(conversation=conversation, received_at=NOON)
    due(conversation=conversation, received_at=NOON - 60 * SECOND)
    assert [exchange.pk for exchange in claim()] == [first.pk]


@pytest.mark.django_db
def test_different_conversations_never_wait_for_each_other():
    account = an_account()
    stuck = due(account=account, state=State.SENDING, retry_at=NOON + 60 * SECOND)
    free = [due(account=account), due(account=an_account())]
    assert {exchange.pk for exchange in claim()} == {exchange.pk for exchange in free}
    assert stuck.pk not in {exchange.pk for exchange in free}


# several workers at once


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_once_never_get_the_same_exchange():
    account = an_account()
    for _ in range(40):
        due(account=account)

    def work(number: int) -> list[int]:
        try:
            return [exchange.pk for _ in range(10) for exchange in claim(owner=str(number), limit=3)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        taken = [pk for found in pool.map(work, range(4)) for pk in found]

    assert len(taken) == len(set(taken)) == 40
    assert set(Exchange.objects.values_list("claim", "state")) == {(1, State.ANSWERING)}


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_answer_each_conversation_in_order():
    account = an_account()
    conversations = [a_conversation(account) for _ in range(4)]
    for number in range(12):
        due(conversation=conversations[number % 4])
    ended: list[int] = []

    def work(number: int) -> None:
        try:
            for _ in range(30):
                for exchange in claim(owner=str(number), limit=2):
                    ended.append(exchange.pk)
                    Exchange.objects.filter(pk=exchange.pk, claim=exchange.claim).update(state=State.DELIVERED)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))

    by_conversation = dict(Exchange.objects.values_list("pk", "conversation"))
    assert len(ended) == len(set(ended)) == 12
    for conversation in conversations:
        order = [pk for pk in ended if by_conversation[pk] == conversation.pk]
        assert order == sorted(order)
