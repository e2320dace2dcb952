"""An OpenAI-shaped server whose faults are addresses: `stub.at("500")`, or a model of that name, or a script.

In a test it runs in a thread of its own (`with LlmStub() as stub:`), as a program by
`python -m tests.stubs.llm --port 9102 --delay 5`. Everything it is asked is kept in `stub.requests`; as a program it
shows that under GET /_journal, and DELETE /_journal empties it. It also speaks Anthropic's and Gemini's form, by path.

Behaviours: ok, echo, everything, held, slow-SECONDS, any status (500, 429), 429-after-SECONDS, quota, too-long,
no-schema, empty, blank, null, garbage, odd, cut, half, filtered, tools, reply-tool, huge, huge-chunked, gzip, brotli,
bomb, drip, silent, reset, redirect, cookie.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
import zlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self

DRIP_S = 0.2
HUGE_BYTES = 50 * 1024 * 1024
HANG_UP_LOOK_S = 0.05
JOURNAL = "/_journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came; header names in lower case, `at` by the monotonic clock."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float

    @property
    def model(self) -> str:
        """The model that was asked for, in whichever form."""
        if "models/" in self.path:
            return self.path.split("models/", 1)[1].split(":", 1)[0]
        return str(self.body.get("model", ""))

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of an OpenAI-shaped request."""
        return list(self.body.get("messages", []))

    @property
    def last_text(self) -> str:
        """What the customer said last."""
        content = self.messages[-1]["content"] if self.messages else ""
        return content if isinstance(content, str) else json.dumps(content)

    @property
    def key(self) -> str:
        """The key in whichever header carries it."""
        return (
            self.headers.get("authorization", "").removeprefix("Bearer ")
            or self.headers.get("x-api-key", "")
            or self.headers.get("x-goog-api-key", "")
        )


