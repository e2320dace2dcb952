"""Waking: PostgreSQL tells a waiting pump of work; without that the database is asked again and again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from django.db import connection

from bots import waking
from bots.threads import Threads
from bots.waking import CHANNEL, HEARD_POLL_S, POLL_S, Waker
from tests.bots.one_thread import one_thread
from tests.cast import an_account, an_exchange

T = TypeVar("T")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def threads():
    with one_thread() as only:
        yield only


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Ask again and again until the answer is true, for ten seconds at most."""
    end = time.monotonic() + 10
    while not await condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def run(threads: Threads, story: Callable[[Waker], Awaitable[T]]) -> T:
    async def told() -> T:
        async with Waker(threads) as waker:
            return await story(waker)

    return asyncio.run(told())


def listeners() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE query = %s", [f"LISTEN {CHANNEL}"])
        return [pid for (pid,) in cursor.fetchall()]


def cut(backends: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s::int[]) AS pid", [backends])


def test_a_pause_ends_when_somebody_wakes(threads: Threads, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waking, "POLL_S", 60.0)

    async def story(waker: Waker) -> None:
        waker.wake()
        await asyncio.wait_for(waker.pause(), 10)

    run(threads, story)


def test_without_notices_the_database_is_asked_often(threads: Threads):
    async def story(waker: Waker) -> float:
        await waker.pause()
        return waker.poll_s

    assert run(threads, story) == POLL_S


def test_a_stored_exchange_is_heard_and_after_a_cut_it_is_listened_anew(threads: Threads):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite tells nobody")
    account = an_account()

    async def story(waker: Waker) -> None:
        for _ in range(2):
            await until(lambda: threads.in_database(listeners))
            await threads.in_database(an_exchange, account)
            await until(lambda: is_slow(waker))
            await threads.in_database(cut, await threads.in_database(listeners))
            await until(lambda: is_fast(waker))

    async def is_slow(waker: Waker) -> bool:
        return waker.poll_s == HEARD_POLL_S

    async def is_fast(waker: Waker) -> bool:
        return waker.poll_s == POLL_S

    run(threads, story)
