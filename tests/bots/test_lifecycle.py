"""Exchanges as a whole: workers die at any step, answers get lost, and each Salesbot hears once and in order."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots import answering, deliveries
from bots.answering import Draft
from bots.kommo import KommoAnswer, NoAnswer, NotConnected
from bots.models import Conversation, Exchange
from bots.models.exchanges import LEASE
from bots.states import Outcome, State
from tests.cast import a_conversation, an_account, an_exchange

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Kommo:
    """Kommo as the protocol has it: each Salesbot goes on once, and afterwards waits no more."""

    accepted: list[int] = field(default_factory=list)
    calls: Counter[int] = field(default_factory=Counter)
    calls_after_it_may_have_arrived: Counter[int] = field(default_factory=Counter)
    may_have_arrived: set[int] = field(default_factory=set)

    def post(self, pk: int, weather: str) -> deliveries.Result | None:
        """Take a call; None when the worker dies over it."""
        if weather == "no connection":
            return NotConnected("refused", "No connection.")
        self.calls[pk] += 1
        self.calls_after_it_may_have_arrived[pk] += pk in self.may_have_arrived
        if weather in ("429", "401"):
            return KommoAnswer(status=int(weather))
        if weather in ("lost before", "died before"):
            self.may_have_arrived.add(pk)
            return NoAnswer("No answer.") if weather == "lost before" else None
        is_new = pk not in self.accepted
        if is_new:
            self.accepted.append(pk)
        self.may_have_arrived.add(pk)
        if weather == "lost after":
            return NoAnswer("No answer.")
        if weather == "died after":
            return None
        return KommoAnswer(status=202 if is_new else 404)


WEATHER = st.sampled_from(
    ["fine", "fine", "429", "401", "no connection", "lost before", "lost after", "died before", "died after"]
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["claim", "claim", "work", "work", "arrive", "arrive", "die", "sleep"]),
        st.integers(0, 1),
        WEATHER,
        st.integers(0, 15),
    ),
    min_size=20,  # shorter ones hardly get to a call
    max_size=60,
)


@dataclass
class Worker:
    """A worker: what it holds, and its calls that are out."""

    hand: list[Exchange] = field(default_factory=list)
    out: list[Exchange] = field(default_factory=list)


@dataclass
class World:
    """Two workers, one Kommo and a clock, over the real rows."""

    kommo: Kommo = field(default_factory=Kommo)
    now: datetime = NOON
    workers: list[Worker] = field(default_factory=lambda: [Worker(), Worker()])
    replies: Counter[int] = field(default_factory=Counter)

    def step(self, what: str, who: int, weather: str, seconds: int) -> None:
        """Let one worker take one step; "sleep" lets time pass by more than a lease."""
        self.now += timedelta(seconds=seconds)
        worker = self.workers[who]
        if what == "claim":
            worker.hand += Exchange.objects.claim(limit=2, owner=str(who), now=self.now)
        elif what == "die":
            self.workers[who] = Worker()
        elif what == "sleep":
            self.now += LEASE
        elif what == "work" and worker.hand:
            self.work(worker, worker.hand.pop(0))
        elif what == "arrive" and worker.out:
            self.arrive(worker.out.pop(0), weather)

    def work(self, worker: Worker, exchange: Exchange) -> None:
        """Take the next step of an exchange, as the engine does."""
        if exchange.interrupted and exchange.probing:
            deliveries.give_up_unsent(exchange, now=self.now)
        elif not exchange.has_reply:
            draft = Draft(text=f"reply {exchange.pk}", outcome=Outcome.SUCCESS, outputs={})
            stored = answering.store(exchange, draft, now=self.now)
            self.replies[exchange.pk] += stored
            worker.hand += [exchange] if stored else []
        elif deliveries.begin(exchange, now=self.now) is not None:
            worker.out.append(exchange)

    def arrive(self, exchange: Exchange, weather: str) -> None:
        """Let a call that is out reach Kommo, and its answer the worker."""
        result = self.kommo.post(exchange.pk, weather)
        if result is not None:
            deliveries.settle(exchange, result, started_at=self.now, now=self.now)

    def finish(self) -> None:
        """Let one good worker go on until everything has ended."""
        self.workers = [Worker(), Worker()]
        for _ in range(200):
            if not Exchange.objects.open().exists():
                return
            self.step("claim", 0, "fine", 2)
            while self.workers[0].hand or self.workers[0].out:
                self.step("work", 0, "fine", 0)
                self.step("arrive", 0, "fine", 0)


@pytest.mark.django_db
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_dies_or_gets_lost_each_salesbot_hears_once_and_in_order(steps: list[tuple[str, int, str, int]]):
    Exchange.objects.all().delete()
    Conversation.objects.all().delete()
    account = an_account()
    pair = [a_conversation(account), a_conversation(account)]
    exchanges = [an_exchange(conversation=pair[number % 2], received_at=NOON) for number in range(4)]
    world = World()

    for step in steps:
        world.step(*step)
    world.finish()

    kommo = world.kommo
    assert not Exchange.objects.open().exists()
    assert max(world.replies.values()) == 1
    assert max(kommo.calls_after_it_may_have_arrived.values(), default=0) <= 1
    for conversation in pair:
        mine = [exchange.pk for exchange in exchanges if exchange.conversation == conversation]
        assert [pk for pk in kommo.accepted if pk in mine] == sorted(pk for pk in kommo.accepted if pk in mine)
    for exchange in Exchange.objects.all():
        if exchange.state == State.DELIVERED:
            assert exchange.pk in kommo.accepted
        if exchange.pk in kommo.accepted:
            assert exchange.state in (State.DELIVERED, State.UNKNOWN)
