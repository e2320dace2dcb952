"""`web` and `worker` alone: after a stop or a kill no process of theirs is left. (`serve`: see test_restarts.)"""

import signal
import socket
from collections.abc import Iterator

import pytest

from tests.environment import a_free_port
from tests.processes.conftest import NewDatabase
from tests.processes.databases import ON_SQLITE
from tests.processes.site import GONE_S, WAYS
from tests.rig import READY_S, Rig
from tests.waiting import wait_until

pytestmark = ON_SQLITE


@pytest.fixture(scope="module")
def rig(new_database: NewDatabase) -> Iterator[Rig]:
    """Give a deployment without accounts; nothing runs yet."""
    with Rig(database_url=new_database()) as made:
        yield made


def is_up(rig: Rig, command: str) -> bool:
    """Whether web answers, or a worker has given a sign of life."""
    if command == "web":
        return rig.readiness()[0] != 0 and len(rig.titled("gunicorn: worker")) == 2
    return bool(rig.sql("SELECT 1 FROM bots_heartbeat"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", ["web", "worker"])
def test_a_stopped_or_killed_command_leaves_no_process(rig: Rig, command: str, way: str) -> None:
    rig.sql("DELETE FROM bots_heartbeat")
    main = rig.start(command)
    wait_until(lambda: is_up(rig, command), within_seconds=READY_S, every_seconds=0.1)
    assert len(rig.processes()) >= 3

    WAYS[way](rig, main)

    rig.wait_until_gone(within_seconds=GONE_S)


def test_a_web_server_with_open_connections_stops_in_time(rig: Rig) -> None:
    main = rig.start("web")
    wait_until(lambda: is_up(rig, "web"), within_seconds=READY_S, every_seconds=0.1)
    idle = socket.create_connection(("127.0.0.1", rig.port))
    half = socket.create_connection(("127.0.0.1", rig.port))
    half.sendall(b"POST /kommo/some-key-0123/widget-request/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx")

    main.send_signal(signal.SIGTERM)

    rig.wait_until_gone(within_seconds=GONE_S)
    idle.close()
    half.close()


def test_a_wrong_environment_is_told_in_one_line_and_starts_nothing(new_database: NewDatabase) -> None:
    with Rig(database_url=new_database(), environment={"DEBUG": "flase"}) as rig:
        main = rig.start("serve")

        assert main.wait(READY_S) != 0
        assert "DEBUG='flase': must be one of 1, true, yes, on, 0, false, no, off" in rig.log()
        assert "Traceback" not in rig.log()


def test_an_address_that_is_taken_ends_serve_with_an_error(rig: Rig) -> None:
    rig.port = a_free_port()
    with socket.create_server(("127.0.0.1", rig.port)):
        main = rig.start("serve")

        assert main.wait(READY_S) != 0
    rig.wait_until_gone(within_seconds=GONE_S)
