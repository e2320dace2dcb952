"""Knowing at once that there is work: PostgreSQL tells it on a connection of its own, SQLite is asked again and again.

A trigger notifies with each exchange that is stored (migration 0005). A pooler between us and PostgreSQL may swallow
notices, so the short poll ends only once one was heard.
"""

import asyncio
import contextlib
import time
from types import TracebackType
from typing import Any, Self

from django.db import Error as DatabaseError
from django.db import connection, connections

from bots.threads import Threads

CHANNEL = "kommobridge_work"
POLL_S = 0.03  # how often the database is asked for work while nothing tells
HEARD_POLL_S = 0.25  # likewise once notices come: for retries and successors, which nobody tells
GAP_S = 0.02  # at least between two pauses' ends: under load one look finds several
LISTEN_AGAIN_S = 1.0


class Waker:
    """Lets a pump sleep until there may be work: `async with Waker(threads) as waker: await waker.pause()`."""

    def __init__(self, threads: Threads) -> None:
        """Prepare; nothing is opened yet."""
        self.threads = threads
        self._woken = asyncio.Event()
        self._heard = False
        self._ended_at = 0.0  # when the last pause ended, by the monotonic clock
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to listen where the database can tell."""
        if connection.vendor == "postgresql":
            self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no more."""
        if self._listening:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening

    def wake(self) -> None:
        """End the pause: something changed that may have made work."""
        self._woken.set()

    @property
    def poll_s(self) -> float:
        """How long a pause lasts at most."""
        return HEARD_POLL_S if self._heard else POLL_S

    async def pause(self) -> None:
        """Sleep until somebody wakes, or until it is time to look again."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), self.poll_s)
        await asyncio.sleep(max(0.0, self._ended_at + GAP_S - time.monotonic()))
        self._woken.clear()
        self._ended_at = time.monotonic()

    async def _listen(self) -> None:
        while True:
            try:
                notices = await self._opened()
            except DatabaseError:
                await asyncio.sleep(LISTEN_AGAIN_S)
                continue
            try:
                await self._hear(notices)
            finally:
                self._heard = False
                notices.close()

    async def _opened(self) -> Any:
        """Open the connection; when we are told to end meanwhile, it is closed again."""
        opening = asyncio.ensure_future(self.threads.in_database(open_notices))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            with contextlib.suppress(DatabaseError):
                (await opening).close()
            raise

    async def _hear(self, notices: Any) -> None:
        """Wake with each notice until the connection ends."""
        loop, readable, socket = asyncio.get_running_loop(), asyncio.Event(), notices.fileno()
        loop.add_reader(socket, readable.set)
        try:
            while True:
                await readable.wait()
                readable.clear()
                notices.pgconn.consume_input()
                while notices.pgconn.notifies():
                    self._heard = True
                    self._woken.set()
        except notices.OperationalError:
            return
        finally:
            loop.remove_reader(socket)


def open_notices() -> Any:
    """Open a connection that hears of new exchanges; psycopg's own, since it is read in the loop."""
    wrapper: Any = connections.create_connection("default")
    wrapper.connect()
    with wrapper.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    return wrapper.connection
