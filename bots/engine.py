"""The pump: one asyncio loop in each worker process that answers many exchanges at once.

A django-q2 task is only a wake-up. It runs this process's pump, which claims what is due in batches, works on all of it
side by side, lingers a few seconds when nothing is open, and returns; so a worker counts as busy while anything runs in
it, and nothing outlives its task. Models are asked in the loop; the database and Kommo are called in small thread
pools. Every write says which claim it belongs to, so a worker that lost its lease writes nothing.
"""

import asyncio
import contextlib
import copy
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.utils import timezone

from bots import answering, deliveries, pacing, queue
from bots.intake import log_fields
from bots.models import Exchange, Heartbeat
from bots.states import State, move
from kommobridge.base.keyring import SecretUnreadable

Sent = tuple[datetime, deliveries.Result]
P = ParamSpec("P")
T = TypeVar("T")

POLL_S = 0.03  # how often the database is asked for work while the pump runs
LINGER_S = 5.0  # how long it stays when nothing is open, so that the next message meets a warm process
BEAT_S = 2.0  # sign of life; leases are renewed with it
BATCH = 32
LIFETIME_S = 600.0  # then it drains and returns, so that the process can be recycled
DRAIN_S = 7.0  # after a stop; what is left then is given back
OVERDUE_WAIT = timedelta(seconds=60)  # for one whose end passed while no worker ran
DATABASE_THREADS = 3
KOMMO_THREADS = 16
SETTLE_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)  # together within a lease
LEAD = timedelta(milliseconds=250)  # a call is written down so much before its place, to leave in time
LATE = timedelta(milliseconds=80)  # within what the pace allows for

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
    database: ThreadPoolExecutor
    kommo: ThreadPoolExecutor


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
    pump = Pump(process.database, process.kommo, place=_place[0])
    return process.loop.run_until_complete(pump.run())


def _this_process() -> _Process:
    """Give loop and threads of this process; those of a parent do not survive the fork."""
    with _kept_lock:
        if not _kept or _kept[0].pid != os.getpid():
            _kept[:] = [
                _Process(
                    os.getpid(),
                    asyncio.new_event_loop(),
                    ThreadPoolExecutor(DATABASE_THREADS, "database"),
                    ThreadPoolExecutor(KOMMO_THREADS, "kommo"),
                )
            ]
        return _kept[0]


