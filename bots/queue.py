"""The door to django-q2: the only place that puts a task into the queue.

A queue row only wakes a worker; the exchange rows are the truth. It is written on the current connection, so inside a
transaction it is stored together with its exchange or not at all.
"""

from datetime import datetime
from typing import Any

from django_q.brokers.orm import ORM
from django_q.models import OrmQ
from django_q.tasks import async_task

QUEUE = "kommobridge"


class RememberingBroker(ORM):  # type: ignore[misc]  # untyped library
    """django-q2's database broker, which also tells the key of the row that it wrote."""

    row: int = 0

    def enqueue(self, task: str) -> int:
        """Write the row and keep its key."""
        self.row = int(super().enqueue(task))
        return self.row


def enqueue_wake() -> int:
    """Queue a wake-up: one for each exchange, and one when work has none: an expired lease, a retry, a sign of life.

    Returns:
        The key of the queue row, by which the claim of its exchange deletes it.
    """
    broker = RememberingBroker(list_key=QUEUE)
    async_task("bots.tasks.wake", broker=broker, task_name="wake")
    return broker.row


def forget(rows: list[int]) -> None:
    """Delete the queue rows of exchanges that a worker has claimed."""
    if rows:
        OrmQ.objects.filter(pk__in=rows).delete()


def has_waiting(now: datetime) -> bool:
    """Say whether a row waits that no cluster has taken; then one more would wake nobody sooner."""
    return bool(OrmQ.objects.filter(lock__lte=now).exists())


def new_cluster() -> Any:
    """Make a django-q2 cluster, not yet started; its import connects nothing."""
    from django_q.cluster import Cluster  # noqa: PLC0415  reads settings and sets signal handlers: only in its process

    return Cluster()
