"""The call to Kommo, on real sockets, against servers that behave badly."""

import gzip
import json
import socket
import ssl
import struct
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bots.kommo import BadAccessToken, BadOrigin, KommoAnswer, NoAnswer, NotConnected, client, post_continue, wire
from bots.kommo.client import ANSWER_MAX_BYTES
from tests.bots.kommo.certificates import Authority
from tests.bots.kommo.raw_server import ACCEPTED, RawServer, response, sends
from tests.bots.kommo.samples import sample_bytes

PATH = "/api/v4/salesbot/4821/continue/90017"
HOST = "velo-lyon.kommo.com"
TOKEN = "long-lived-access-token.of-the_account"
BODY = {"data": {"status": "success", "message": "Oui, «le vélo» 🚲", "show": "1"}}


def post(origin: str, **changed: Any) -> KommoAnswer:
    options: dict[str, Any] = {"access_token": TOKEN, "body": BODY, "exempt": True}
    return post_continue(origin + PATH, **options | changed)


@contextmanager
def takes_less_than(limit_s: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < limit_s


# What is sent


def test_the_request_is_what_the_protocol_asks_for():
    with RawServer() as server:
        answer = post(server.origin)
    assert answer.status == 202
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    line, *headers = head.decode("ascii").split("\r\n")
    assert line == f"POST {PATH} HTTP/1.1"
    assert sorted(headers) == sorted(
        [
            f"Host: 127.0.0.1:{server.port}",
            f"Authorization: Bearer {TOKEN}",
            "Content-Type: application/json",
            "Accept: application/json",
            "Accept-Encoding: identity",
            "Connection: close",
            "User-Agent: KommoBridge",
            f"Content-Length: {len(body)}",
        ]
    )
    assert json.loads(body) == BODY


def test_nothing_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    with RawServer() as proxy, RawServer() as server:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login thief password netrc-password\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
        assert post(server.origin).status == 202
        assert proxy.connections == 0
    assert f"Authorization: Bearer {TOKEN}".encode() in server.requests[0]


@pytest.mark.parametrize(
    "token", ["", "a b", "a\n", "a\r\nX-Header: 1", "t\u00e9", "\u0442", "a\x00", "\ud800", "\x7f"]
)
def test_an_access_token_that_no_header_can_carry_is_not_sent(token: str):
    with RawServer() as server:
        with pytest.raises(BadAccessToken) as refused:
            post(server.origin, access_token=token)
        assert server.connections == 0
    assert refused.value.code == "token"
    assert isinstance(refused.value, NotConnected)


def test_a_cookie_is_not_kept():
    with RawServer(sends(response("202 Accepted", b"", Set_Cookie="session=abc; Path=/"))) as server:
        post(server.origin)
        post(server.origin)
    assert not any(b"cookie" in request.lower() for request in server.requests)


def test_each_call_has_a_connection_of_its_own():
    with RawServer() as server:
        for _ in range(3):
            assert post(server.origin).status == 202
        assert server.connections == 3


# What comes back


def test_accepted_with_a_bare_word_is_an_answer():
    with RawServer(sends(ACCEPTED)) as server:
        assert post(server.origin) == KommoAnswer(status=202)


def test_a_refusal_is_read():
    refusal = response(
        "400 Bad Request",
        sample_bytes("11-continue-error-too-long.json"),
        "application/problem+json",
        X_Request_Id="r-17",
    )
    with RawServer(sends(refusal)) as server:
        answer = post(server.origin)
    assert (answer.status, answer.codes, answer.request_id) == (400, ("TooLong",), "r-17")
    assert answer.detail == "The request did not pass validation; has more characters than 80"
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent"]
)
def test_a_redirect_is_an_answer_and_is_not_followed(status: str):
    with RawServer() as elsewhere, RawServer(sends(response(status, Location=elsewhere.origin + "/"))) as server:
        assert post(server.origin).status == int(status[:3])
        assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "location", ["http://[", "\x00", "//", "http://a b/", "", "https://\ud800".encode("utf-8", "replace").decode()]
)
def test_a_redirect_to_nonsense_is_an_answer(location: str):
    with RawServer(sends(response("307 Temporary Redirect", Location=location))) as server:
        assert post(server.origin).status == 307


