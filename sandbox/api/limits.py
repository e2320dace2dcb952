"""The request limit: so many a second, counted by address and by account.

Source: protocol §9.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

# A client that paces itself exactly at the limit is late or early by some milliseconds; that is not its fault.
WINDOW_SECONDS: Final = 0.95
KEYS_MAX: Final = 10_000


class RateLimit:
    """A sliding window per key; refused requests are not counted, so whoever slows down is served again."""

    def __init__(self, per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow `per_second` requests for each key; 0 allows all."""
        self.per_second = per_second
        self._clock = clock
        self._times: dict[str, deque[float]] = {}

    def admits(self, key: str) -> bool:
        """Count one request for this key if there is room, else say no."""
        if not self.per_second:
            return True
        now = self._clock()
        times = self._times.setdefault(key, deque())
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if len(times) >= self.per_second:
            return False
        times.append(now)
        self._forget_old(now)
        return True

    def _forget_old(self, now: float) -> None:
        if len(self._times) > KEYS_MAX:
            self._times = {key: times for key, times in self._times.items() if times and times[-1] > now - 1}
