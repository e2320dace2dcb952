"""/healthz says that the process lives, /readyz what the deployment lacks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from bots.models import Heartbeat
from bots.models.workers import STALE
from bots.states import State
from kommobridge.health import WAITING_MAX_S
from tests.cast import an_exchange


def ask(path: str = "/readyz") -> tuple[int, dict[str, Any]]:
    """Ask, and give status and body."""
    answer = Client().get(path)
    return answer.status_code, answer.json()


def a_beat(age: timedelta = timedelta(0), name: str = "host:1") -> None:
    """Have a worker that gave its last sign of life so long ago."""
    Heartbeat.objects.create(name=name, cluster="one", beat_at=datetime.now(tz=UTC) - age)


def failing(error: type[Exception]) -> Callable[..., Any]:
    """Let every statement fail."""

    def run(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        raise error("canary-of-the-database's-own-words")

    return run


@pytest.mark.django_db
def test_with_database_migrations_and_a_worker_it_is_ready():
    a_beat()

    status, told = ask()

    assert (status, told["status"]) == (200, "ready")
    assert [name for name, check in told.items() if name != "status" and not check["ok"]] == []


@pytest.mark.django_db
def test_without_a_worker_it_is_not_ready_and_says_so():
    status, told = ask()

    assert (status, told["status"], told["worker"]) == (503, "not ready", {"ok": False, "detail": "no worker runs"})
    assert told["database"]["ok"]
    assert told["migrations"]["ok"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("age", "status"),
    [(STALE - timedelta(seconds=2), 200), (STALE + timedelta(seconds=1), 503)],
    ids=["a moment ago", "too long ago"],
)
def test_a_sign_of_life_counts_for_a_while(age: timedelta, status: int):
    a_beat(age)

    assert ask()[0] == status


@pytest.mark.django_db
def test_one_living_worker_is_enough_beside_dead_ones():
    a_beat(timedelta(hours=1), "host:1")
    a_beat(timedelta(0), "host:2")

    assert ask()[0] == 200


@pytest.mark.django_db
def test_a_migration_that_is_due_makes_it_not_ready_and_names_the_command():
    a_beat()
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("bots")
    MigrationRecorder(connection).record_unapplied(*newest)

    status, told = ask()

    assert (status, told["migrations"]["ok"]) == (503, False)
    assert "python manage.py migrate" in told["migrations"]["detail"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("waited_s", "status"), [(WAITING_MAX_S - 5, 200), (WAITING_MAX_S + 5, 503)], ids=["not for long", "for too long"]
)
def test_an_exchange_that_nobody_takes_makes_it_not_ready(waited_s: float, status: int):
    a_beat()
    an_exchange(received_at=datetime.now(tz=UTC) - timedelta(seconds=waited_s))

    assert ask()[0] == status


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.DELIVERED, State.FAILED])
def test_an_exchange_that_has_ended_waits_for_nobody(state: State):
    a_beat()
    an_exchange(state=state, received_at=datetime.now(tz=UTC) - timedelta(hours=1))

    assert ask()[0] == 200


@pytest.mark.django_db
def test_an_exchange_that_somebody_works_on_waits_for_nobody():
    a_beat()
    now = datetime.now(tz=UTC)
    long_ago, lease = now - timedelta(minutes=2), now + timedelta(seconds=10)
    an_exchange(state=State.ANSWERING, received_at=long_ago, lease_until=lease)

    assert ask()[0] == 200


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_fails_makes_it_not_ready_without_its_own_words(error: type[Exception]):
    with connection.execute_wrapper(failing(error)):
        status, told = ask()

    assert (status, told["status"], told["database"]["ok"]) == (503, "not ready", False)
    assert "canary" not in str(told)


def test_the_process_lives_whatever_the_database_does():
    # without the database mark any statement would fail this test
    assert ask("/healthz") == (200, {"status": "ok"})


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_answer_is_never_kept_by_a_cache(path: str):
    assert "no-store" in Client().get(path)["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_looking_is_allowed(path: str, method: str):
    assert Client().generic(method, path).status_code == 405
