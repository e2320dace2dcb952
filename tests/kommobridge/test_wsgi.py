"""A body without a length reaches Django whole, one that is too long is refused, anything else passes as it came."""

import http.client
import io
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import UnreadablePostError

from kommobridge.wsgi import BODY_MAX_BYTES, UnreadableBody, reading_whole_bodies
from tests.environment import a_free_port, run_environment
from tests.waiting import wait_until

SERVER_THREADS = 4
# gunicorn as the program runs it (threads), with Django's own reading of a body behind the wrapper.
SERVER = """
import sys
import django
django.setup()
from django.core.handlers.wsgi import WSGIRequest
from django.http import UnreadablePostError
from gunicorn.app.base import BaseApplication
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
        options = {"bind": sys.argv[1], "threads": int(sys.argv[2]), "worker_class": "gthread", "loglevel": "critical"}
        for name, value in options.items():
            self.cfg.set(name, value)
    def load(self):
        return reading_whole_bodies(answer)

Server().run()
"""


def test_any_other_request_passes_untouched():
    body = io.BytesIO(b"abc")
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "3", "wsgi.input": body, "wsgi.input_terminated": True}
    before = dict(environ)
    reading_whole_bodies(lambda *_: [b""])(environ, print)
    assert environ == before
    assert environ["wsgi.input"] is body


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"HTTP_TRANSFER_ENCODING": "chunked"}, id="the server doesn't end the input"),
        pytest.param({"wsgi.input_terminated": True}, id="not chunked"),
        pytest.param(
            {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": "3"}, id="a length"
        ),
    ],
)
def test_nothing_is_read_ahead_unless_the_end_is_sure(environ):
    body = io.BytesIO(b"abc")
    reading_whole_bodies(lambda *_: [b""])(environ | {"wsgi.input": body}, print)
    assert body.tell() == 0


def test_a_body_that_broke_off_is_unreadable_for_django():
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "1", "wsgi.input": UnreadableBody()}
    with pytest.raises(UnreadablePostError):
        _ = WSGIRequest(environ).body


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
        pytest.param([b"zz\r\nabc\r\n0\r\n\r\n"], b"unreadable", id="no number where a size must be"),
        pytest.param([b"3\r\nabcdef\r\n0\r\n\r\n"], b"unreadable", id="longer than its chunk said"),
    ],
)
def test_a_chunked_body_is_read_as_it_was_sent(port, parts, told):
    assert told in _post(port, *parts)


@pytest.mark.processes
def test_a_body_with_a_length_is_read_as_ever(port):
    assert b"3 abc" in _post(port, b"abc", headers=b"Content-Length: 3")


@pytest.mark.processes
def test_a_chunked_body_that_broke_off_is_unreadable(port):
    assert b"unreadable" in _post(port, _chunk(b"abc"), b"ffff\r\nshort", breaks_off=True)


@pytest.mark.processes
@pytest.mark.parametrize("length", [BODY_MAX_BYTES + 1, 1_000_000, 5_000_000])
def test_a_client_that_sends_too_much_gets_its_answer(port, length):
    headers = b"Content-Length: %d" % length
    assert b"413 " in _post(port, b"x" * length, headers=headers)


@pytest.mark.processes
def test_clients_that_drip_too_much_are_let_go(port):
    drippers = [socket.create_connection(("127.0.0.1", port)) for _ in range(SERVER_THREADS)]
    try:
        for dripper in drippers:
            dripper.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\nx")
        assert b"3 abc" in _post(port, b"abc", headers=b"Content-Length: 3")
    finally:
        for dripper in drippers:
            dripper.close()
