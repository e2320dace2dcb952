"""The request limit: so many a second, counted by address and by account; who presses on is shut out for a time.

Source: protocol §9.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

# A client that paces itself exactly at the limit is late or early by some milliseconds; that is not its fault.
WINDOW_SECONDS: Final = 0.95
PRESS_SECONDS: Final = 10.0  # refusals are counted over this time before an address is blocked
KEYS_MAX: Final = 10_000


class RateLimit:
    """A sliding window per key; refused requests are not counted, so whoever slows down is served again."""

    def __init__(
        self,
        per_second: float,
        *,
        block_after: int = 0,
        block_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Allow `per_second` requests for each key; 0 allows all.

        Args:
            per_second: requests for a key.
            block_after: refused requests of an address within ten seconds that block it; 0 for never.
            block_s: how long it stays blocked.
            clock: gives seconds.
        """
        self.per_second = per_second
        self._block_after, self._block_s = block_after, block_s
        self._clock = clock
        self._times: dict[str, deque[float]] = {}
        self._refused: dict[str, deque[float]] = {}
        self._blocked_until: dict[str, float] = {}

    def admits(self, key: str) -> bool:
        """Count one request for this key if there is room, else say no."""
        if not self.per_second:
            return True
        now = self._clock()
        times = self._times.setdefault(key, deque())
        _drop_before(times, now - WINDOW_SECONDS)
        if len(times) >= self.per_second:
            return False
        times.append(now)
        self._forget_old(now)
        return True

    def refuse(self, address: str) -> None:
        """Count a refusal of this address, and block it when it had too many."""
        if not self._block_after:
            return
        now = self._clock()
        refused = self._refused.setdefault(address, deque())
        _drop_before(refused, now - PRESS_SECONDS)
        refused.append(now)
        if len(refused) > self._block_after:
            self._blocked_until[address] = now + self._block_s
            refused.clear()

    def is_blocked(self, address: str) -> bool:
        """Tell whether the address is shut out now."""
        return self._clock() < self._blocked_until.get(address, float("-inf"))

    def _forget_old(self, now: float) -> None:
        if len(self._times) > KEYS_MAX:
            self._times = {key: times for key, times in self._times.items() if times and times[-1] > now - 1}


def _drop_before(times: deque[float], until: float) -> None:
    while times and times[0] <= until:
        times.popleft()
