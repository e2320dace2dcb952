"""Bodies over real sockets: slow, chunked, too large; and what a switch does between reply and send."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
import requests

from tests.processes.deployment import Deployment, Tenant
from tests.waiting import wait_until

ACK_S = 2.0
SLOW_ONES = {"a few": 20, "more than there are threads": 100}
AS_JSON = {"Content-Type": "application/json"}


@dataclass
class Dripping:
    """Connections that send a widget_request byte by byte."""

    url: str
    count: int
    sent: list[int] = field(default_factory=list)

    def __enter__(self) -> "Dripping":
        parts = urlsplit(self.url)
        head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Content-Type: application/json\r\nContent-Length: 4000\r\n\r\n"
        )
        self.stopped = threading.Event()
        self.sent = [0] * self.count
        self.sockets = [socket.create_connection((parts.hostname, parts.port)) for _ in range(self.count)]
        for one in self.sockets:
            one.sendall(head.encode())
        self.thread = threading.Thread(target=self._drip)
        self.thread.start()
        return self

    def _drip(self) -> None:
        while not self.stopped.wait(0.1):
            for place, one in enumerate(self.sockets):
                with contextlib.suppress(OSError):
                    one.sendall(b"{")
                    self.sent[place] += 1

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()
        for one in self.sockets:
            one.close()


@pytest.mark.quiet
@pytest.mark.parametrize("count", SLOW_ONES.values(), ids=SLOW_ONES)
def test_slow_bodies_do_not_delay_other_requests(deployment: Deployment, count: int) -> None:
    acme = deployment.acme
    with Dripping(acme.hook_url, count) as dripping:
        asked = [acme.ask(f"quick {number} of {count}", entity_id=900 + number) for number in range(10)]
        wait_until(lambda: max(dripping.sent) >= 10)  # those that have a seat go on
        asked += [acme.ask(f"later {number} of {count}", entity_id=900 + number) for number in range(5)]
        started = time.monotonic()
        health = requests.get(f"{deployment.rig.base}/healthz", timeout=10)
        health_s = time.monotonic() - started
        deployment.rig.all_settled(asked, within_seconds=30)
    assert max(one.ack_s for one in asked) < ACK_S
    assert (health.status_code, health_s < ACK_S) == (200, True)


def chunks_of(body: bytes, size: int = 100) -> Iterator[bytes]:
    """Give a body in pieces; requests sends an iterator as a chunked body."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("tail", ["", "/"], ids=["without the last slash", "with the last slash"])
def test_a_chunked_body_is_read(deployment: Deployment, tail: str) -> None:
    acme = deployment.acme
    continue_id = acme.kommo.next_id()
    body = json.dumps(acme.kommo.request_body("in pieces", continue_id=continue_id, entity_id=921)).encode()

    url = acme.hook_url.rstrip("/") + tail
    answer = requests.post(url, data=chunks_of(body), headers=AS_JSON, timeout=10)

    assert (answer.status_code, answer.json()) == (200, {})
    wait_until(lambda: continue_id in acme.kommo.accepted)
    assert acme.kommo.accepted[continue_id].message == "You said: in pieces"


def big_body(tenant: Tenant) -> bytes:
    """Make a request of 300 KB that is good in every other way."""
    body = tenant.kommo.request_body("x" * 300_000, continue_id=tenant.kommo.next_id(), entity_id=922)
    return json.dumps(body).encode()


def test_a_body_over_256_kib_gets_413(deployment: Deployment) -> None:
    body = big_body(deployment.acme)
    answer = requests.post(deployment.acme.hook_url, data=body, headers=AS_JSON, timeout=10)

    assert answer.status_code == 413


def test_a_chunked_body_over_256_kib_gets_413(deployment: Deployment) -> None:
    pieces = chunks_of(big_body(deployment.acme), size=8192)
    answer = requests.post(deployment.acme.hook_url, data=pieces, headers=AS_JSON, timeout=10)

    assert answer.status_code == 413


def test_a_body_that_breaks_off_is_no_error_of_ours(deployment: Deployment) -> None:
    parts = urlsplit(deployment.acme.hook_url)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 100\r\n\r\n{{".encode()
        )
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(10)
        answer = connection.recv(4096)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert requests.get(f"{deployment.rig.base}/healthz", timeout=10).status_code == 200