@pytest.mark.parametrize("status", [200, 204, 401, 402, 403, 404, 422, 429, 500, 502, 503, 504])
def test_any_status_is_an_answer(status: int):
    with RawServer(sends(response(f"{status} x", b"" if status == 204 else b"{}"))) as server:
        assert post(server.origin).status == status


def test_a_web_page_is_told_from_an_answer_of_the_api():
    with RawServer(sends(response("403 Forbidden", b"<html>nginx</html>", "text/html; charset=utf-8"))) as server:
        answer = post(server.origin)
    assert (answer.status, answer.is_html, answer.detail) == (403, True, "")


def forever(first: bytes, piece: bytes, *, pause_s: float = 0.0) -> Callable[[socket.socket], None]:
    """Send pieces until the other side has enough."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(first)
        with suppress(OSError):
            for _ in range(1_000_000):
                connection.sendall(piece)
                if pause_s and threading.Event().wait(pause_s):
                    return

    return answer


def test_a_body_without_end_is_read_to_64_kilobytes():
    sent = 0

    def answer(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\n\r\n")
        with suppress(OSError):
            while sent < 1_000_000_000:
                sent += connection.send(b"x" * 65536)

    with takes_less_than(5), RawServer(answer) as server:
        assert post(server.origin).status == 202
    assert ANSWER_MAX_BYTES <= sent < 20_000_000


def test_a_chunked_body_without_end_is_read_to_64_kilobytes():
    head = b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n"
    with takes_less_than(5), RawServer(forever(head, b"10000\r\n" + b"x" * 65536 + b"\r\n")) as server:
        assert post(server.origin).status == 500


def test_a_compressed_body_is_never_unpacked():
    bomb = gzip.compress(b'{"detail": "' + b"x" * 30_000_000 + b'"}')
    with takes_less_than(5), RawServer(sends(response("400 Bad Request", bomb, Content_Encoding="gzip"))) as server:
        answer = post(server.origin)
    assert (answer.status, answer.detail) == (400, "")


def test_a_dripping_body_leaves_the_status():
    head = b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n"
    with takes_less_than(3), RawServer(forever(head, b"x", pause_s=0.1)) as server:
        assert post(server.origin, total_timeout_s=0.8).status == 202


def test_a_body_cut_off_leaves_the_status():
    with RawServer(sends(b"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\n{")) as server:
        assert post(server.origin).status == 500


def test_dripping_headers_are_no_answer():
    drip = forever(b"HTTP/1.1 202 Accepted\r\nX-A: ", b"x", pause_s=0.1)
    with takes_less_than(3), RawServer(drip) as server, pytest.raises(NoAnswer):
        post(server.origin, total_timeout_s=0.8)


def test_headers_without_end_are_no_answer():
    flood = forever(b"HTTP/1.1 202 Accepted\r\nX-A: ", b"x" * 65536)
    with takes_less_than(5), RawServer(flood) as server, pytest.raises(NoAnswer):
        post(server.origin)


def test_interim_answers_without_end_are_no_answer():
    interim = forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause_s=0.05)
    with takes_less_than(3), RawServer(interim) as server, pytest.raises(NoAnswer):
        post(server.origin, total_timeout_s=0.8)


@pytest.mark.parametrize(
    "garbage", [b"", b"\x00\xff\n", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc def\r\n\r\n", b"HTTP/1.1 20"]
)
def test_garbage_is_no_answer(garbage: bytes):
    with RawServer(sends(garbage)) as server, pytest.raises(NoAnswer):
        post(server.origin)


def test_headers_cut_off_behind_the_status_leave_the_status():
    with RawServer(sends(b"HTTP/1.1 202 Accepted\r\nContent-Le")) as server:
        assert post(server.origin).status == 202


@pytest.mark.parametrize("value", ["5, 7", "-1", "abc", "99999999999999999999999"])
def test_a_nonsense_length_is_an_answer_or_none_and_never_a_crash(value: str):
    raw = f"HTTP/1.1 202 Accepted\r\nContent-Length: {value}\r\n\r\nAccepted".encode()
    with RawServer(sends(raw)) as server:
        try:
            assert post(server.origin).status == 202
        except NoAnswer:
            assert value == "5, 7"


def silent(server_stopped: threading.Event) -> Callable[[socket.socket], None]:
    def answer(_connection: socket.socket) -> None:
        server_stopped.wait(10)

    return answer


def test_silence_is_no_answer_after_the_total_time():
    with RawServer() as server:
        server.answer = silent(server.stopped)
        with takes_less_than(2), pytest.raises(NoAnswer):
            post(server.origin, total_timeout_s=0.5)
        assert len(server.requests) == 1


def reset(connection: socket.socket) -> None:
    """Close with a reset instead of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def reset_once_something_came(connection: socket.socket) -> None:
    connection.recv(1, socket.MSG_PEEK)
    reset(connection)


