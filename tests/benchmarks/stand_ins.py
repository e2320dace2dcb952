"""The model and Kommo's continue address as two programs that cost little, and remember when each exchange met them.

`python -m tests.benchmarks.stand_ins model --delay 5` answers like OpenAI after so many seconds;
`python -m tests.benchmarks.stand_ins kommo` takes each continue once. Both print their port and listen on loopback.
`GET /_journal` gives what they saw, by the number of the exchange, `DELETE /_journal` forgets it. Times are those of
the monotonic clock, which all processes of a machine share.
"""

import argparse
import asyncio
import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

ACCESS_TOKEN = "benchmark-access-token"
MARK = "bench-"  # stands before the number of an exchange in the customer's text
NUMBER = re.compile(rb"bench-(\d+)")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
JOURNAL = "/_journal"
COUNT = "/_count"
ANSWER = (
    "Yes, we have it in stock: the dark blue one in all sizes, the light blue one in M and L. "
    "It takes two days to reach you, and you can send it back within a month. Shall I put one aside for you?"
)

Journal = dict[int, list[list[Any]]]  # number of an exchange -> what was seen of it, in order
Answered = Callable[[int, bytes], None]


class StandIn(Protocol):
    """What is behind the socket."""

    journal: Journal

    def meet(self, path: str, head: bytes, body: bytes, answered: Answered) -> None:
        """Take a POST and answer it by status and body, now or later."""


class Model:
    """Answers each question after the delay, and keeps [seen, answered] of it."""

    def __init__(self, delay_s: float) -> None:
        """Prepare."""
        self.delay_s = delay_s
        self.journal: Journal = {}
        choice = {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 210, "completion_tokens": 45, "total_tokens": 255}
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini"}
        self.answer = json.dumps(answer | {"choices": [choice], "usage": usage}).encode()

    def meet(self, path: str, head: bytes, body: bytes, answered: Answered) -> None:
        """Answer after the delay."""
        seen = time.monotonic()
        found = NUMBER.findall(body)
        times = self.journal.setdefault(int(found[-1]) if found else 0, [])
        asyncio.get_running_loop().call_later(self.delay_s, self._answer, times, seen, answered)

    def _answer(self, times: list[list[Any]], seen: float, answered: Answered) -> None:
        times.append([seen, time.monotonic()])
        answered(200, self.answer)


class Kommo:
    """Takes the first continue of each id and keeps [seen, status of the reply, our answer] of every call."""

    def __init__(self) -> None:
        """Prepare."""
        self.journal: Journal = {}
        self.authorization = re.compile(rb"\r\nauthorization: *bearer " + ACCESS_TOKEN.encode() + rb"\r\n", re.I)

    def meet(self, path: str, head: bytes, body: bytes, answered: Answered) -> None:
        """Answer as Kommo does: a continue id is good for one continuation (protocol §1.6)."""
        seen = time.monotonic()
        calls = self.journal.setdefault(int(path.rsplit("/", 1)[-1]), [])
        is_first = not any(status == 202 for _, _, status in calls)
        status = 401 if not self.authorization.search(head) else 202 if is_first else 404
        calls.append([seen, str(json.loads(body)["data"]["status"]), status])
        answered(status, b"" if status == 202 else b'{"status": %d}' % status)


class Connection(asyncio.Protocol):
    """As much of HTTP/1.1 as both need: one request after the other, each with its length."""

    def __init__(self, stand_in: StandIn) -> None:
        """Prepare."""
        self.stand_in = stand_in
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what came, and a whole request when there is one."""
        self.got += data
        head, end, rest = self.got.partition(b"\r\n\r\n")
        told = LENGTH.search(head)
        length = int(told[1]) if told else 0
        if not end or len(rest) < length:
            return
        self.got = rest[length:]
        method, path, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
        self._meet(method, path, head + b"\r\n", rest[:length])

    def _meet(self, method: str, path: str, head: bytes, body: bytes) -> None:
        if method == "POST":
            self.stand_in.meet(path, head, body, self._answer)
        elif path == COUNT:
            self._answer(200, str(len(self.stand_in.journal)).encode())
        else:
            told = json.dumps(self.stand_in.journal).encode()
            if method == "DELETE":
                self.stand_in.journal.clear()
            self._answer(200, told)

    def _answer(self, status: int, body: bytes) -> None:
        head = b"HTTP/1.1 %d -\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(head % (status, len(body)) + body)


async def serve(stand_in: StandIn) -> None:
    """Listen on a free port of loopback, print it, and serve until the end."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(stand_in), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await server.serve_forever()


def main() -> None:
    """Be the model or Kommo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("who", choices=["model", "kommo"])
    parser.add_argument("--delay", type=float, default=5.0, metavar="SECONDS")
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(Model(given.delay) if given.who == "model" else Kommo()))


if __name__ == "__main__":
    main()
