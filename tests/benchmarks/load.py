"""Open-loop load, a program of its own: widget_requests leave when they are due, answered or not.

It reads a `Plan` as JSON from stdin and prints what it saw as JSON. A request that leaves late counts from when it was
due, so a slow machine or a slow server can't hide by holding the load back. When too many are unanswered at once it
stops and says so: then the level can't be held.
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt

from tests.benchmarks.stand_ins import MARK

UNANSWERED_MAX = 600
ANSWER_WITHIN_S = 20.0
TEXT = "Do you have it in blue, and how long does it take to reach me?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be sent.

    Args:
        hook_url: where requests go.
        kommo_origin: origin of the account; its continue addresses lie there.
        rate: requests a second.
        seconds: how long.
        first: number of the first exchange; each has the next, and a customer of its own.
    """

    hook_url: str
    kommo_origin: str
    kommo_id: int
    client_id: str
    client_secret: str
    rate: float
    seconds: float
    first: int

    @property
    def count(self) -> int:
        """How many requests that is."""
        return max(1, round(self.rate * self.seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request by the monotonic clock: when it was due, left and was answered; status 0 without an answer."""

    number: int
    due: float
    left: float
    answered: float
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run of the load gave.

    Args:
        unsent: how many never left, because too many were unanswered.
        cpu_s: what the load itself used.
    """

    sent: tuple[Sent, ...]
    unsent: int
    cpu_s: float

    @classmethod
    def from_json(cls, text: str) -> "Load":
        """Read what the program printed."""
        told = json.loads(text)
        return cls(sent=tuple(Sent(**one) for one in told["sent"]), unsent=told["unsent"], cpu_s=told["cpu_s"])


class Sender:
    """Sends a plan's requests, each on a connection of its own as Kommo does."""

    def __init__(self, plan: Plan) -> None:
        """Write every request beforehand: signing is Kommo's time, not ours."""
        self.plan = plan
        address = urlsplit(plan.hook_url)
        self.host, self.port, self.path = address.hostname or "", address.port or 80, address.path
        self.requests = [self._request(plan.first + number) for number in range(plan.count)]
        self.open: set[asyncio.Task[None]] = set()
        self.sent: list[Sent] = []

    async def run(self) -> None:
        """Send, and wait for the answers of what left."""
        start = time.monotonic() + 0.1
        for place, request in enumerate(self.requests):
            due = start + place / self.plan.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if len(self.open) >= UNANSWERED_MAX:
                break
            task = asyncio.create_task(self._send(self.plan.first + place, request, due))
            self.open.add(task)
            task.add_done_callback(self.open.discard)
        if self.open:
            await asyncio.wait(self.open)

    async def _send(self, number: int, request: bytes, due: float) -> None:
        left = time.monotonic()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                status = await self._exchange(request)
        except (OSError, TimeoutError, ValueError, IndexError):
            status = 0
        self.sent.append(Sent(number=number, due=due, left=left, answered=time.monotonic(), status=status))

    async def _exchange(self, request: bytes) -> int:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(request)
            answer = await reader.read()
            return int(answer.split(b" ", 2)[1])
        finally:
            writer.close()

    def _request(self, number: int) -> bytes:
        body = json.dumps(self._body(number)).encode()
        lines = (
            f"POST {self.path} HTTP/1.1", f"Host: {self.host}:{self.port}", "User-Agent: amoCRM-Bot/1.0",
            "Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close", "", "",
        )  # fmt: skip
        return "\r\n".join(lines).encode() + body

    def _body(self, number: int) -> dict[str, Any]:
        plan, now = self.plan, int(time.time())
        claims = {
            "iss": plan.kommo_origin, "aud": "https://bridge.example.com", "iat": now, "nbf": now, "exp": now + 900,
            "account_id": plan.kommo_id, "subdomain": "bench", "client_uuid": plan.client_id, "entity_type": 2,
            "entity_id": 7_000_000 + number, "bot_type": "salesbot",
        }  # fmt: skip
        return {
            "token": jwt.encode(claims, plan.client_secret, algorithm="HS256"),
            "data": {"message": f"{TEXT} ({MARK}{number})", "origin": "telegram", "talk_id": str(number)},
            "return_url": f"{plan.kommo_origin}/api/v4/salesbot/321/continue/{number}",
        }


def main() -> None:
    """Send what stdin asks for."""
    sender = Sender(Plan(**json.load(sys.stdin)))
    before = _cpu_s()
    asyncio.run(sender.run())
    unsent = len(sender.requests) - len(sender.sent)
    load = Load(sent=tuple(sender.sent), unsent=unsent, cpu_s=_cpu_s() - before)
    print(json.dumps(asdict(load)))  # noqa: T201


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
