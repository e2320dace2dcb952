"""Misbehaviour of the continue endpoint on demand, so that a bridge can be tried against it.

A fault is queued by the control API for an account or one customer and acts on the next continue calls it fits.
Kinds: `status` (an answer with that status), `drop_before` and `drop_after` (the connection is cut before or after the
continue is accepted), `redirect` (307 elsewhere), `huge` (a body without end), `slow` (a late answer), `drip` (an
answer that trickles).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final

from aiohttp import web

from sandbox.api.problems import block_page, problem

KINDS: Final = ("status", "drop_before", "drop_after", "redirect", "huge", "slow", "drip")
ACCEPTS: Final = frozenset({"drop_after", "huge", "slow", "drip"})  # the continue counts, its answer is the trouble
HUGE_BYTES: Final = 1_000_000_000
CHUNK: Final = b"A" * 64 * 1024
DRIP_SECONDS: Final = 0.5
DETAILS: Final = {
    400: "Request validation failed",
    401: "Authorization required",
    403: "Access denied",
    404: "The record waiting for a result was not found",
    429: "Too many requests",
}


@dataclass(slots=True, kw_only=True)
class Fault:
    """One queued misbehaviour.

    Args:
        kind: one of `KINDS`.
        account: subdomain that it is for; empty for any.
        customer: customer that it is for; empty for any.
        count: how many calls it still acts on.
        accept: whether the continue is accepted before the fault acts; None takes the kind's way.
        status: for `status`.
        html: for `status`: a web server's plain page instead of problem+json (a blocked address, with 403).
        retry_after: for `status`: seconds, in the body; None leaves it out.
        url: for `redirect`.
        seconds: for `slow` and `drip`: how long.
        size: for `huge`: bytes.
    """

    kind: str
    account: str = ""
    customer: str = ""
    count: int = 1
    accept: bool | None = None
    status: int = 500
    html: bool = False
    retry_after: float | None = None
    url: str = ""
    seconds: float = 10.0
    size: int = HUGE_BYTES

    @property
    def accepts(self) -> bool:
        """Tell whether the continue counts although its answer is bad."""
        if self.kind in {"drop_before", "drop_after"} or self.accept is None:
            return self.kind in ACCEPTS
        return self.accept

    @property
    def answer_status(self) -> int | None:
        """Give the status that the caller reads; None when the connection is cut."""
        if self.kind in {"drop_before", "drop_after"}:
            return None
        return {"status": self.status, "redirect": 307}.get(self.kind, 202)

    def fits(self, account: str, customer: str) -> bool:
        """Tell whether it is meant for a continue of this chat."""
        return self.account in {"", account} and self.customer in {"", customer}


class Faults:
    """Queued faults; the first that fits acts."""

    def __init__(self) -> None:
        """Start without any."""
        self._queued: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Queue one more."""
        self._queued.append(fault)

    def clear(self) -> None:
        """Drop all."""
        self._queued.clear()

    def listed(self) -> list[dict[str, Any]]:
        """List what is queued, as JSON."""
        return [asdict(fault) for fault in self._queued]

    def take(self, account: str, customer: str) -> Fault | None:
        """Give the fault that acts on this call, if any, and count it down."""
        fault = next((fault for fault in self._queued if fault.fits(account, customer)), None)
        if fault:
            fault.count -= 1
            if fault.count <= 0:
                self._queued.remove(fault)
        return fault


async def misbehave(fault: Fault, request: web.Request, usual: Callable[[], web.Response]) -> web.StreamResponse:
    """Answer as the fault says; `usual` makes the answer that would be given without it."""
    match fault.kind:
        case "status":
            return _with_status(fault)
        case "redirect":
            return web.Response(status=307, headers={"Location": fault.url})
        case "slow":
            await asyncio.sleep(fault.seconds)
            return usual()
        case "huge":
            return await _stream_huge(fault, request)
        case "drip":
            return await _drip(fault, request)
    if request.transport:
        request.transport.abort()
    return usual()  # goes nowhere: the connection is gone


def _with_status(fault: Fault) -> web.Response:
    if fault.html:
        page = block_page()
        page.set_status(fault.status)
        return page
    more = {} if fault.retry_after is None else {"retry_after": fault.retry_after}
    return problem(fault.status, DETAILS.get(fault.status, "The sandbox was asked to fail"), **more)


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