@dataclass(slots=True)
class Pump:
    """One run of the pump. Its parts are the loop (`run`), the claim, the beat, and the way of one exchange."""

    database: ThreadPoolExecutor
    kommo: ThreadPoolExecutor
    place: Place
    in_flight: dict[asyncio.Task[None], Exchange] = field(default_factory=dict)
    ended: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
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
        while not self.stopping.is_set():
            now = time.monotonic()
            if now - born > LIFETIME_S or (not self.in_flight and now - last_open > LINGER_S):
                return
            claimed = await self._claim()
            if claimed or self.in_flight:
                last_open = time.monotonic()
            if not claimed:
                await self._pause()

    async def _claim(self) -> int:
        free = settings.WORKER_CONCURRENCY - len(self.in_flight)
        if free <= 0:
            return 0
        try:
            found = await self._in_database(claim_due, min(free, BATCH), self.owner)
        except DatabaseError as error:
            log.warning("claim failed", extra={"error_type": type(error).__name__})
            await asyncio.sleep(1.0)
            return 0
        for exchange in found:
            task = asyncio.create_task(self._answer(exchange))
            self.in_flight[task] = exchange
            task.add_done_callback(self._done)
        return len(found)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self.in_flight.pop(task, None)
        self.ended += 1

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), POLL_S)

    async def _beat(self) -> None:
        while True:
            claims = [(exchange.pk, exchange.claim) for exchange in self.in_flight.values()]
            try:
                await self._in_database(beat, self.owner, self.place.cluster, claims)
            except DatabaseError as error:
                log.warning("heartbeat failed", extra={"error_type": type(error).__name__})
            await asyncio.sleep(BEAT_S)

    async def _drain(self) -> None:
        """Finish what runs; after a stop only for a while, then give the rest back."""
        if not self.in_flight:
            return
        running = list(self.in_flight.items())
        await asyncio.wait([task for task, _ in running], timeout=DRAIN_S if self.stopping.is_set() else None)
        left = [(task, exchange) for task, exchange in running if not task.done()]
        for task, _ in left:
            task.cancel()
        if left:
            await asyncio.wait([task for task, _ in left], timeout=1.0)
            await self._in_database(give_back, [exchange for _, exchange in left])

    # the way of one exchange

    async def _answer(self, exchange: Exchange) -> None:
        try:
            await self._take_all_steps(exchange)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("exchange step failed", extra=log_fields(exchange) | {"error_type": type(error).__name__})
            with contextlib.suppress(DatabaseError):  # then the lease runs out by itself
                await self._in_database(let_go, exchange)

    async def _take_all_steps(self, exchange: Exchange) -> None:
        if exchange.interrupted and exchange.probing:
            await self._in_database(deliveries.give_up_unsent, exchange, now=timezone.now())
            return
        if not exchange.has_reply and not await self._store_reply(exchange):
            return
        await self._deliver(exchange)

    async def _store_reply(self, exchange: Exchange) -> bool:
        draft = answering.decide(exchange, now=timezone.now()) or await self._ask(exchange)
        return await self._in_database(answering.store, exchange, draft, now=timezone.now())

    async def _ask(self, exchange: Exchange) -> answering.Draft:
        try:
            briefing = await self._in_database(answering.load, exchange)
        except SecretUnreadable:
            return answering.unreadable_secret(exchange)
        return await answering.ask(exchange, briefing, now=timezone.now())

    async def _deliver(self, exchange: Exchange) -> None:
        place = await self._in_database(place_for, exchange)
        if place is None:
            await self._in_database(deliveries.end_without_place, exchange, now=timezone.now())
            return
        await _sleep_until(place - LEAD)
        try:
            parcel = await self._in_database(deliveries.begin, exchange, now=timezone.now())
        except SecretUnreadable:
            await self._in_database(deliveries.unreadable_token, exchange, now=timezone.now())
            return
        if parcel is None:
            return
        sent = await self._send_in_place(parcel, place, exchange)
        if sent is None:
            return
        started_at, result = sent
        settled = await self._settle(exchange, result, started_at)
        log.info("continue answered", extra=log_fields(settled) | {"state": settled.state, "posts": settled.posts})

    async def _settle(self, exchange: Exchange, result: deliveries.Result, started_at: datetime) -> Exchange:
        """Write down what came back; a database that fails meanwhile is asked again, or the call would go out twice."""
        pauses_s = iter(SETTLE_PAUSES_S)
        while True:
            written = copy.copy(exchange)  # a failed write must leave no trace on ours
            try:
                await self._in_database(deliveries.settle, written, result, started_at=started_at, now=timezone.now())
            except DatabaseError:
                pause_s = next(pauses_s, None)
                if pause_s is None:
                    raise
                await asyncio.sleep(pause_s)
            else:
                return written

    async def _send_in_place(self, parcel: deliveries.Parcel, place: datetime, exchange: Exchange) -> Sent | None:
        """Call Kommo at its time; a call that was held up on its way out takes another place, if it is still ours."""
        while True:
            await _sleep_until(place)
            started_at = timezone.now()
            result = await asyncio.get_running_loop().run_in_executor(self.kommo, send_unless_late, parcel, place)
            if result is not None:
                return started_at, result
            another = await self._in_database(another_place, exchange)
            if another is None:
                return None
            place = another

    async def _in_database(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def call() -> T:
            close_old_connections()
            return function(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self.database, call)

    # stopping

    @contextlib.contextmanager
    def _listening_for_stop(self) -> Any:
        """Stop at SIGTERM, and when the supervisor closes its end of the pipe, as it also does by dying."""
        loop = asyncio.get_running_loop()
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread:
            loop.add_signal_handler(signal.SIGTERM, self.stopping.set)
        if self.place.stop_fd is not None:
            loop.add_reader(self.place.stop_fd, self.stopping.set)
        try:
            yield
        finally:
            if in_main_thread:
                loop.remove_signal_handler(signal.SIGTERM)
            if self.place.stop_fd is not None:
                loop.remove_reader(self.place.stop_fd)


async def _sleep_until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - timezone.now()).total_seconds()))


