"""A small Kommo for process tests: it signs widget_requests and takes continue calls by the documented rules.

Its faults are chosen by the last digits of the continue id (`next_id("429")`), so that one request names its own
weather. Everything that comes in is kept in `calls`; what it took is in `accepted`, by continue id, and never twice.
"""

import contextlib
import itertools
import json
import socket
import struct
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import jwt
import requests

from tests.stubs.kommo_answers import BY_CODE, CALM, FAULTS, Answer, Close, Fault, problem

HUGE_BYTES = 1_000_000_000
BLOCK = b"x" * 65536
LENGTH_MAX = 600  # what "toolong" takes
HOLD_MAX_S = 60.0
NUMBERS = itertools.count(10_000)  # shared, so that two Kommos use the same id only where a test says so


@dataclass(slots=True)
class Call:
    """One continue call as it came in, and how it was answered."""

    path: str
    authorization: str
    body: Any
    at: float
    status: int = 0

    @property
    def continue_id(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def message(self) -> str:
        """What the customer sees of it."""
        return str(self.body["data"]["message"])


@dataclass(frozen=True, slots=True)
class AskedOf:
    """One widget_request that was sent: its id, how and how soon it was acknowledged, when it went out."""

    continue_id: str
    status: int
    ack_s: float
    sent_at: float
    answer: str = ""


@dataclass
class KommoStub:
    """One Kommo account on a loopback port.

    Args:
        elsewhere: origin to which a 307 leads.
        refuses_connections: nobody listens on the origin, whose port nobody else gets.
    """

    kommo_id: int = 31337
    client_id: str = "0d5c0e5e-1111-4222-8333-444455556666"
    client_secret: str = "kommo-stub-client-secret-0123456789"
    access_token: str = "kommo-stub-access-token-0123456789"
    elsewhere: str = ""
    refuses_connections: bool = False
    calls: list[Call] = field(default_factory=list)
    accepted: dict[str, Call] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._met_once: set[str] = set()
        self._released = threading.Event()
        stub = self

        class Handler(_Handler):
            kommo = stub

        self._server = _Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self._server.server_bind()
        if not self.refuses_connections:
            self._server.server_activate()
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "KommoStub":
        if not self.refuses_connections:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        if not self.refuses_connections:
            self._server.shutdown()
        self._server.server_close()

    def release(self) -> None:
        """Let the answers go that are held back."""
        self._released.set()
        self._released = threading.Event()

    # asking

    def next_id(self, fault: str = "") -> str:
        """Give a fresh continue id; with a fault, one that brings it."""
        return f"{next(NUMBERS)}{FAULTS[fault].code if fault else CALM}"

    def token(self, **claims: Any) -> str:
        """Sign a token as Kommo would."""
        now = int(time.time())
        algorithm = claims.pop("algorithm", "HS256")
        full = {
            "iss": self.origin, "aud": "http://bridge.test", "iat": now, "nbf": now, "exp": now + 600,
            "account_id": self.kommo_id, "subdomain": "acme", "client_uuid": self.client_id, "entity_type": 2,
            "entity_id": 5000001, "bot_type": "salesbot",
        } | claims  # fmt: skip
        signed = jwt.encode(full, self.client_secret, algorithm=algorithm)
        self.tokens.append(signed)
        return signed

    def request_body(self, text: str, *, continue_id: str, entity_id: int = 5000001, **data: Any) -> dict[str, Any]:
        """Make the body of a widget_request; from then on Kommo waits for its continue, unless it had one."""
        with self._lock:
            if continue_id not in self.accepted:
                self.waiting.add(continue_id)
        return {
            "token": self.token(entity_id=entity_id),
            "data": {"message": text, **data},
            "return_url": f"{self.origin}/api/v4/salesbot/321/continue/{continue_id}",
        }

    def ask(
        self, hook_url: str, text: str, *, entity_id: int = 5000001, fault: str = "", as_form: bool = False,
        continue_id: str = "", **data: Any,
    ) -> AskedOf:  # fmt: skip
        """Send a widget_request and wait for the acknowledgement."""
        continue_id = continue_id or self.next_id(fault)
        body = self.request_body(text, continue_id=continue_id, entity_id=entity_id, **data)
        sent_at = time.time()
        started = time.monotonic()
        if as_form:
            pairs = [("token", body["token"]), ("return_url", body["return_url"])]
            pairs += [(f"data[{name}]", value) for name, value in body["data"].items()]
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            response = requests.post(hook_url, data=urlencode(pairs), headers=headers, timeout=30)
        else:
            response = requests.post(hook_url, json=body, timeout=30)
        return AskedOf(continue_id, response.status_code, time.monotonic() - started, sent_at, response.text)

    def ask_at_once(self, hook_url: str, asks: Sequence[dict[str, Any]]) -> list[AskedOf]:
        """Send many widget_requests at the same moment; each is the arguments of `ask`."""
        with ThreadPoolExecutor(max(1, len(asks))) as threads:
            return list(threads.map(lambda one: self.ask(hook_url, **one), asks))

    # looking

    def calls_of(self, asked: AskedOf) -> list[Call]:
        """Give the continue calls for one request, in the order in which they came."""
        return [call for call in list(self.calls) if call.continue_id == asked.continue_id]

    def texts(self) -> list[str]:
        """Give what customers saw, in order."""
        return [call.message for call in list(self.accepted.values())]

    # answering

    def answer(self, call: Call) -> Answer:
        """Decide what a continue call gets."""
        name, fault = BY_CODE.get(int(call.continue_id[-4:]), ("", Fault(code=CALM)))
        with self._lock:
            first = call.continue_id not in self._met_once
            self._met_once.add(call.continue_id)
        if call.authorization != f"Bearer {self.access_token}":
            return problem(401, "token")
        if name.startswith("toolong") and (fault.status or len(call.message) > LENGTH_MAX):
            return problem(400, "too long", code="TooLong")
        if name and (first or not fault.once) and (fault.status or fault.close):
            return self._faulty(fault, call)
        return self._take(call)

    def _faulty(self, fault: Fault, call: Call) -> Answer:
        if fault.takes:
            self._take(call)
        if fault.holds:
            self._released.wait(HOLD_MAX_S)
        if fault.html:
            page = b"<html><h1>403 Forbidden</h1><hr>nginx</html>"
            return Answer(status=fault.status, body=page, fault=fault)
        if fault.takes or fault.close:
            return Answer(status=fault.status, body=b"" if fault.status == 204 else b"Accepted", fault=fault)
        told = problem(fault.status, f"fault {call.authorization}" if fault.echoes else "fault")
        return replace(told, fault=fault)

    def _take(self, call: Call) -> Answer:
        with self._lock:
            if call.continue_id not in self.waiting:
                return problem(404, "nothing waits")
            self.waiting.discard(call.continue_id)
            self.accepted[call.continue_id] = call
        return Answer()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers that were killed in the middle of a call."""


class _Handler(BaseHTTPRequestHandler):
    kommo: KommoStub
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        at = time.time()
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = Call(self.path, self.headers.get("Authorization", ""), json.loads(raw), at)
        self.kommo.calls.append(call)
        answer = self.kommo.answer(call)
        call.status = answer.status
        self.close_connection = True
        with contextlib.suppress(OSError):
            if answer.fault.close:
                self._end_without_answer(answer.fault.close)
            else:
                self._send(answer)

    def _end_without_answer(self, how: Close) -> None:
        if how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, answer: Answer) -> None:
        length = HUGE_BYTES if answer.fault.endless else len(answer.body)
        head = [f"HTTP/1.1 {answer.status} X", f"Content-Type: {answer.content_type}", "Connection: close"]
        head += [f"Content-Length: {length}"] if answer.status != 204 else []
        head += [f"Retry-After: {answer.fault.retry_after}"] if answer.fault.retry_after else []
        head += [f"Location: {self.kommo.elsewhere}{self.path}"] if answer.status == 307 else []
        self.connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        if not answer.fault.endless:
            self.connection.sendall(answer.body)
        for _ in range(HUGE_BYTES // len(BLOCK) if answer.fault.endless else 0):
            self.connection.sendall(BLOCK)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""
