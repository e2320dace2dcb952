"""The sandbox's clock: the real one, which can be moved forward, and what is to happen at a time.

A Salesbot's pause of an hour is over as soon as the clock was moved by an hour. Tokens keep the real time: a bridge
reads them with its own clock.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MOVE_MAX_SECONDS = 8760 * 3600  # the longest pause (protocol §3.3)


@dataclass(slots=True, order=True)
class Alarm:
    """One thing to do at a time of the sandbox's clock."""

    at: float
    number: int
    call: Callable[[], None] = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Let it not happen."""
        self.is_cancelled = True


class Clock:
    """Real time plus what it was moved by; belongs to one event loop, which may be absent while nothing is timed."""

    def __init__(self) -> None:
        """Start at the real time."""
        self.offset = 0.0
        self._alarms: list[Alarm] = []
        self._numbers = itertools.count()
        self._wake: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Give the sandbox's time in unix seconds."""
        return time.time() + self.offset

    def call_later(self, seconds: float, call: Callable[[], None]) -> Alarm:
        """Call back when the sandbox's clock is `seconds` further."""
        alarm = Alarm(self.now() + seconds, next(self._numbers), call)
        heapq.heappush(self._alarms, alarm)
        self._plan()
        return alarm

    def advance(self, seconds: float) -> None:
        """Move the clock forward; what falls due happens now, in its order, each at its own time.

        Raises:
            ValueError: it would go back, or further than a year.
        """
        if not 0 <= seconds <= MOVE_MAX_SECONDS:
            raise ValueError(f"seconds: must be from 0 to {MOVE_MAX_SECONDS}")
        target = self.now() + seconds
        while (alarm := self._next_due(target)) is not None:
            self.offset += max(0.0, alarm.at - self.now())
            alarm.call()
        self.offset += max(0.0, target - self.now())
        self._plan()

    def close(self) -> None:
        """Forget all that is planned."""
        self._alarms.clear()
        if self._wake:
            self._wake.cancel()

    def _next_due(self, until: float) -> Alarm | None:
        while self._alarms and (self._alarms[0].is_cancelled or self._alarms[0].at <= until):
            alarm = heapq.heappop(self._alarms)
            if not alarm.is_cancelled:
                return alarm
        return None

    def _plan(self) -> None:
        """Wake up when the next alarm is due."""
        if self._wake:
            self._wake.cancel()
            self._wake = None
        if self._alarms:
            wait = max(0.0, self._alarms[0].at - self.now())
            self._wake = asyncio.get_running_loop().call_later(wait, self._ring)

    def _ring(self) -> None:
        self._wake = None
        while (alarm := self._next_due(self.now())) is not None:
            alarm.call()
        self._plan()