def place_for(exchange: Exchange) -> datetime | None:
    """Take a place among the calls to Kommo; None when there is none before the exchange's end.

    The clock is read here, in the thread: a place that was booked for a moment long gone would break the pace.
    """
    now = timezone.now()
    until = max(exchange.end_due, now + OVERDUE_WAIT)
    return pacing.take_place(rate=settings.KOMMO_RATE, now=now, until=until)


def another_place(exchange: Exchange) -> datetime | None:
    """Take a new place for a call that was held up; None when its worker stood still so long that another took over."""
    still_ours = Exchange.objects.open().filter(pk=exchange.pk, claim=exchange.claim).exists()
    return (place_for(exchange) or timezone.now()) if still_ours else None


def send_unless_late(parcel: deliveries.Parcel, place: datetime) -> deliveries.Result | None:
    """Call Kommo, or give None when the place has passed: the threads were busy, or the machine was."""
    return None if timezone.now() - place > LATE else deliveries.send(parcel)


def claim_due(limit: int, owner: str) -> list[Exchange]:
    """Claim what is due, and delete the queue rows that stand for it."""
    now = timezone.now()
    if not Exchange.objects.takeable(now).exists():  # a look costs no write lock
        return []
    found = Exchange.objects.claim(limit=limit, owner=owner, now=now)
    queue.forget([exchange.queue_row for exchange in found if exchange.queue_row])
    return found


def beat(owner: str, cluster: str, claims: list[tuple[int, int]]) -> None:
    """Write a sign of life and hold the leases of what is in flight."""
    now = timezone.now()
    values = {
        "cluster": cluster, "beat_at": now, "in_flight": len(claims), "capacity": settings.WORKER_CONCURRENCY,
    }  # fmt: skip
    Heartbeat.objects.update_or_create(name=owner, defaults=values)
    if claims:
        Exchange.objects.renew(claims, now=now)


def give_back(exchanges: list[Exchange]) -> None:
    """Put back what was not finished before a stop; a call that is out keeps its lease."""
    now = timezone.now()
    for exchange in exchanges:
        if exchange.state == State.ANSWERING:
            move(
                exchange,
                State.RECEIVED,
                now=now,
                why="stop",
                lease_until=None,
                answer_claims=exchange.answer_claims - 1,
            )
        elif exchange.state == State.ANSWERED or not exchange.post_out:
            Exchange.objects.filter(pk=exchange.pk, claim=exchange.claim).update(lease_until=None)


def let_go(exchange: Exchange, *, now: datetime | None = None) -> None:
    """After an error of our own: shorten the lease, so that the next try comes soon but not at once."""
    moment = now or timezone.now()
    pause = deliveries.BACKOFF_S[min(exchange.claim, len(deliveries.BACKOFF_S)) - 1]
    due = moment + timedelta(seconds=pause)
    if moment >= exchange.end_due and exchange.is_open:
        ended = State.UNKNOWN if exchange.state == State.SENDING else State.FAILED
        text = "An error of our own; see the log."
        deliveries.end(exchange, ended, now=moment, why="defect", reason="defect", reason_text=text)
        return
    Exchange.objects.filter(pk=exchange.pk, claim=exchange.claim).update(lease_until=due)
