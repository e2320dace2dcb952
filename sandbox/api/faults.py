"""Misbehaviour on demand, so that a bridge can be tried against it: what is queued or drawn, and how it acts.

A fault is queued for an account, one customer or everybody and acts on the next calls that it fits; a schedule draws
faults by a seed. Both are set in the page or by the control API (`fault_kinds`, `fault_schedule`).
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

from sandbox.api.fault_kinds import KINDS, Fault, Where, kinds_told
from sandbox.api.fault_schedule import Schedule
from sandbox.api.problems import block_page, problem
from sandbox.twists import STRAIGHT, Twist

JSON = dict[str, Any]
ACTED_KEPT: Final = 50
CHUNK: Final = b"A" * 64 * 1024
DRIP_SECONDS: Final = 0.5
LOST_POLL_SECONDS: Final = 0.1
LIMIT_TEXT: Final = "Too many requests"
MISTYPED_BODY: Final = "<html><body><h1>Accepted</h1></body></html>"
DETAILS: Final = {
    400: "Request validation failed",
    401: "Authorization required",
    403: "Access denied",
    404: "The record waiting for a result was not found",
    429: LIMIT_TEXT,
}


class Faults:
    """What goes wrong next: the first queued fault that fits acts, else what the schedule draws."""

    def __init__(self) -> None:
        """Start without any."""
        self._queued: list[Fault] = []
        self._schedule: Schedule | None = None
        self._calls: Counter[tuple[str, str, str]] = Counter()
        self._acted: deque[JSON] = deque(maxlen=ACTED_KEPT)

    def add(self, fault: Fault) -> None:
        """Queue one more."""
        self._queued.append(fault)

    def find(self, number: int) -> Fault | None:
        """Give the queued fault of that id."""
        return next((fault for fault in self._queued if fault.id == number), None)

    def remove(self, fault: Fault) -> None:
        """Drop one."""
        self._queued.remove(fault)

    def clear(self) -> None:
        """Drop all, and the schedule."""
        self._queued.clear()
        self.plan(None)

    def plan(self, schedule: Schedule | None) -> None:
        """Draw by this schedule from now on, its customers' calls counted from 1; None ends it."""
        self._schedule = schedule
        self._calls.clear()

    def listed(self) -> list[JSON]:
        """List what is queued, as JSON."""
        return [fault.told() for fault in self._queued]

    def told(self) -> JSON:
        """Give everything as JSON: queued, schedule, what acted (the newest first), and the kinds there are."""
        schedule = self._schedule.told() if self._schedule else None
        acted = list(reversed(self._acted))
        return {"faults": self.listed(), "schedule": schedule, "acted": acted, "kinds": kinds_told()}

    def take(self, account: str, customer: str) -> Fault | None:
        """Give the fault that acts on this continue call, if any, and count it down."""
        return self._take("continue", account, customer)

    def twist(self, account: str, customer: str) -> Twist:
        """Say what is wrong with this widget_request, and count the fault down."""
        fault = self._take("widget_request", account, customer)
        return _twist(fault) if fault else STRAIGHT

    def _take(self, where: Where, account: str, customer: str) -> Fault | None:
        drawn = self._draw(where, account, customer)
        queued = self._from_queue(where, account, customer)
        fault = queued or drawn
        if fault:
            who = {"account": account, "customer": customer}
            facts = {"kind": fault.kind, "title": KINDS[fault.kind].title, "by": "hand" if queued else "seed"}
            self._acted.append({**facts, **who, "at": time.time()})
        return fault

    def _draw(self, where: Where, account: str, customer: str) -> Fault | None:
        """Ask the schedule; the call counts there even when a queued fault goes first."""
        if self._schedule is None:
            return None
        self._calls[where, account, customer] += 1
        number = self._calls[where, account, customer]
        return self._schedule.draw(where, account=account, customer=customer, number=number)

    def _from_queue(self, where: Where, account: str, customer: str) -> Fault | None:
        fault = next((fault for fault in self._queued if fault.fits(where, account, customer)), None)
        if fault:
            fault.count -= 1
            if fault.count <= 0:
                self._queued.remove(fault)
        return fault


def _twist(fault: Fault) -> Twist:
    told = KINDS[fault.kind].title
    match fault.kind:
        case "clock_skew":
            return Twist(fault=fault.kind, told=f"{told}: {fault.seconds:+g} s", clock_skew_s=round(fault.seconds))
        case "duplicate":
            return Twist(fault=fault.kind, told=f"{told}: {fault.copies} at once", copies=fault.copies - 1)
    return Twist(fault=fault.kind, told=f"{told}: {fault.content_type}", content_type=fault.content_type)


async def misbehave(fault: Fault, request: web.Request, usual: Callable[[], web.Response]) -> web.StreamResponse:
    """Answer as the fault says; `usual` makes the answer that would be given without it."""
    match fault.kind:
        case "slow":
            await asyncio.sleep(fault.seconds)
            return usual()
        case "huge":
            return await _stream_huge(fault, request)
        case "drip":
            return await _drip(fault, request)
        case "lost":
            await _keep_silent(fault, request)
        case "drop_before" | "drop_after":
            pass
        case _:
            return _answer_at_once(fault)
    if request.transport:
        request.transport.abort()
    return usual()  # goes nowhere: the connection is gone


def _answer_at_once(fault: Fault) -> web.Response:
    match fault.kind:
        case "redirect":
            return web.Response(status=307, headers={"Location": fault.url})
        case "block_page":
            return block_page()
        case "rate_limit":
            return problem(429, LIMIT_TEXT, **_retry_after(fault))
        case "wrong_type":
            return web.Response(status=202, text=MISTYPED_BODY, content_type="application/json")
    return _with_status(fault)


def _with_status(fault: Fault) -> web.Response:
    if fault.html:
        page = block_page()
        page.set_status(fault.status)
        return page
    return problem(fault.status, DETAILS.get(fault.status, "The sandbox was asked to fail"), **_retry_after(fault))


def _retry_after(fault: Fault) -> JSON:
    return {} if fault.retry_after is None else {"retry_after": fault.retry_after}


async def _keep_silent(fault: Fault, request: web.Request) -> None:
    """Say nothing until the time is over or the caller has gone."""
    end = time.monotonic() + fault.seconds
    while time.monotonic() < end and request.transport and not request.transport.is_closing():
        await asyncio.sleep(LOST_POLL_SECONDS)


async def _stream_huge(fault: Fault, request: web.Request) -> web.StreamResponse:
    answer = await _begun(request)
    left = fault.size
    with suppress(ConnectionResetError):  # the caller has had enough, as it should
        while left > 0:
            await answer.write(CHUNK[:left])
            left -= len(CHUNK)
    return answer


async def _drip(fault: Fault, request: web.Request) -> web.StreamResponse:
    answer = await _begun(request)
    with suppress(ConnectionResetError):
        for _ in range(round(fault.seconds / DRIP_SECONDS)):
            await answer.write(b".")
            await asyncio.sleep(DRIP_SECONDS)
    return answer


async def _begun(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(status=202, headers={"Content-Type": "text/html"})
    await answer.prepare(request)
    return answer
