"""The whole life of exchanges as a state machine: hypothesis chooses who does what next, over the real rows.

Requests come, workers claim, answer and send step by step, die, stand still and wake, Kommo answers as it likes, and
time passes. After each step everything that was promised is looked at; in the end a living worker finishes what is
left.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bots import answering, claims, deliveries, intake, pacing, sweeping
from bots.answering import Draft
from bots.kommo import ReturnUrl, TokenFacts, WidgetData
from bots.models import Account, Exchange, Message
from bots.models.exchanges import LEASE
from bots.states import MOVES, SETTLED, Outcome, State
from bots.working import LATE, OVERDUE_WAIT
from tests.bots.weather import WEATHER, Kommo
from tests.cast import a_bot, an_account

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LONG = "Yes, we have it in blue. It comes in two sizes. " * 8
CHOSEN = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # to shrink an example takes minutes: add Phase.shrink to look into one
)
FEWER = settings(CHOSEN, max_examples=20)  # on PostgreSQL, where each takes longer
WORKERS = ("one", "two", "three")
LAST = "last"

Row = dict[str, Any]

TEXT = st.sampled_from(["Do you have it in blue?", "And in red?", ""])
WORKER = st.sampled_from(WORKERS)
WHICH = st.integers(0, 2)
LEFT = st.sampled_from([0, 0, 1, 2, 2, 3])  # 2: the call is written down and not made, 1: made and not settled
DRAFTS = {
    "success": Draft(text=LONG, outcome=Outcome.SUCCESS, outputs={}),
    "handoff": Draft(text="A colleague takes over.", outcome=Outcome.HANDOFF, outputs={"city": "Lima"}),
    "silent": Draft(text="", outcome=Outcome.SILENT, outputs={}),
    "no model": answering.fallback(None, "no_reply", "Every model failed."),
}
REPLY = st.sampled_from(sorted(DRAFTS))


@dataclass
class Hand:
    """An exchange in a worker's hands, as it saw it when it claimed it, and how far the worker has come with it."""

    exchange: Exchange
    draft: Draft | None = None
    place: datetime | None = None
    parcel: deliveries.Parcel | None = None
    result: deliveries.Result | None = None

    @property
    def steps_left(self) -> int:
        """How many steps are left: from deciding over storing, the place, the beginning and the call to settling."""
        done = [self.draft or self.exchange.has_reply, self.exchange.has_reply, self.place, self.parcel, self.result]
        return 6 - sum(map(bool, done))


