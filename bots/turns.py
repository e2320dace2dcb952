"""Whose turn it is to call Kommo: accounts take turns, and within one account first come is first served.

All processes share one pace (`bots.pacing`). A place is taken only shortly before it is due, so that an account with
few replies need not stand behind the hundreds of another.
"""

import asyncio
import contextlib
import logging
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from bots import pacing
from bots.kommo import KommoAnswer
from bots.threads import Threads

LEAD = timedelta(milliseconds=250)  # how long before it is due a place is taken
AT_ONCE = 16  # places taken together
PAUSE_S = 0.05  # at least, before asking again for a place that wasn't free
PAUSE_MAX_S = 1.0  # at most: somebody's time may be over
AGAIN_S = 1.0  # after an error of the database
BLOCKED = 3  # so many exchanges in a row met the block page: then it is the address, and everybody pauses

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Waiter:
    account_id: int
    until: datetime
    place: "asyncio.Future[datetime | None]"


@dataclass(slots=True)
class Turns:
    """Gives this process's calls their places."""

    threads: Threads
    _lines: dict[int, deque[_Waiter]] = field(default_factory=dict)  # by account; the first account is next
    _serving: "asyncio.Task[None] | None" = None
    _blocked: set[int] = field(default_factory=set)  # exchanges that met the block page since the last other answer

    @property
    def is_free(self) -> bool:
        """Whether nobody waits here for a place."""
        return not self._lines

    async def place(self, account_id: int, *, until: datetime) -> datetime | None:
        """Wait for a place.

        Args:
            account_id: whose call it is.
            until: give up then.

        Returns:
            When to call: now, or in a moment; None when there was no place until then.
        """
        waiter = _Waiter(account_id, until, asyncio.get_running_loop().create_future())
        self._lines.setdefault(account_id, deque()).append(waiter)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        return await waiter.place

    async def heed(self, answer: KommoAnswer, *, exchange_id: int) -> None:
        """Learn from Kommo's answer: when it blocks this server's address, nobody calls for a while."""
        if not answer.is_block_page:
            self._blocked.clear()
            return
        self._blocked.add(exchange_id)
        if len(self._blocked) >= BLOCKED:
            self._blocked.clear()
            log.warning("calls to Kommo pause: it blocks this address")
            with contextlib.suppress(DatabaseError):
                await self.threads.for_places(pacing.hold, timezone.now())

    async def _serve(self) -> None:
        """Take places as long as somebody waits."""
        while self._lines:
            self._send_away(timezone.now())
            wanted = min(AT_ONCE, sum(map(len, self._lines.values())))
            pause_s = await self._give(wanted) if wanted else 0.0
            await asyncio.sleep(pause_s)

    async def _give(self, wanted: int) -> float:
        """Give out what is free, and say how long to pause then."""
        try:
            places = await self.threads.for_places(_take, wanted)
        except DatabaseError:
            return AGAIN_S
        for place in places.taken:
            waiter = self._next()
            if waiter is None:
                break  # they were cancelled meanwhile; the pace forgets the place within a second
            waiter.place.set_result(place)
        if places.next_at is None:
            return 0.0
        return min(max(PAUSE_S, (places.next_at - LEAD - timezone.now()).total_seconds()), PAUSE_MAX_S)

    def _next(self) -> _Waiter | None:
        """Take the first of the account whose turn it is, and let that account stand behind the others."""
        while self._lines:
            account_id, line = next(iter(self._lines.items()))
            del self._lines[account_id]
            waiter = line.popleft()
            if line:
                self._lines[account_id] = line
            if not waiter.place.done():
                return waiter
        return None

    def _send_away(self, now: datetime) -> None:
        """Tell those whose time is over, and forget those who were cancelled."""
        for account_id, line in list(self._lines.items()):
            for waiter in [waiter for waiter in line if waiter.place.done() or waiter.until <= now]:
                line.remove(waiter)
                with contextlib.suppress(asyncio.InvalidStateError):
                    waiter.place.set_result(None)
            if not line:
                del self._lines[account_id]


def _take(count: int) -> pacing.Places:
    """Take places; the clock is read here, in the thread: one for a moment long gone would break the pace."""
    now = timezone.now()
    return pacing.take_places(count, rate=settings.KOMMO_RATE, now=now, until=now + LEAD)
