"""The states of an exchange: the table of moves, and the one function that moves."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import Any

import pytest

from bots.models import Exchange
from bots.states import MOVES, OPEN, SETTLED, ForbiddenMove, State, move, timeline_entry
from tests.cast import an_exchange

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

ALLOWED = [(seen, to) for seen in State for to in State if to in MOVES[seen]]
FORBIDDEN = [(seen, to) for seen, to in product(State, State) if to not in MOVES[seen]]
WAYS = {
    "the usual one": "received answering answered sending delivered",
    "a retry": "received answering received answering answered sending delivered",
    "too late": "received answered sending delivered",
    "refused once, then taken": "received answering answered sending sending delivered",
    "the Salesbot went on": "received answering answered sending gone",
    "a wrong token": "received answering answered sending rejected",
    "an answer that got lost": "received answering answered sending sending unknown",
    "nobody could be told": "received answering answered sending failed",
}


# the table


def test_every_state_has_its_line_in_the_table():
    assert MOVES.keys() == set(State)


def test_open_and_settled_states_are_all_states_and_none_is_both():
    assert set(State) == OPEN | SETTLED
    assert not OPEN & SETTLED


def test_nothing_leads_out_of_a_settled_state_and_something_out_of_each_open_one():
    assert {state for state in State if not MOVES[state]} == SETTLED


def test_every_state_can_be_reached_from_received():
    reached, found = {State.RECEIVED}, {State.RECEIVED}
    while found:
        found = {to for state in found for to in MOVES[state]} - reached
        reached |= found
    assert reached == set(State)


def test_every_open_state_can_fail_when_there_is_no_time_left():
    assert all(State.FAILED in MOVES[state] for state in OPEN)


def test_what_was_never_sent_is_neither_delivered_nor_unknown_nor_gone():
    told_by_kommo = {State.DELIVERED, State.GONE, State.REJECTED, State.UNKNOWN}
    assert {state for state in State if MOVES[state] & told_by_kommo} == {State.SENDING}


def test_a_reply_that_is_stored_is_never_asked_for_again():
    for state in (State.ANSWERED, State.SENDING):
        assert not MOVES[state] & {State.RECEIVED, State.ANSWERING}


# the function


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS)
def test_an_exchange_goes_every_way_of_the_design(way: str):
    states = [State(word) for word in WAYS[way].split()]
    exchange = an_exchange()
    for _, to in pairwise(states):
        assert move(exchange, to, now=NOON)
    assert Exchange.objects.get().state == states[-1]
    assert [entry["state"] for entry in exchange.timeline] == states


@pytest.mark.django_db
@pytest.mark.parametrize(("seen", "to"), ALLOWED, ids="-".join)
def test_an_allowed_move_is_written(seen: State, to: State):
    exchange = an_exchange(state=seen)
    assert move(exchange, to, now=NOON)
    stored = Exchange.objects.get()
    assert (stored.state, stored.state_since) == (to, NOON) == (exchange.state, exchange.state_since)


@pytest.mark.django_db
@pytest.mark.parametrize(("seen", "to"), FORBIDDEN, ids="-".join)
def test_a_forbidden_move_is_a_defect_and_writes_nothing(seen: State, to: State):
    exchange = an_exchange(state=seen)
    before = Exchange.objects.values().get()
    with pytest.raises(ForbiddenMove, match=f"{seen} -> {to}"):
        move(exchange, to, now=NOON)
    assert Exchange.objects.values().get() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    "meanwhile",
    [{"claim": 2}, {"state": State.ANSWERED}, {"claim": 2, "state": State.RECEIVED}],
    ids=["another claim", "another state", "both"],
)
def test_who_lost_the_exchange_writes_nothing(meanwhile: dict[str, Any]):
    exchange = an_exchange(state=State.ANSWERING, claim=1)
    Exchange.objects.filter(pk=exchange.pk).update(**meanwhile)
    before = Exchange.objects.values().get()

    moved = move(exchange, State.ANSWERED, now=NOON, why="late", reply_text="of the loser")

    assert not moved
    assert Exchange.objects.values().get() == before
    assert (exchange.state, exchange.reply_text) == (State.ANSWERING, "")


@pytest.mark.django_db
def test_an_exchange_that_is_gone_from_the_database_is_lost_too():
    exchange = an_exchange(state=State.ANSWERING)
    Exchange.objects.all().delete()
    assert not move(exchange, State.ANSWERED, now=NOON)


@pytest.mark.django_db
def test_other_columns_are_written_by_the_same_statement(django_assert_num_queries: Any):
    exchange = an_exchange(state=State.ANSWERING)
    with django_assert_num_queries(1):
        move(exchange, State.ANSWERED, now=NOON, reply_text="Yes.", outcome="success")
    stored = Exchange.objects.get()
    assert (stored.state, stored.reply_text, stored.outcome) == (State.ANSWERED, "Yes.", "success")
    assert exchange.reply_text == "Yes."


@pytest.mark.django_db
@pytest.mark.parametrize("to", sorted(SETTLED & MOVES[State.SENDING]))
def test_a_settled_exchange_holds_no_lease_no_retry_and_no_call(to: State):
    later = NOON + timedelta(seconds=9)
    exchange = an_exchange(state=State.SENDING, lease_until=later, retry_at=later, post_out=True)

    move(exchange, to, now=NOON)

    stored = Exchange.objects.get()
    assert (stored.settled_at, stored.lease_until, stored.retry_at, stored.post_out) == (NOON, None, None, False)


@pytest.mark.django_db
def test_a_move_between_open_states_settles_nothing():
    exchange = an_exchange(state=State.ANSWERING, lease_until=NOON)
    move(exchange, State.ANSWERED, now=NOON)
    stored = Exchange.objects.get()
    assert (stored.settled_at, stored.lease_until) == (None, NOON)


@pytest.mark.django_db
def test_each_move_adds_its_line_to_the_timeline():
    exchange = an_exchange(state=State.ANSWERING)
    before = len(exchange.timeline)
    move(exchange, State.ANSWERED, now=NOON, why="no_reply")
    move(exchange, State.SENDING, now=NOON + timedelta(milliseconds=1500))
    assert Exchange.objects.get().timeline[before:] == [
        {"state": "answered", "at": "2026-03-01T12:00:00.000+00:00", "why": "no_reply"},
        {"state": "sending", "at": "2026-03-01T12:00:01.500+00:00"},
    ]


def test_a_line_of_the_timeline_names_who_and_why_only_where_it_is_known():
    assert timeline_entry(State.RECEIVED, now=NOON).keys() == {"state", "at"}
    assert timeline_entry(State.ANSWERING, now=NOON, who="host:7")["who"] == "host:7"
