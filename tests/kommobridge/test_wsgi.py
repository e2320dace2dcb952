"""A body reaches Django whole or not at all, one that is too long is refused, a slow client holds up nobody."""

import contextlib
import http.client
import io
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import UnreadablePostError

from kommobridge.patience import BRIEF_S, WHOLE_S
from kommobridge.wsgi import BODY_MAX_BYTES, PromisedBody, reading_whole_bodies
from tests.environment import a_free_port, run_environment
from tests.waiting import wait_until

SERVER_THREADS = 4
ACK_S = 2.0  # as Kommo waits for us
# gunicorn as the program runs it (threads, patience), with Django's own reading of a body behind the wrapper.
SERVER = """
import sys
import django
django.setup()
from django.core.handlers.wsgi import WSGIRequest
from django.http import UnreadablePostError
from gunicorn.app.base import BaseApplication
from kommobridge.patience import PATIENCE
from kommobridge.web import PatientWorker
from kommobridge.wsgi import BODY_MAX_BYTES, reading_whole_bodies

def answer(environ, start_response):
    request = WSGIRequest(environ)
    if int(environ.get("CONTENT_LENGTH") or 0) > BODY_MAX_BYTES:
        start_response("413 Content Too Large", [("Content-Length", "0")])
        return []
    try:
        body, status = str(len(request.body)).encode() + b" " + request.body[:20], "200 OK"
    except UnreadablePostError:
        body, status = b"unreadable", "400 Bad Request"
    start_response(status, [("Content-Length", str(len(body))), ("Connection", "close")])
    return [body]

class Server(BaseApplication):
    def load_config(self):
        PATIENCE.seats = int(sys.argv[2]) // 2
        options = {
            "bind": sys.argv[1], "threads": int(sys.argv[2]), "worker_class": PatientWorker, "loglevel": "critical",
        }
        for name, value in options.items():
            self.cfg.set(name, value)
    def load(self):
        return reading_whole_bodies(answer)

Server().run()
"""


def test_a_request_without_a_body_passes_untouched():
    body = io.BytesIO(b"the next request")
    environ = {"REQUEST_METHOD": "GET", "wsgi.input": body, "wsgi.input_terminated": True}
    before = dict(environ)
    reading_whole_bodies(lambda *_: [b""])(environ, print)
    assert environ == before
    assert body.tell() == 0


def test_nothing_is_read_ahead_unless_the_end_is_sure():
    body = io.BytesIO(b"abc")
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": body}  # the server doesn't end the input
    reading_whole_bodies(lambda *_: [b""])(environ, print)
    assert body.tell() == 0


def test_no_more_is_read_than_the_length_says():
    body = io.BytesIO(b"abcdef")
    environ: dict[str, Any] = {"CONTENT_LENGTH": "3", "wsgi.input": body}
    reading_whole_bodies(lambda *_: [b""])(environ, print)
    assert environ["wsgi.input"].read() == b"abc"
    assert body.tell() == 3


def _request_as_django_gets_it(length: int, body: bytes) -> WSGIRequest:
    """Give the request that is made behind the wrapper of one whose body has or hasn't the length that it says."""
    seen: list[WSGIRequest] = []

    def application(environ: dict[str, Any], _: object) -> list[bytes]:
        seen.append(WSGIRequest(environ))
        return []

    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(length), "wsgi.input": io.BytesIO(body)}
    reading_whole_bodies(application)(environ, print)
    return seen[0]


@pytest.mark.parametrize("sent", [0, 1, BODY_MAX_BYTES], ids=["nothing", "a byte", "all but a byte"])
def test_a_long_body_that_broke_off_is_unreadable_for_django(sent):
    request = _request_as_django_gets_it(BODY_MAX_BYTES + 1, b"x" * sent)
    with pytest.raises(UnreadablePostError):
        _ = request.body


def test_a_long_body_that_is_whole_is_read_whole():
    long = b"x" * (BODY_MAX_BYTES + 1)
    assert _request_as_django_gets_it(len(long), long).body == long


