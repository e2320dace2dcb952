"""The sweeper: it wakes a worker when something is due that no queue row stands for, and not otherwise."""

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_q.models import OrmQ

from bots import queue
from bots.models import Heartbeat
from bots.states import State
from bots.sweeping import FORGOTTEN, QUIET, UNTAKEN, Survey, survey, sweep
from tests.cast import a_conversation, an_exchange

NOW = datetime.now(UTC)  # django-q2 dates its rows by the real clock
HERE = socket.gethostname()


def a_beat(name: str = f"{HERE}:{os.getpid()}", *, age: timedelta = timedelta(0), cluster: str = "one") -> Heartbeat:
    """Make a worker's sign of life; by default of this process, which lives."""
    return Heartbeat.objects.create(name=name, cluster=cluster, beat_at=NOW - age)


def a_second(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


# the decision


@pytest.mark.parametrize(
    ("oldest_due_s", "beat_age_s", "needs_wake"),
    [
        (None, 0.0, False),
        (None, QUIET.total_seconds(), False),
        (None, QUIET.total_seconds() + 0.1, True),
        (None, None, True),
        (UNTAKEN.total_seconds(), 0.0, False),
        (UNTAKEN.total_seconds() + 0.1, 0.0, True),
        (600.0, None, True),
    ],
    ids=["idle", "quiet", "quiet too long", "never a sign", "just due", "due and not taken", "work and no worker"],
)
def test_a_worker_is_woken_when_work_or_its_sign_of_life_is_late(
    *, oldest_due_s: float | None, beat_age_s: float | None, needs_wake: bool
):
    assert Survey(oldest_due_s=oldest_due_s, beat_age_s=beat_age_s).needs_wake is needs_wake


# the look


@pytest.mark.django_db
def test_nothing_stored_is_nothing_due_and_no_sign_of_life():
    assert survey(NOW) == Survey(oldest_due_s=None, beat_age_s=None)


@pytest.mark.django_db
def test_the_newest_sign_of_life_counts():
    a_beat(age=a_second(3))
    a_beat(f"{HERE}:0", age=a_second(50))
    assert survey(NOW).beat_age_s == 3.0


@pytest.mark.django_db
def test_the_signs_of_another_cluster_can_be_left_out():
    a_beat(age=a_second(3), cluster="old")
    assert survey(NOW, cluster="new").beat_age_s is None
    assert survey(NOW, cluster="old").beat_age_s == 3.0


@pytest.mark.django_db
def test_an_exchange_is_due_from_its_receipt():
    an_exchange(received_at=NOW - a_second(5))
    assert survey(NOW).oldest_due_s == 5.0


@pytest.mark.django_db
def test_an_exchange_whose_lease_ran_out_is_due_since_then():
    an_exchange(state=State.ANSWERING, received_at=NOW - a_second(50), lease_until=NOW - a_second(4))
    assert survey(NOW).oldest_due_s == 4.0


@pytest.mark.django_db
def test_an_exchange_whose_retry_is_due_is_due_since_then():
    an_exchange(state=State.SENDING, received_at=NOW - a_second(50), retry_at=NOW - a_second(1))
    assert survey(NOW).oldest_due_s == 1.0


@pytest.mark.django_db
def test_a_retry_that_is_just_due_does_not_hide_an_exchange_that_has_waited_long():
    an_exchange(state=State.SENDING, received_at=NOW - a_second(50), retry_at=NOW - a_second(1))
    an_exchange(state=State.ANSWERING, received_at=NOW - a_second(50), lease_until=NOW - a_second(4))
    an_exchange(received_at=NOW - a_second(20))
    assert survey(NOW).oldest_due_s == 20.0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "lease_s", "retry_s"),
    [
        (State.ANSWERING, 5, None),
        (State.SENDING, None, 5),
        (State.DELIVERED, None, None),
        (State.FAILED, -5, -5),
    ],
    ids=["leased", "a retry that is not due", "delivered", "failed"],
)
def test_what_is_not_to_be_taken_is_not_due(state: State, lease_s: float | None, retry_s: float | None):
    def moment(seconds: float | None) -> datetime | None:
        return None if seconds is None else NOW + a_second(seconds)

    fields: dict[str, Any] = {"lease_until": moment(lease_s), "retry_at": moment(retry_s)}
    an_exchange(state=state, received_at=NOW - a_second(50), **fields)
    assert survey(NOW).oldest_due_s is None


@pytest.mark.django_db
def test_an_exchange_that_an_earlier_one_holds_back_is_not_due():
    conversation = a_conversation()
    an_exchange(conversation=conversation, state=State.ANSWERING, lease_until=NOW + a_second(5))
    an_exchange(conversation=conversation, received_at=NOW - a_second(50))
    assert survey(NOW).oldest_due_s is None


# the deed


@pytest.mark.django_db
def test_a_worker_is_woken_once_however_often_is_swept():
    for _ in range(3):
        sweep(datetime.now(UTC))
    assert [row.func() for row in OrmQ.objects.all()] == ["bots.tasks.wake"]


@pytest.mark.django_db
def test_a_queue_row_that_waits_is_wake_up_enough():
    queue.enqueue_wake()
    sweep(datetime.now(UTC))
    assert OrmQ.objects.count() == 1


@pytest.mark.django_db
def test_a_queue_row_that_a_dead_cluster_holds_is_no_wake_up():
    queue.enqueue_wake()
    OrmQ.objects.update(lock=NOW + timedelta(hours=1))
    sweep(datetime.now(UTC))
    assert OrmQ.objects.count() == 2


@pytest.mark.django_db
def test_nobody_is_woken_when_all_is_well():
    a_beat()
    an_exchange(received_at=NOW - a_second(1))
    sweep(NOW)
    assert not OrmQ.objects.exists()


@pytest.mark.django_db
def test_work_that_nobody_takes_wakes_a_worker_although_one_shows_signs_of_life():
    a_beat()
    an_exchange(received_at=NOW - a_second(3))
    sweep(NOW)
    assert OrmQ.objects.count() == 1


@pytest.mark.django_db
def test_workers_that_live_no_more_are_forgotten():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    a_beat(f"{HERE}:{ended.pid}")
    a_beat("elsewhere:1", age=FORGOTTEN + a_second(1))
    a_beat("elsewhere:2", age=FORGOTTEN - a_second(1))
    mine = a_beat()

    sweep(NOW)

    assert set(Heartbeat.objects.values_list("name", flat=True)) == {mine.name, "elsewhere:2"}
