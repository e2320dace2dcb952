"""What a worker writes about its claims: taking what is due, holding it, and giving it back."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bots import deliveries, queue
from bots.models import Exchange, Heartbeat
from bots.states import State, move

SHARE = 8  # an account is full when it holds this many times what is free


def full_accounts(held: Iterable[int], *, capacity: int) -> list[int]:
    """Say which accounts hold their share of a worker already.

    One account alone may fill eight ninths of it, two about half each: the more there is to do for some, the more
    room is still kept for the next account that has a message.

    Args:
        held: the account of each exchange in flight.
        capacity: how many the worker takes at once.
    """
    counts = Counter(held)
    free = capacity - counts.total()
    return [account for account, count in counts.items() if count > SHARE * free]


def claim_due(limit: int, owner: str, full: Collection[int] = ()) -> list[Exchange]:
    """Claim what is due, and delete the queue rows that stand for it.

    Args:
        limit: how many at most.
        owner: the worker's name.
        full: accounts that hold their share already.
    """
    now = timezone.now()
    if not Exchange.objects.takeable(now).exists():  # a look costs one statement, and on SQLite no write lock
        return []
    with transaction.atomic(durable=True):
        found = Exchange.objects.claim(limit=limit, owner=owner, now=now, full=full)
        queue.forget([exchange.queue_row for exchange in found if exchange.queue_row])
    return found


def is_ours(exchange: Exchange) -> bool:
    """Say whether a claim still holds: nobody took the exchange over, and it has not ended."""
    return Exchange.objects.open().filter(pk=exchange.pk, claim=exchange.claim).exists()


def beat(owner: str, cluster: str, claims: list[tuple[int, int]]) -> None:
    """Write a sign of life and hold the leases of what is in flight."""
    now = timezone.now()
    values = {
        "cluster": cluster, "beat_at": now, "in_flight": len(claims), "capacity": settings.WORKER_CONCURRENCY,
    }  # fmt: skip
    Heartbeat.objects.update_or_create(name=owner, defaults=values)
    if claims:
        Exchange.objects.renew(claims, now=now)


def give_back(exchanges: list[Exchange]) -> None:
    """Put back what was not finished before a stop; a call that is out keeps its lease."""
    now = timezone.now()
    for exchange in exchanges:
        if exchange.state == State.ANSWERING:
            fewer = exchange.answer_claims - 1
            move(exchange, State.RECEIVED, now=now, why="stop", lease_until=None, answer_claims=fewer)
        elif exchange.state == State.ANSWERED or not exchange.post_out:
            Exchange.objects.filter(pk=exchange.pk, claim=exchange.claim).update(lease_until=None)


def let_go(exchange: Exchange, *, now: datetime | None = None) -> None:
    """After an error of our own: shorten the lease, so that the next try comes soon but not at once."""
    moment = now or timezone.now()
    pause = deliveries.BACKOFF_S[min(exchange.claim, len(deliveries.BACKOFF_S)) - 1]
    due = moment + timedelta(seconds=pause)
    if moment >= exchange.end_due and exchange.is_open:
        ended = State.UNKNOWN if exchange.state == State.SENDING else State.FAILED
        text = "An error of our own; see the log."
        deliveries.end(exchange, ended, now=moment, why="defect", reason="defect", reason_text=text)
        return
    Exchange.objects.filter(pk=exchange.pk, claim=exchange.claim).update(lease_until=due)