class Exchanges(RuleBasedStateMachine):
    """The rules: what can happen. The invariants: what must hold whatever happens."""

    seen: Counter[str] = Counter()  # over all runs: what was reached at all

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.savepoint()
        self.now = NOON
        self.clock = mock.patch.object(timezone, "now", self.tell_time)
        self.clock.start()
        self.kommo = Kommo()
        self.hands: dict[str, list[Hand]] = {}
        self.asked: list[tuple[int, ReturnUrl]] = []
        self.rows: dict[int, Row] = {}  # as they were after the last step
        self.arrived: set[str] = set()  # likewise: what may have reached Kommo by then

    @initialize(weather=st.lists(WEATHER, min_size=3, max_size=3))
    def begin(self, weather: list[list[str]]) -> None:
        self.account = an_account()
        self.bot = a_bot(self.account, fallback_text="Later.")
        for conversation, coming in zip((0, 0, 1), weather, strict=True):
            self.a_request_comes(conversation, "Do you have it in blue?", coming)

    def teardown(self) -> None:
        try:
            if hasattr(self, "account"):
                self.finish()
        finally:
            self.clock.stop()
            transaction.savepoint_rollback(self.savepoint)

    def tell_time(self) -> datetime:
        return self.now

    # what Kommo does

    @rule(
        conversation=st.integers(0, 1),
        text=st.sampled_from(["Do you have it in blue?", "And in red?", ""]),
        weather=WEATHER,
    )
    def a_request_comes(self, conversation: int, text: str, weather: list[str]) -> None:
        url = ReturnUrl(bot_type="salesbot", salesbot_id="4711", continue_id=str(88_000_000 + len(self.asked)))
        self.asked.append((conversation, url))
        self.kommo.weather[url.continue_id] = list(weather)
        assert self.take(conversation, url, text)

    @rule(data=st.data())
    def a_request_comes_again(self, data: st.DataObject) -> None:
        conversation, url = data.draw(st.sampled_from(self.asked))
        assert not self.take(conversation, url, "Another text?")

    def take(self, conversation: int, url: ReturnUrl, text: str) -> bool:
        facts = TokenFacts(
            algorithm="HS256", secret_index=0, entity_type=2, entity_id=str(5_000_000 + conversation),
            account_id=self.account.kommo_id, subdomain="acme", bot_type="salesbot", jti="", aud="", issued_at=None,
            expires_at=self.now + SECOND,
        )  # fmt: skip
        data = WidgetData(message=text, origin="telegram")
        return intake.take(self.account, facts=facts, data=data, return_url=url, encoding="json", now=self.now)

    # what workers do

    @rule(worker=WORKER, limit=st.integers(1, 3))
    def a_worker_claims(self, worker: str, limit: int) -> None:
        leases = {row["id"]: row["lease_until"] for row in Exchange.objects.open().values("id", "lease_until")}
        for exchange in claims.claim_due(limit, worker):
            lease = leases[exchange.pk]
            assert lease is None or lease <= self.now
            earlier = Exchange.objects.open().filter(conversation=exchange.conversation_id, pk__lt=exchange.pk)
            assert not earlier.exists()
            self.hands.setdefault(worker, []).append(Hand(exchange))

    @rule(worker=WORKER, which=WHICH, reply=REPLY)
    def a_worker_takes_a_step(self, worker: str, which: int, reply: str) -> None:
        if hand := self.hand_of(worker, which):
            self.step(worker, hand, reply)

    @rule(worker=WORKER, which=WHICH, reply=REPLY, left=LEFT, stands_still=st.booleans())
    def a_worker_goes_on(self, worker: str, which: int, reply: str, left: int, *, stands_still: bool) -> None:
        """Let a worker go on with an exchange until so many of its steps are left, and then perhaps stand still."""
        hand = self.hand_of(worker, which)
        while hand and hand in self.hands[worker] and hand.steps_left > left:
            self.step(worker, hand, reply)
        if stands_still and hand in self.hands.get(worker, []):
            self.now += LEASE

    @rule(worker=WORKER, what=st.sampled_from(["dies", "is stopped", "stumbles", "gets no place"]))
    def a_worker_ends_its_work(self, worker: str, what: str) -> None:
        held = [hand.exchange for hand in self.hands.pop(worker, [])]
        if what == "is stopped":
            claims.give_back(held)
        for exchange in held:
            if what == "stumbles":
                claims.let_go(exchange, now=self.now)
            if what == "gets no place" and exchange.has_reply and not exchange.post_out:
                deliveries.end_without_place(exchange, now=self.now)

    def hand_of(self, worker: str, which: int) -> Hand | None:
        """Give one of the exchanges that a worker holds; one that holds none claims first."""
        if not self.hands.get(worker):
            self.a_worker_claims(worker, 2)
        held = self.hands.get(worker)
        return held[which % len(held)] if held else None

    def drop(self, worker: str, hand: Hand) -> None:
        self.hands[worker].remove(hand)

    def step(self, worker: str, hand: Hand, reply: str) -> None:
        """Take one step of an exchange, in the order in which the pump takes them."""
        if not next(self.steps(hand, reply)):
            self.drop(worker, hand)

    def steps(self, hand: Hand, reply: str) -> Iterator[bool]:
        """Give whether the worker goes on after the one step that is due."""
        exchange = hand.exchange
        if hand.result is not None:
            deliveries.settle(exchange, hand.result, started_at=self.now, now=self.now)
            yield False
        elif hand.parcel is not None:
            yield self.call(hand)
        elif exchange.interrupted and exchange.probing:
            deliveries.give_up_unsent(exchange, now=self.now)
            yield False
        elif not exchange.has_reply and hand.draft is None:
            hand.draft = answering.decide(exchange, now=self.now) or DRAFTS[reply]
            yield True
        elif not exchange.has_reply:
            assert hand.draft
            yield answering.store(exchange, hand.draft, now=self.now)
        elif hand.place is None:
            hand.place = self.a_place(exchange)
            yield hand.place is not None
        else:
            hand.parcel = deliveries.begin(exchange, now=self.now)
            yield hand.parcel is not None

    def a_place(self, exchange: Exchange) -> datetime | None:
        """Wait for a place among the calls to Kommo."""
        until = max(exchange.end_due, self.now + OVERDUE_WAIT)
        taken = pacing.take_places(1, rate=7, now=self.now, until=until).taken
        if not taken:
            return None
        self.now = max(self.now, taken[0])  # nothing is written down before the place is near
        return taken[0]

    def call(self, hand: Hand) -> bool:
        """Make the call; one that was held up takes another place first, as the pump does."""
        assert hand.place
        assert hand.parcel
        if self.now - hand.place > LATE:
            hand.place = self.a_place(hand.exchange) if claims.is_ours(hand.exchange) else None
            self.seen["held up and lost"] += hand.place is None
            return hand.place is not None
        assert Exchange.objects.get(pk=hand.exchange.pk).is_open, "a call goes out for what has ended"
        hand.result = self.kommo.take(hand.exchange.continue_id, hand.parcel.body)
        return True

    # time, the sweeper and the owner

    @rule(seconds=st.sampled_from([1, 1, 3, 8, 13, 31]), beating=st.sets(st.sampled_from(WORKERS)))
    def time_passes(self, seconds: int, beating: set[str]) -> None:
        """Let time pass; whoever does not beat stands still, and what it holds may be taken from it."""
        self.now += seconds * SECOND
        for worker in sorted(beating):
            held = self.hands.get(worker, [])
            claims.beat(worker, "cluster", [(hand.exchange.pk, hand.exchange.claim) for hand in held])

    @rule()
    def the_end_comes_near(self) -> None:
        due = Exchange.objects.open().order_by("end_due").values_list("end_due", flat=True).first()
        self.now = max(self.now, due - 2 * SECOND) if due else self.now

    @rule()
    def the_sweeper_sweeps(self) -> None:
        found = sweeping.sweep(self.now)
        if found.needs_wake:
            assert OrmQ.objects.exists()

    @rule(enabled=st.sampled_from([True, True, False]))
    def the_owner_switches_the_account(self, *, enabled: bool) -> None:
        Account.objects.update(enabled=enabled)

    # what holds after each step

    @invariant()
    def all_promises_hold(self) -> None:
        self.every_change_was_allowed()
        self.kommo_heard_each_reply_once()
        self.the_state_tells_the_truth()
        self.no_more_than_one_wake_up_waits()

    def every_change_was_allowed(self) -> None:
        before, self.rows = self.rows, {row["id"]: dict(row) for row in Exchange.objects.values()}
        assert before.keys() <= self.rows.keys()
        for pk, row in self.rows.items():
            states = [State(entry["state"]) for entry in row["timeline"]]
            assert states[-1] == row["state"]
            # whoever claims what another held takes two moves in one
            for here, there in itertools.pairwise(states):
                assert there in MOVES[here] or (here, there) == (State.ANSWERING, State.ANSWERING)
            if pk in before:
                self.look_at_change(before[pk], row)
        self.arrived = set(self.kommo.may_have_arrived)

    def look_at_change(self, old: Row, new: Row) -> None:
        assert new["timeline"][: len(old["timeline"])] == old["timeline"]
        assert new["claim"] >= old["claim"]
        if old["state"] in SETTLED:
            assert new == old | {"lease_until": new["lease_until"]}
        if old["body"] is not None and new["body"] != old["body"]:
            was_silenced = new["outcome"] == Outcome.SILENT and new["body"]["data"]["message"] == ""
            was_shortened = new["shortened"] and len(new["reply_text"]) < len(old["reply_text"])
            assert was_silenced or was_shortened
            assert new["continue_id"] not in self.arrived

    def kommo_heard_each_reply_once(self) -> None:
        for continue_id, calls in self.kommo.calls.items():
            late = [call for call in calls if call.is_probe]
            assert len(late) <= 1
            assert all(call.body == calls[-2].body for call in late)
            assert self.kommo.accepted[continue_id] <= 1

    def the_state_tells_the_truth(self) -> None:
        for row in self.rows.values():
            may_have_arrived = row["continue_id"] in self.kommo.may_have_arrived
            if row["state"] == State.DELIVERED:
                assert self.kommo.accepted[row["continue_id"]] == 1
            elif row["state"] in SETTLED - {State.UNKNOWN}:
                assert not may_have_arrived

    def no_more_than_one_wake_up_waits(self) -> None:
        of_exchanges = Exchange.objects.filter(queue_row__isnull=False).values("queue_row")
        assert OrmQ.objects.exclude(pk__in=of_exchanges).count() <= 1

    # the end

    def finish(self) -> None:
        """Let one living worker finish; then whoever stood still wakes, and changes nothing any more."""
        asleep, self.hands = self.hands, {}
        for _ in range(100):
            self.a_worker_claims(LAST, 3)
            self.work_off(LAST)
            self.every_change_was_allowed()
            if not Exchange.objects.open().exists():
                break
            self.now += 2 * SECOND
        assert not Exchange.objects.open().exists(), list(Exchange.objects.open().values())

        self.hands = asleep
        for worker in sorted(asleep):
            self.work_off(worker)
        self.all_promises_hold()
        self.each_reply_that_may_have_arrived_stands_in_its_conversation()
        self.seen.update(row["state"] for row in self.rows.values())
        late = [call for calls in self.kommo.calls.values() for call in calls if call.is_probe]
        self.seen["probe"] += len(late)
        self.seen["shortened"] += sum(row["shortened"] for row in self.rows.values())

    def work_off(self, worker: str) -> None:
        while self.hands.get(worker):
            self.step(worker, self.hands[worker][0], "success")

    def each_reply_that_may_have_arrived_stands_in_its_conversation(self) -> None:
        told = Counter(Message.objects.filter(role=Message.Role.BOT).values_list("exchange", flat=True))
        for pk, row in self.rows.items():
            shown = row["state"] in (State.DELIVERED, State.UNKNOWN) and row["reply_text"] != ""
            assert told[pk] == int(shown), row


@pytest.mark.django_db
def test_whatever_happens_each_exchange_ends_and_kommo_hears_each_reply_once(settings: Any):
    settings.KOMMO_RATE = 1000  # a place is always free, except where the rule says that there is none
    Exchanges.seen.clear()

    chosen = CHOSEN if connection.vendor == "sqlite" else FEWER
    run_state_machine_as_test(Exchanges, settings=chosen)

    # else it would have looked at fine weather only
    assert {State.DELIVERED, State.UNKNOWN, State.GONE, State.REJECTED, "probe", "shortened"} <= (
        +Exchanges.seen
    ).keys()
