"""A tiny bridge on a real socket: takes widget_requests, keeps them, and continues as a test tells it to."""

import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl

import requests

TOKEN = "access-token-of-demo"
SECRET = "client-secret-of-demo-0123456789abcdef-0123456789abcdef-0123456789"


@dataclass(frozen=True)
class Received:
    """A widget_request as it came in."""

    path: str
    headers: dict[str, str]
    raw: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def fields(self) -> Any:
        if self.headers["content-type"] == "application/json":
            return json.loads(self.raw)
        return unbracketed(parse_qsl(self.raw.decode(), keep_blank_values=True, strict_parsing=True))

    @property
    def data(self) -> Any:
        return self.fields.get("data", {})

    @property
    def return_url(self) -> str:
        return str(self.fields["return_url"])


def unbracketed(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Rebuild the objects of PHP's bracket names; lists stay objects keyed by number."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        head, *inner = [name.split("[")[0], *re.findall(r"\[([^\]]*)\]", name)]
        place, key = found, head
        for part in inner:
            place, key = place.setdefault(key, {}), part
        place[key] = value
    return found


class Bridge:
    """Acknowledges with `status` after `delay_s`; `reply` gives the continue's body, or None for no continue."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[requests.Response] = []
        self.status = 200
        self.delay_s = 0.0
        self.reply: Callable[[Received], dict[str, Any] | None] = lambda _received: None
        bridge = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                bridge.take(Received(self.path, headers, raw))
                try:
                    self.send_response(bridge.status)
                    self.send_header("Location", "/elsewhere")
                    self.end_headers()
                    self.wfile.write(b"" if bridge.status == 204 else b"{}")
                except OSError:
                    pass  # the sandbox has given up

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._replies: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._server.server_port}/kommo/demo-hook-key/widget-request/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for reply in self._replies:
            reply.join(10)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, received: Received) -> None:
        self.received.append(received)
        time.sleep(self.delay_s)
        body = self.reply(received)
        if body is not None:
            thread = threading.Thread(target=self._answer, args=(received, body))
            self._replies.append(thread)
            thread.start()

    def _answer(self, received: Received, body: Any) -> None:
        with suppress(requests.ConnectionError):  # the sandbox ended with its test
            self.answers.append(resume(received.return_url, body))


def resume(url: str, body: Any, *, token: str = TOKEN, **headers: str) -> requests.Response:
    """Call a continue address as a bridge does."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} | headers
    return requests.post(url, data=raw, headers=sent, timeout=10, allow_redirects=False)


def success(message: str = "Hello!", **data: Any) -> dict[str, Any]:
    return {"data": {"status": "success", "message": message, "show": "1", **data}}


def an_account(**changes: Any) -> dict[str, Any]:
    """Give an account of the config."""
    return {
        "subdomain": "demo",
        "kommo_id": 31337,
        "client_id": "11111111-2222-4333-8444-555555555555",
        "client_secret": SECRET,
        "access_token": TOKEN,
    } | changes