@dataclass(slots=True)
class LlmStub:
    """The server.

    Args:
        port: 0 for a free one.
        delay_s: added before every answer.
        reply: what it says; a function of the request or a text.
        behaviour: what it does when neither script, address nor model name says otherwise.
    """

    port: int = 0
    delay_s: float = 0.0
    reply: Callable[[Asked], str] | str = "Hello from the stub."
    behaviour: str = "ok"
    requests: list[Asked] = field(default_factory=list)
    connections: int = 0
    sent_bytes: int = 0  # of the huge behaviours
    open_now: int = 0
    most_open: int = 0
    _script: deque[str] = field(default_factory=deque)
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _stop: asyncio.Event | None = None
    _ready: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)
    _busy: set[asyncio.Task[Any]] = field(default_factory=set)
    _readers: dict[asyncio.StreamWriter, asyncio.StreamReader] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Base address, with /v1."""
        return f"http://127.0.0.1:{self.port}/v1"

    def at(self, behaviour: str) -> str:
        """Base address under which every request meets this behaviour."""
        return f"http://127.0.0.1:{self.port}/{behaviour}/v1"

    def script(self, behaviours: Iterable[str]) -> None:
        """What the next requests meet, in order; afterwards as usual."""
        self._script.extend(behaviours)

    def release(self) -> None:
        """Let the answers go that are held."""
        self._released.set()
        self._released = threading.Event()

    def __enter__(self) -> Self:
        """Start in a thread; `port` is known afterwards."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve()), name="llm-stub", daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the stub did not start")
        return self

    def __exit__(self, *unused: object) -> None:
        """Stop, cutting whatever is open."""
        if self._loop and self._stop and self._thread:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)

    async def serve(self) -> None:
        """Serve until stopped."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in list(self._busy):
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._busy.add(task)
        self._readers[writer] = reader
        self.connections += 1
        try:
            while asked := await _read_request(reader):
                await self._answer(asked, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._busy.discard(task)
            del self._readers[writer]
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.path == JOURNAL:
            await self._journal(asked, writer)
            return
        self.requests.append(asked)
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            await asyncio.sleep(self.delay_s)
            name = self._chosen(asked)
            head, _, rest = name.partition("-")
            act = BEHAVIOURS.get(name) or PARAMETRIC.get(head) or _status
            await act(self, asked, writer, name if act is _status else rest)
        finally:
            self.open_now -= 1

    def _chosen(self, asked: Asked) -> str:
        if self._script:
            return self._script.popleft()
        for name in (asked.path.split("/")[1], asked.model.rsplit("/", 1)[-1]):
            if is_behaviour(name):
                return name
        return self.behaviour

    async def _journal(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.method == "DELETE":
            self.requests.clear()
        told = [{"path": a.path, "headers": a.headers, "body": a.body, "at": a.at} for a in self.requests]
        await _send(writer, 200, {"requests": told, "most_open": self.most_open})

    def has_hung_up(self, writer: asyncio.StreamWriter) -> bool:
        """Whether the other side has closed this connection."""
        return self._readers[writer].at_eof() or writer.is_closing()

    def text(self, asked: Asked) -> str:
        """What it says to this request."""
        return self.reply if isinstance(self.reply, str) else self.reply(asked)


async def _read_request(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
    if not head:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    raw = await reader.readexactly(int(headers.get("content-length", 0)))
    method, path, _ = first.split(" ", 2)
    return Asked(method=method, path=path, headers=headers, body=json.loads(raw or b"{}"), at=time.monotonic())


async def _send(writer: asyncio.StreamWriter, status: int, body: Any, *, headers: dict[str, str] | None = None) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
    head = f"HTTP/1.1 {status} Stub\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(head.encode() + b"\r\n" + data)
    await writer.drain()


def chat(text: str | None, *, model: str = "stub", finish: str = "stop", **message: Any) -> dict[str, Any]:
    """An OpenAI-shaped answer."""
    said = {"role": "assistant", "content": text, **message}
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "service_tier": "default",
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }


def _shaped(asked: Asked, text: str) -> dict[str, Any]:
    if asked.path.endswith("/messages"):
        return {
            "id": "msg_stub",
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 11, "output_tokens": 7},
        }
    if ":generateContent" in asked.path:
        return {
            "candidates": [
                {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}
            ],
            "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18},
            "modelVersion": asked.model,
        }
    return chat(text, model=asked.model)


Behaviour = Callable[[LlmStub, Asked, asyncio.StreamWriter, str], Awaitable[None]]
BEHAVIOURS: dict[str, Behaviour] = {}
PARAMETRIC: dict[str, Behaviour] = {}


def _named(name: str) -> Callable[[Behaviour], Behaviour]:
    def keep(act: Behaviour) -> Behaviour:
        BEHAVIOURS[name] = act
        return act

    return keep


def is_behaviour(name: str) -> bool:
    """Whether a path segment or a model name asks for a behaviour."""
    head, _, rest = name.partition("-")
    return name in BEHAVIOURS or (head in PARAMETRIC and bool(rest)) or (head.isdigit() and len(head) == 3)


async def _status(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, name: str) -> None:
    """Answer with a status, as `429` or `429-after-SECONDS`."""
    status, _, after = name.partition("-after-")
    error = {"message": f"stub says {status}", "type": "stub_error", "code": None}
    await _send(writer, int(status), {"error": error}, headers={"Retry-After": after} if after else None)


def _refusal(status: int, message: str, code: str) -> Behaviour:
    async def refuse(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
        await _send(writer, status, {"error": {"message": message, "type": "invalid_request_error", "code": code}})

    return refuse


BEHAVIOURS["quota"] = _refusal(429, "You exceeded your current quota.", "insufficient_quota")
BEHAVIOURS["too-long"] = _refusal(400, "The maximum context length is 8192 tokens.", "context_length_exceeded")
BEHAVIOURS["no-schema"] = _refusal(400, "response_format of type json_schema is not supported.", "unsupported")


@_named("ok")
async def _ok(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await _send(writer, 200, _shaped(asked, stub.text(asked)))


async def _slow(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await asyncio.sleep(float(rest))
    await _ok(stub, asked, writer, "")


PARAMETRIC["slow"] = _slow


@_named("held")
async def _held(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    """Answer when the test says so (`LlmStub.release`)."""
    released = stub._released
    while not released.is_set() and not stub.has_hung_up(writer):
        await asyncio.sleep(HANG_UP_LOOK_S)
    await _ok(stub, asked, writer, "")


@_named("echo")
async def _echo(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await _send(writer, 200, _shaped(asked, asked.last_text))


@_named("everything")
async def _everything(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    """Give back all that it was told, the key included: the most hostile of models."""
    await _send(writer, 200, _shaped(asked, json.dumps(asked.body) + asked.key))


@_named("empty")
async def _empty(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await _send(writer, 200, chat("x") | {"choices": []})


@_named("blank")
async def _blank(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await _send(writer, 200, chat(" \n\t "))


@_named("null")
async def _null(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await _send(writer, 200, chat(None))


@_named("cut")
async def _cut(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await _send(writer, 200, chat("", finish="length"))


@_named("half")
async def _half(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await _send(writer, 200, chat(stub.text(asked)[: len(stub.text(asked)) // 2], finish="length"))


@_named("filtered")
async def _filtered(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await _send(writer, 200, chat("", finish="content_filter"))


@_named("tools")
async def _tools(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "delete_everything", "arguments": "{}"}}
    await _send(writer, 200, chat(None, finish="tool_calls", tool_calls=[call]))


@_named("reply-tool")
async def _reply_tool(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "reply", "arguments": stub.text(asked)}}
    await _send(writer, 200, chat(None, finish="tool_calls", tool_calls=[call]))


@_named("garbage")
async def _garbage(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await _send(writer, 200, b'{"choices": [{"message": {"content": "hal')


@_named("odd")
async def _odd(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await _send(writer, 200, b'[1, 2, "not an object"]')


@_named("redirect")
async def _redirect(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await _send(writer, 307, b"", headers={"Location": f"{stub.url}/chat/completions"})


@_named("cookie")
async def _cookie(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    body = _shaped(asked, stub.text(asked))
    await _send(writer, 200, body, headers={"Set-Cookie": "tenant=acme; Path=/"})


@_named("huge")
async def _huge(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    writer.write(b"HTTP/1.1 200 Stub\r\nContent-Type: application/json\r\n")
    writer.write(f"Content-Length: {HUGE_BYTES}\r\n\r\n".encode())
    async for block in _blocks(stub):
        writer.write(block)
        await writer.drain()


@_named("huge-chunked")
async def _huge_chunked(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    writer.write(b"HTTP/1.1 200 Stub\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    async for block in _blocks(stub):
        writer.write(f"{len(block):x}\r\n".encode() + block + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")


async def _blocks(stub: LlmStub) -> AsyncIterator[bytes]:
    block = b"x" * 65536
    for _ in range(HUGE_BYTES // len(block)):
        yield block
        stub.sent_bytes += len(block)


@_named("bomb")
async def _bomb(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    packed = zlib.compressobj(wbits=31)
    data = b"".join(packed.compress(b" " * 1_000_000) for _ in range(50)) + packed.flush()
    await _send(writer, 200, data, headers={"Content-Encoding": "gzip"})


@_named("gzip")
async def _gzip(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    packed = zlib.compressobj(wbits=31)
    data = packed.compress(json.dumps(_shaped(asked, stub.text(asked))).encode()) + packed.flush()
    await _send(writer, 200, data, headers={"Content-Encoding": "gzip"})


@_named("brotli")
async def _brotli(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    await _send(writer, 200, b"\x0b\x02\x80x\x03", headers={"Content-Encoding": "br"})


@_named("drip")
async def _drip(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    data = json.dumps(_shaped(asked, stub.text(asked))).encode()
    writer.write(f"HTTP/1.1 200 Stub\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode())
    for byte in data:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(DRIP_S)


@_named("silent")
async def _silent(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    while not stub.has_hung_up(writer):
        await asyncio.sleep(HANG_UP_LOOK_S)


@_named("reset")
async def _reset(stub: LlmStub, asked: Asked, writer: asyncio.StreamWriter, rest: str) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    raise ConnectionResetError


def main() -> None:
    """Serve as a program until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--reply", default="Hello from the stub.")
    parser.add_argument("--behaviour", default="ok")
    given = parser.parse_args()
    stub = LlmStub(port=given.port, delay_s=given.delay, reply=given.reply, behaviour=given.behaviour)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(stub.serve())


if __name__ == "__main__":
    main()
