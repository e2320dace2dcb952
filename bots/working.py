"""The way of one claimed exchange through a worker: reply, place among the calls to Kommo, call, end.

Models are asked in the loop; the database and Kommo are called in threads. Every write says which claim it belongs to,
so a worker that lost its lease writes nothing.
"""

import asyncio
import contextlib
import copy
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error as DatabaseError
from django.db import transaction
from django.utils import timezone

from bots import answering, claims, deliveries
from bots.intake import log_fields
from bots.kommo import KommoAnswer
from bots.models import Exchange
from bots.threads import Threads
from bots.turns import Turns
from kommobridge.base.keyring import SecretUnreadable

OVERDUE_WAIT = timedelta(seconds=60)  # for one whose end passed while no worker ran
SETTLE_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)  # together within a lease
LATE = timedelta(milliseconds=80)  # within what the pace allows for

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """Takes claimed exchanges as far as they get."""

    threads: Threads
    turns: Turns

    async def work_on(self, exchange: Exchange) -> None:
        """Answer and deliver one exchange. It never raises but for being cancelled."""
        try:
            await self._take_all_steps(exchange)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("exchange step failed", extra=log_fields(exchange) | {"error_type": type(error).__name__})
            with contextlib.suppress(DatabaseError):  # then the lease runs out by itself
                await self.threads.in_database(claims.let_go, exchange)

    async def _take_all_steps(self, exchange: Exchange) -> None:
        if exchange.interrupted and exchange.probing:
            await self.threads.in_database(deliveries.give_up_unsent, exchange, now=timezone.now())
            return
        draft = None if exchange.has_reply else await self._draft(exchange)
        place = None  # it comes last, so that it is not over when everything is written
        if not self.turns.is_free:  # but a long wait is for what is stored and not yet begun
            if draft and not await self.threads.in_database(answering.store, exchange, draft, now=timezone.now()):
                return
            draft, place = None, await self._place(exchange)
            if place is None:
                return
        parcel = await self.threads.in_database(write_down, exchange, draft)
        if parcel:
            await self._call(exchange, parcel, place)

    async def _draft(self, exchange: Exchange) -> answering.Draft:
        decided = answering.decide(exchange, now=timezone.now())
        if decided:
            return decided
        try:
            briefing = await self.threads.in_database(answering.load, exchange)
        except SecretUnreadable:
            return answering.unreadable_secret(exchange)
        return await answering.ask(exchange, briefing, now=timezone.now())

    async def _place(self, exchange: Exchange) -> datetime | None:
        """Wait for a place among the calls to Kommo; without one in time the exchange ends."""
        until = max(exchange.end_due, timezone.now() + OVERDUE_WAIT)
        place = await self.turns.place(exchange.account_id, until=until)
        if place is None:
            await self.threads.in_database(deliveries.end_without_place, exchange, now=timezone.now())
        return place

    async def _call(self, exchange: Exchange, parcel: deliveries.Parcel, place: datetime | None) -> None:
        sent = await self._send_in_place(exchange, parcel, place)
        if sent is None:
            return
        started_at, result = sent
        settled = await self._settle(exchange, result, started_at)
        if isinstance(result, KommoAnswer):
            await self.turns.heed(result, exchange_id=exchange.pk)
        log.info("continue answered", extra=log_fields(settled) | {"state": settled.state, "posts": settled.posts})

    async def _send_in_place(
        self, exchange: Exchange, parcel: deliveries.Parcel, place: datetime | None
    ) -> tuple[datetime, deliveries.Result] | None:
        """Call Kommo at its time; a call that was held up on its way out takes another place, if it is still ours.

        Returns:
            When the call went out and what came of it; None when it didn't go out.
        """
        while place := place or await self._place(exchange):
            await asyncio.sleep(max(0.0, (place - timezone.now()).total_seconds()))
            started_at = timezone.now()
            result = await self.threads.to_kommo(send_unless_late, parcel, place)
            if result is not None:
                return started_at, result
            if not await self.threads.in_database(claims.is_ours, exchange):  # we stood still, another took over
                return None
            place = None
        return None

    async def _settle(self, exchange: Exchange, result: deliveries.Result, started_at: datetime) -> Exchange:
        """Write down what came back; a database that fails is asked again, or the call would go out twice."""
        pauses_s = iter(SETTLE_PAUSES_S)
        while True:
            written = copy.copy(exchange)  # a failed write must leave no trace on ours
            now = timezone.now()
            try:
                await self.threads.in_database(deliveries.settle, written, result, started_at=started_at, now=now)
            except DatabaseError:
                pause_s = next(pauses_s, None)
                if pause_s is None:
                    raise
                await asyncio.sleep(pause_s)
            else:
                return written


def write_down(exchange: Exchange, draft: answering.Draft | None) -> deliveries.Parcel | None:
    """Store a new reply and write that its call goes out, in one transaction.

    Returns:
        None when nothing goes out: the token can't be read, or the exchange is another worker's by now.
    """
    now = timezone.now()
    with transaction.atomic(durable=True):
        if draft is not None and not answering.store(exchange, draft, now=now):
            return None
        try:
            return deliveries.begin(exchange, now=now)
        except SecretUnreadable:
            deliveries.unreadable_token(exchange, now=now)
            return None


def send_unless_late(parcel: deliveries.Parcel, place: datetime) -> deliveries.Result | None:
    """Call Kommo, or give None when the place has passed: the threads were busy, or the machine was."""
    return None if timezone.now() - place > LATE else deliveries.send(parcel)