def test_a_reset_after_the_request_was_read_is_no_answer():
    with RawServer(reset) as server, pytest.raises(NoAnswer):
        post(server.origin)


def test_a_reset_before_the_request_was_read_is_no_answer():
    with RawServer(reset_once_something_came, reads=False) as server, pytest.raises(NoAnswer):
        post(server.origin)


def test_a_reader_that_never_reads_does_not_hold_the_call():
    with RawServer(reads=False) as server:
        server.answer = silent(server.stopped)
        with takes_less_than(3), pytest.raises(NoAnswer):
            post(server.origin, body={"data": {"message": "x" * 30_000_000}}, total_timeout_s=0.8)


# No connection


def test_a_closed_port_is_not_connected():
    with RawServer() as server:
        origin = server.origin
    with pytest.raises(NotConnected) as failed:
        post(origin)
    assert failed.value.code == "refused"


def test_a_port_that_takes_nobody_is_not_connected_in_time():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        with takes_less_than(2), pytest.raises(NotConnected) as failed:
            post(f"http://127.0.0.1:{listener.getsockname()[1]}", connect_timeout_s=0.5)
        for one in waiting:
            one.close()
    assert failed.value.code == "timeout"


def test_an_unknown_name_is_not_connected(monkeypatch: pytest.MonkeyPatch):
    def unknown(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for exempt in (True, False):
        with pytest.raises(NotConnected) as failed:
            post(f"https://{HOST}", exempt=exempt)
        assert failed.value.code == "dns"


def test_a_resolver_that_hangs_does_not_hold_the_call(monkeypatch: pytest.MonkeyPatch):
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: released.wait(10) and [])
    with takes_less_than(2), pytest.raises(NotConnected) as failed:
        post(f"https://{HOST}", exempt=False, connect_timeout_s=0.3)
    released.set()
    assert failed.value.code == "dns"


def test_more_hanging_lookups_than_allowed_fail_in_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "LOOKUPS", threading.BoundedSemaphore(1))
    with wire.LOOKUPS, takes_less_than(2), pytest.raises(NotConnected) as failed:
        post(f"https://{HOST}", exempt=False, connect_timeout_s=0.2)
    assert failed.value.code == "dns"


def test_a_host_that_can_not_stand_in_a_url_is_not_connected():
    with pytest.raises(NotConnected):
        post("http://*")


def test_the_second_address_is_tried_when_the_first_refuses(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "resolve", lambda *_args: ("127.0.0.2", "127.0.0.1"))
    with RawServer() as server:
        assert post(server.origin).status == 202


def test_a_socket_that_nobody_gave_time_neither_reads_nor_writes():
    ours, theirs = socket.socketpair()
    with theirs, wire.TimedSocket(fileno=ours.detach()) as sock:
        theirs.sendall(b"x")
        with pytest.raises(TimeoutError):
            sock.recv_into(bytearray(1))
        with pytest.raises(TimeoutError):
            sock.sendall(b"x")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"])
def test_a_name_that_leads_to_a_private_address_is_not_called(monkeypatch: pytest.MonkeyPatch, address: str):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443)), (0, 0, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: found)
    with pytest.raises(NotConnected) as failed:
        post(f"https://{HOST}", exempt=False)
    assert failed.value.code == "address"


@pytest.mark.parametrize(
    "origin", ["http://velo-lyon.kommo.com", "https://attacker.example", "https://kommo.com", f"https://{HOST}:8443"]
)
def test_an_origin_that_is_not_kommos_is_not_called(origin: str):
    with pytest.raises(BadOrigin):
        post(origin, exempt=False)


