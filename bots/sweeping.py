"""Waking workers for work that no queue row stands for.

A queue row may be locked by a dead cluster, a lease may have run out, a retry may be due, or nothing may have happened
for a while and the worker's sign of life be wanted. The sweeper writes at most one wake-up at a time.
"""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import F, Max, Min
from django.db.models.functions import Coalesce, Greatest

from bots import queue
from bots.models import Exchange, Heartbeat

UNTAKEN = timedelta(seconds=2)  # a running pump takes within its poll
QUIET = timedelta(seconds=8)  # then a sign of life is asked for
FORGOTTEN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the sweeper sees.

    Args:
        oldest_due_s: seconds since the oldest takeable exchange became takeable; None when there is none.
        beat_age_s: seconds since the newest sign of life of any worker; None when there never was one.
    """

    oldest_due_s: float | None
    beat_age_s: float | None

    @property
    def needs_wake(self) -> bool:
        """Whether a worker is to be woken."""
        if self.beat_age_s is None or self.beat_age_s > QUIET.total_seconds():
            return True
        return self.oldest_due_s is not None and self.oldest_due_s > UNTAKEN.total_seconds()


def survey(now: datetime, *, cluster: str | None = None) -> Survey:
    """Look at work and workers.

    Args:
        now: aware time.
        cluster: count the signs of life of this cluster only.
    """
    beats = Heartbeat.objects.filter(cluster=cluster) if cluster else Heartbeat.objects.all()
    newest = beats.aggregate(newest=Max("beat_at"))["newest"]
    received = F("received_at")
    due_since = Greatest(received, Coalesce("lease_until", received), Coalesce("retry_at", received))
    since = Exchange.objects.takeable(now).aggregate(since=Min(due_since))["since"]
    return Survey(
        oldest_due_s=(now - since).total_seconds() if since else None,
        beat_age_s=(now - newest).total_seconds() if newest else None,
    )


def sweep(now: datetime) -> Survey:
    """Forget dead workers, look, and wake a living one when that is needed and no wake-up waits already."""
    forget_dead_workers(now)
    found = survey(now)
    if found.needs_wake and not queue.has_waiting(now):
        queue.enqueue_wake()
    return found


def forget_dead_workers(now: datetime) -> None:
    """Delete the signs of life of workers that live no more: on this host by asking, elsewhere by their age."""
    Heartbeat.objects.filter(beat_at__lt=now - FORGOTTEN).delete()
    here = Heartbeat.objects.filter(name__startswith=f"{socket.gethostname()}:")
    dead = [name for name in here.values_list("name", flat=True) if not _is_running(int(name.rsplit(":", 1)[1]))]
    Heartbeat.objects.filter(name__in=dead).delete()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Say whether a process is dead, and only its parent hasn't looked (Linux; elsewhere its age tells)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"
