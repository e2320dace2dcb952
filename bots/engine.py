"""The pump: one asyncio loop in each worker process that answers many exchanges at once.

A django-q2 task is only a wake-up. It runs this process's pump, which claims what is due in batches, works on all of it
side by side, lingers a few seconds when nothing is open, and returns; so a worker counts as busy while anything runs in
it, and nothing outlives its task. The way of one exchange is `bots.working`.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError

from bots import claims
from bots.models import Exchange
from bots.threads import Threads
from bots.turns import Turns
from bots.waking import Waker
from bots.working import Worker

LINGER_S = 5.0  # how long it stays when nothing is open, so that the next message meets a warm process
BEAT_S = 2.0  # sign of life; leases are renewed with it
BATCH = 32
LIFETIME_S = 600.0  # then it drains and returns, so that the process can be recycled
DRAIN_S = 7.0  # after a stop; what is left then is given back
DRAIN_LOOK_S = 0.2  # how often a drain looks whether a stop came meanwhile

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pump runs: what the supervisor told this process."""

    cluster: str = "alone"
    stop_fd: int | None = None


@dataclass(slots=True)
class _Process:
    """What one worker process keeps between two runs of its pump: the loop and the threads."""

    pid: int
    loop: asyncio.AbstractEventLoop
    threads: Threads


_kept: list[_Process] = []
_kept_lock = threading.Lock()
_place: list[Place] = [Place()]


def place_here(place: Place) -> None:
    """Tell this process, and what it forks, where its pumps run."""
    _place[0] = place


def run() -> int:
    """Run this process's pump until nothing has been open for a while.

    Returns:
        How many exchanges it ended its work on. It never raises: an error is logged and work goes on.
    """
    process = _this_process()
    return process.loop.run_until_complete(_pump(process.threads, _place[0]))


async def _pump(threads: Threads, place: Place) -> int:
    async with Waker(threads) as waker:
        return await Pump(threads, waker, Worker(threads, Turns(threads)), place).run()


def _this_process() -> _Process:
    """Give loop and threads of this process; those of a parent do not survive the fork."""
    with _kept_lock:
        if not _kept or _kept[0].pid != os.getpid():
            _kept[:] = [_Process(os.getpid(), asyncio.new_event_loop(), Threads())]
        return _kept[0]


@dataclass(slots=True)
class Pump:
    """One run of the pump: the loop (`run`), the claim, the beat, the stop."""

    threads: Threads
    waker: Waker
    worker: Worker
    place: Place
    in_flight: dict[asyncio.Task[None], Exchange] = field(default_factory=dict)
    ended: int = 0
    stopping: bool = False
    owner: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")

    async def run(self) -> int:
        """Claim and answer until nothing is open, the lifetime is over, or a stop comes."""
        beat = asyncio.create_task(self._beat())
        try:
            with self._listening_for_stop():
                await self._claim_until_idle()
                await self._drain()
        finally:
            beat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beat
        return self.ended

    async def _claim_until_idle(self) -> None:
        born = last_open = time.monotonic()
        while not self.stopping:
            now = time.monotonic()
            if now - born > LIFETIME_S or (not self.in_flight and now - last_open > LINGER_S):
                return
            may_be_more = await self._claim()
            if self.in_flight:
                last_open = time.monotonic()
            if not may_be_more:
                await self.waker.pause()

    async def _claim(self) -> bool:
        """Claim a batch and begin to work on it; say whether more may be due."""
        capacity = settings.WORKER_CONCURRENCY
        free = capacity - len(self.in_flight)
        if free <= 0:
            return False
        full = claims.full_accounts((exchange.account_id for exchange in self.in_flight.values()), capacity=capacity)
        limit = min(BATCH, max(1, free // 4))  # in small steps, so that nobody takes far more than a share at once
        try:
            found = await self.threads.in_database(claims.claim_due, limit, self.owner, full)
        except DatabaseError as error:
            log.warning("claim failed", extra={"error_type": type(error).__name__})
            await asyncio.sleep(1.0)
            return False
        for exchange in found:
            task = asyncio.create_task(self.worker.work_on(exchange))
            self.in_flight[task] = exchange
            task.add_done_callback(self._done)
        return len(found) == limit

    def _done(self, task: "asyncio.Task[None]") -> None:
        self.in_flight.pop(task, None)
        self.ended += 1

    async def _beat(self) -> None:
        while True:
            held = [(exchange.pk, exchange.claim) for exchange in self.in_flight.values()]
            try:
                await self.threads.in_database(claims.beat, self.owner, self.place.cluster, held)
            except DatabaseError as error:
                log.warning("heartbeat failed", extra={"error_type": type(error).__name__})
            await asyncio.sleep(BEAT_S)

    async def _drain(self) -> None:
        """Finish what runs; after a stop only for a while, then give the rest back."""
        until = None
        while self.in_flight and (until is None or time.monotonic() < until):
            if self.stopping and until is None:
                until = time.monotonic() + DRAIN_S
            await asyncio.wait(self.in_flight, timeout=DRAIN_LOOK_S)
        left = dict(self.in_flight)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1.0)
            await self.threads.in_database(claims.give_back, list(left.values()))

    def _stop(self) -> None:
        self.stopping = True
        self.waker.wake()
        if self.place.stop_fd is not None:  # at its end it stays readable
            asyncio.get_running_loop().remove_reader(self.place.stop_fd)

    @contextlib.contextmanager
    def _listening_for_stop(self) -> Any:
        """Stop at SIGTERM, and when the supervisor closes its end of the pipe, as it also does by dying."""
        loop = asyncio.get_running_loop()
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread:
            loop.add_signal_handler(signal.SIGTERM, self._stop)
        if self.place.stop_fd is not None:
            loop.add_reader(self.place.stop_fd, self._stop)
        try:
            yield
        finally:
            if in_main_thread:
                loop.remove_signal_handler(signal.SIGTERM)
            if self.place.stop_fd is not None:
                loop.remove_reader(self.place.stop_fd)
