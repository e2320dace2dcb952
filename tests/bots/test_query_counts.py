"""What an exchange costs the database: each statement is a round trip, and at 80 exchanges a second they are the load.

The tables hold how many statements each step sends, and how many of them only begin or end a transaction. A number
that falls is lowered here, one that rises needs a reason. Not counted, since Django sends it below its log: on
PostgreSQL the check of a kept connection, one more round trip for each request and for each call in a worker's thread.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import llm
from bots import answering, claims, deliveries, pacing
from bots.kommo import KommoAnswer
from bots.models import Account, Exchange
from bots.states import Outcome, State
from bots.working import write_down
from tests.bots.door import Door
from tests.cast import a_bot, a_model_choice, a_provider, an_account

T = TypeVar("T")
Cost = tuple[int, int]  # statements, and of them those that begin or end a transaction

FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE SAVEPOINT")

WEBHOOK: dict[str, Cost] = {
    "first message of a customer": (8, 2),
    "next message of a customer": (8, 2),
    "second copy of a request": (8, 2),
}
WORKER: dict[str, Cost] = {
    "claim": (6, 2),
    "load": (3, 0),
    "write down": (8, 2),
    "place": (4, 2),
    "settle": (5, 2),
}


@dataclass
class Meter:
    """Counts the statements of one step after the other."""

    costs: dict[str, Cost] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def measure(self, step: str, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Take a step and keep what it sent."""
        with CaptureQueriesContext(connection) as sent:
            result = call(*args, **kwargs)
        statements = [query["sql"] for query in sent.captured_queries]
        frame = sum(statement.startswith(FRAME) for statement in statements)
        self.costs[step] = (len(statements), frame)
        self.told += [f"{step}: {statement[:120]}" for statement in statements]
        return result

    def assert_costs(self, expected: dict[str, Cost]) -> None:
        """Compare with a table; what was sent is shown when they differ."""
        assert self.costs == expected, "\n".join(self.told)


@pytest.fixture
def account() -> Account:
    """Give an account with one bot and one model."""
    account = an_account()
    a_model_choice(a_bot(account), a_provider(account, name="main"))
    return account


@pytest.fixture(autouse=True)
def a_known_pace(account: Account) -> None:
    """Have the rows that are made once in a deployment's life."""
    Door(account).knock()
    claims.claim_due(10, "host:1")
    a_place()
    Exchange.objects.update(state=State.DELIVERED, lease_until=None)


def knocking(account: Account, continue_id: int, *, entity_id: int) -> Callable[[], None]:
    """Prepare a request, and give what sends it: making one reads the account's address, which isn't the webhook's."""
    door, key = Door(account), account.key
    body = door.body(continue_id, token=door.token(entity_id=entity_id))

    def knock() -> None:
        assert door.knock(body, key=key).status_code == 200

    return knock


@pytest.mark.django_db(transaction=True)
def test_the_webhook_sends_no_more_statements_than_the_table_says(account: Account):
    meter = Meter()

    meter.measure("first message of a customer", knocking(account, 77, entity_id=7))
    meter.measure("next message of a customer", knocking(account, 78, entity_id=7))
    meter.measure("second copy of a request", knocking(account, 78, entity_id=7))

    meter.assert_costs(WEBHOOK)


@pytest.mark.django_db(transaction=True)
def test_the_workers_way_of_an_exchange_sends_no_more_statements_than_the_table_says(account: Account):
    knocking(account, 77, entity_id=7)()
    meter = Meter()

    exchange = take_all_steps(meter, account)

    exchange.refresh_from_db()
    assert exchange.state == State.DELIVERED
    meter.assert_costs(WORKER)


@pytest.mark.django_db(transaction=True)
def test_a_claim_of_many_sends_as_few_statements_as_a_claim_of_one(account: Account):
    for number in range(12):
        knocking(account, 100 + number, entity_id=100 + number)()
    meter = Meter()

    claimed = meter.measure("claim", claims.claim_due, 32, "host:1")

    assert len(claimed) == 12
    meter.assert_costs({"claim": WORKER["claim"]})


@pytest.mark.django_db(transaction=True)
def test_a_look_for_work_when_there_is_none_is_one_statement():
    meter = Meter()

    assert meter.measure("look", claims.claim_due, 32, "host:1") == []

    meter.assert_costs({"look": (1, 0)})


def take_all_steps(meter: Meter, account: Account) -> Exchange:
    """Answer what is due as the pump does, with a model and a Kommo that are quick and kind."""
    (exchange,) = meter.measure("claim", claims.claim_due, 32, "host:1")
    assert meter.measure("load", answering.load, exchange).config.choices
    assert meter.measure("write down", write_down, exchange, a_draft())
    started_at = meter.measure("place", a_place)
    kind = KommoAnswer(status=202)
    assert meter.measure("settle", deliveries.settle, exchange, kind, started_at=started_at, now=datetime.now(UTC))
    return exchange


def a_place() -> datetime:
    now = datetime.now(UTC)
    return pacing.take_places(1, rate=7, now=now, until=now).taken[0]


def a_draft() -> answering.Draft:
    """Give a reply that one call of a model led to."""
    call = llm.Call(
        provider="main", vendor="openai", model="gpt-4o-mini", started_at=datetime.now(UTC), latency_ms=812, ok=True,
        messages=({"role": "user", "content": "Do you have it in blue?"},),
    )  # fmt: skip
    return answering.Draft(text="Yes.", outcome=Outcome.SUCCESS, outputs={}, calls=(call,))
