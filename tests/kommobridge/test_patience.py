"""Who is ended when many read at once: never the oldest half before their time, and everybody else soon."""

import socket
import time
from collections.abc import Iterator

import pytest

from kommobridge.patience import BRIEF_S, WHOLE_S, Patience
from tests.waiting import wait_until


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Give three connections: the server's end and the client's."""
    made = [socket.socketpair() for _ in range(3)]
    yield made
    for pair in made:
        for end in pair:
            end.close()


def ended(end: socket.socket) -> bool:
    """Whether a read finds the end of the stream at once."""
    end.setblocking(False)
    try:
        return end.recv(1) == b""
    except BlockingIOError:
        return False


def test_whoever_has_no_seat_is_ended_soon_and_the_oldest_goes_on(pairs):
    patience = Patience(seats=1)
    servers = [server for server, _ in pairs]
    started = time.monotonic()
    for server in servers:
        patience.begins(server)
    wait_until(lambda: ended(servers[1]) and ended(servers[2]), within_seconds=WHOLE_S / 2)
    assert time.monotonic() - started >= BRIEF_S
    assert not ended(servers[0])
    assert [patience.is_over(server) for server in servers] == [False, True, True]


def test_with_seats_for_all_nobody_is_ended_soon(pairs):
    patience = Patience(seats=3)
    for server, _ in pairs:
        patience.begins(server)
    patience._end_the_slow(time.monotonic() + WHOLE_S - 1)
    assert not [server for server, _ in pairs if ended(server)]


def test_nobody_takes_longer_than_a_whole_request_may(pairs):
    patience = Patience(seats=3)
    for server, _ in pairs:
        patience.begins(server)
    patience._end_the_slow(time.monotonic() + WHOLE_S + 1)
    assert [patience.is_over(server) for server, _ in pairs] == [True] * 3


def test_a_seat_that_is_left_is_taken_by_the_next(pairs):
    patience = Patience(seats=1)
    (first, _), (second, _), _ = pairs
    patience.begins(first)
    patience.begins(second)
    patience.is_over(first)
    patience._end_the_slow(time.monotonic() + WHOLE_S - 1)
    assert not ended(second)


def test_what_had_arrived_when_time_was_up_is_still_read(pairs):
    patience = Patience(seats=1)
    server, client = pairs[0]
    patience.begins(server)
    client.sendall(b"whole")
    patience._end_the_slow(time.monotonic() + WHOLE_S + 1)
    assert server.recv(10) == b"whole"
    assert server.recv(10) == b""


def test_a_connection_is_judged_anew_with_each_request(pairs):
    patience = Patience(seats=1)
    server, _ = pairs[0]
    patience.begins(server)
    patience._end_the_slow(time.monotonic() + WHOLE_S + 1)
    assert patience.is_over(server)
    assert not patience.is_over(server)


def test_a_client_that_has_gone_by_itself_harms_nobody(pairs):
    patience = Patience(seats=3)
    for server, _ in pairs:
        patience.begins(server)
    pairs[0][0].close()
    patience._end_the_slow(time.monotonic() + WHOLE_S + 1)
    assert ended(pairs[1][0])


def test_a_request_that_was_never_begun_was_not_ended(pairs):
    assert not Patience(seats=1).is_over(pairs[0][0])