# TLS


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Give an authority that the client believes."""
    made = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(made.file)
    context.sslsocket_class = wire.TimedTLSSocket
    monkeypatch.setattr(wire, "tls_context", lambda: context)
    return made


def test_the_call_goes_to_the_checked_address_under_the_hosts_own_name(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    asked: list[tuple[str, int, bool]] = []
    named: list[str | None] = []
    tls = authority.server_context(HOST)
    tls.sni_callback = lambda _sock, name, _context: named.append(name)

    def resolve_checked(host: str, port: int, *, allow_private: bool) -> tuple[str, ...]:
        asked.append((host, port, allow_private))
        return ("127.0.0.1",)

    with RawServer(tls=tls) as server:
        monkeypatch.setattr(wire, "resolve_checked", resolve_checked)
        monkeypatch.setitem(client.DEFAULT_PORTS, "https", server.port)
        answer = post(f"https://{HOST}", exempt=False)
    assert answer.status == 202
    assert asked == [(HOST, server.port, False)]
    assert named == [HOST]
    assert f"Host: {HOST}".encode() in server.requests[0]


def test_a_certificate_for_another_name_is_not_connected(authority: Authority, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "resolve_checked", lambda *_args, **_kwargs: ("127.0.0.1",))
    with RawServer(tls=authority.server_context("rival.kommo.com")) as server:
        monkeypatch.setitem(client.DEFAULT_PORTS, "https", server.port)
        with pytest.raises(NotConnected) as failed:
            post(f"https://{HOST}", exempt=False)
        assert server.requests == []
    assert failed.value.code == "tls"


def test_an_unknown_authority_is_not_connected_for_an_extra_origin_either(tmp_path: Path):
    with RawServer(tls=Authority(tmp_path).server_context("127.0.0.1")) as server:
        with pytest.raises(NotConnected) as failed:
            post(server.origin)
        assert server.requests == []
    assert failed.value.code == "tls"


def test_a_known_authority_serves_an_extra_origin(authority: Authority):
    with RawServer(tls=authority.server_context("127.0.0.1")) as server:
        assert post(server.origin).status == 202


def test_a_server_without_tls_is_not_connected():
    with RawServer(sends(ACCEPTED), reads=False) as server, pytest.raises(NotConnected) as failed:
        post(server.origin.replace("http", "https"))
    assert failed.value.code == "tls"


def test_a_handshake_that_never_comes_is_not_connected_in_time():
    with RawServer(reads=False) as server:
        server.answer = silent(server.stopped)
        with takes_less_than(2), pytest.raises(NotConnected) as failed:
            post(server.origin.replace("http", "https"), connect_timeout_s=0.4)
    assert failed.value.code == "timeout"


def test_dripping_headers_over_tls_are_no_answer(authority: Authority):
    drip = forever(b"HTTP/1.1 202 Accepted\r\nX-A: ", b"x", pause_s=0.1)
    tls = authority.server_context("127.0.0.1")
    with takes_less_than(3), RawServer(drip, tls=tls) as server, pytest.raises(NoAnswer):
        post(server.origin, total_timeout_s=0.8)


def test_a_dripping_body_over_tls_leaves_the_status(authority: Authority):
    drip = forever(b"HTTP/1.1 202 Accepted\r\n\r\n", b"x", pause_s=0.1)
    with takes_less_than(3), RawServer(drip, tls=authority.server_context("127.0.0.1")) as server:
        assert post(server.origin, total_timeout_s=0.8).status == 202


def test_the_real_tls_context_checks_names_and_writes_no_key_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    context = wire.tls_context.__wrapped__()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) > 50
    assert not getattr(context, "keylog_filename", None)


# Together


def test_calls_of_many_threads_do_not_meet():
    def echo(connection: socket.socket) -> None:
        connection.sendall(ACCEPTED)

    outcomes: list[int] = []
    with RawServer(echo) as server:

        def call(number: int) -> None:
            outcomes.append(post(server.origin, access_token=f"token-{number}", body={"data": {"n": number}}).status)

        threads = [threading.Thread(target=call, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outcomes == [202] * 24
    for request in server.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Bearer token-{json.loads(body)['data']['n']}\r\n".encode() in head + b"\r\n"


@pytest.mark.parametrize("listens", [True, False], ids=["no answer", "not connected"])
def test_no_error_tells_the_token_or_the_text(*, listens: bool):
    with RawServer(sends(b"garbage\r\n")) as server:
        if not listens:
            server.close()
        with pytest.raises((NoAnswer, NotConnected)) as failed:
            post(server.origin)
    assert isinstance(failed.value, NoAnswer) == listens
    told = repr(failed.value) + "".join(traceback.format_exception(failed.value))
    assert TOKEN not in told
    assert "vélo" not in told