def test_a_promised_body_ends_where_it_was_promised_to():
    source = io.BytesIO(b"abcdef")
    assert io.BufferedReader(PromisedBody(source, 3)).read() == b"abc"
    assert source.tell() == 3


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Give the port of a real gunicorn behind the wrapper."""
    port = a_free_port()
    command = [sys.executable, "-c", SERVER, f"127.0.0.1:{port}", str(SERVER_THREADS)]
    with subprocess.Popen(command, env=run_environment()) as server:
        wait_until(lambda: _answers(port), within_seconds=30)
        yield port
        server.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _post(port: int, *parts: bytes, headers: bytes = b"Transfer-Encoding: chunked", breaks_off: bool = False) -> bytes:
    """Send all of a request before looking for an answer, as most clients do."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n\r\n" + b"".join(parts))
        if breaks_off:
            client.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        return b"%d %s" % (answer.status, answer.read())


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("parts", "told"),
    [
        pytest.param([_chunk(b"abc"), _chunk(b"def"), b"0\r\n\r\n"], b"6 abcdef", id="two chunks"),
        pytest.param([b"0\r\n\r\n"], b"0 ", id="an empty body"),
        pytest.param([_chunk(b"x" * BODY_MAX_BYTES), b"0\r\n\r\n"], b"262144 xxx", id="as much as we take"),
        pytest.param([_chunk(b"x" * 70_000) * 4, b"0\r\n\r\n"], b"413 ", id="a little more than we take"),
        pytest.param([_chunk(b"x" * 70_000) * 50, b"0\r\n\r\n"], b"413 ", id="far more than we take"),
        pytest.param([b"zz\r\nabc\r\n0\r\n\r\n"], b"400 ", id="no number where a size must be"),
        pytest.param([b"3\r\nabcdef\r\n0\r\n\r\n"], b"400 ", id="longer than its chunk said"),
    ],
)
def test_a_chunked_body_is_read_as_it_was_sent(port, parts, told):
    assert told in _post(port, *parts)


@pytest.mark.processes
def test_a_body_with_a_length_is_read_as_ever(port):
    assert b"3 abc" in _post(port, b"abc", headers=b"Content-Length: 3")


@pytest.mark.processes
def test_a_chunked_body_that_broke_off_is_refused(port):
    assert b"400 " in _post(port, _chunk(b"abc"), b"ffff\r\nshort", breaks_off=True)


@pytest.mark.processes
def test_a_body_that_is_shorter_than_its_length_is_refused(port):
    assert b"400 " in _post(port, b"abc", headers=b"Content-Length: 4", breaks_off=True)


@pytest.mark.processes
@pytest.mark.parametrize("length", [BODY_MAX_BYTES + 1, 1_000_000, 5_000_000])
def test_a_client_that_sends_too_much_gets_its_answer(port, length):
    headers = b"Content-Length: %d" % length
    assert b"413 " in _post(port, b"x" * length, headers=headers)


LENGTH = b"Content-Length: 9\r\n\r\nx"
SLOW_ONES = {
    "a body of some length": LENGTH,
    "a body in chunks": b"Transfer-Encoding: chunked\r\n\r\n9\r\nx",
    "a body that is too long": b"Content-Length: 999999999\r\n\r\nx",
    "a head": b"Content-Le",
}


@contextlib.contextmanager
def _slow_ones(port: int, rest: bytes, *, count: int = SERVER_THREADS) -> Iterator[list[socket.socket]]:
    """Connect and send the beginning of requests, of whose bodies there is a byte at most."""
    with contextlib.ExitStack() as stack:
        made = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=3 * WHOLE_S))
            for _ in range(count)
        ]
        for client in made:
            client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + rest)
        yield made


@pytest.mark.quiet
@pytest.mark.processes
@pytest.mark.parametrize("rest", SLOW_ONES.values(), ids=SLOW_ONES)
def test_slow_clients_on_all_threads_hold_up_nobody(port, rest):
    with _slow_ones(port, rest):
        started = time.monotonic()
        assert b"3 abc" in _post(port, b"abc", headers=b"Content-Length: 3")
        assert time.monotonic() - started < ACK_S


def _told_until_the_end(client: socket.socket) -> tuple[bytes, float]:
    """Give what a connection brings until it is closed, and when that was."""
    return b"".join(iter(lambda: client.recv(4096), b"")), time.monotonic()


@pytest.mark.processes
def test_half_of_the_threads_wait_for_slow_bodies_and_then_close_the_connection(port):
    started = time.monotonic()
    with _slow_ones(port, LENGTH) as slow, ThreadPoolExecutor(SERVER_THREADS) as threads:
        told = list(threads.map(_told_until_the_end, slow))
    seconds = sorted(at - started for _, at in told)
    assert {answer.split(b" ")[1] for answer, _ in told} == {b"408"}
    assert sum(length < WHOLE_S for length in seconds) == SERVER_THREADS // 2
    assert seconds[-1] < 1.5 * WHOLE_S


@pytest.mark.processes
def test_a_slow_body_that_comes_in_time_is_read(port):
    with _slow_ones(port, LENGTH, count=1) as (slow,):
        assert b"3 abc" in _post(port, b"abc", headers=b"Content-Length: 3")
        time.sleep(2 * BRIEF_S)  # the promise: this is not too long while threads are free
        slow.sendall(b"12345678")
        told = b""
        while b"9 x12345678" not in told:  # it may come in pieces
            piece = slow.recv(4096)
            assert piece, told
            told += piece
