import socket
import threading

import pytest

from sandbox.server import SandboxServer
from tests.sandbox.bridge import an_account


def test_a_taken_port_is_refused_and_leaves_no_thread_behind():
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match="--port"), SandboxServer(port=port):
            pass

    assert threading.active_count() == before


def test_a_stopped_sandbox_frees_its_port_and_answers_no_more():
    with SandboxServer() as sandbox:
        port = int(sandbox.url.rsplit(":", 1)[1])
    with SandboxServer(port=port) as again:
        assert again.url == sandbox.url

    with pytest.raises(RuntimeError, match="not running"):
        sandbox.say("anna", "hi")


def test_with_several_accounts_one_has_to_be_named():
    accounts = [an_account(), an_account(subdomain="rival", access_token="x")]
    with SandboxServer({"accounts": accounts}) as sandbox, pytest.raises(ValueError, match="name one of demo, rival"):
        sandbox.say("anna", "hi")


def test_ids_are_never_used_again_by_a_later_sandbox(bridge):
    ids = []
    for _ in range(2):
        with SandboxServer({"accounts": [an_account(hook_url=bridge.url)]}) as sandbox:
            receipts = [sandbox.say(name, "hi") for name in ("anna", "ben")]
            ids += [receipt.continue_id for receipt in receipts] + [receipt.lead_id for receipt in receipts]

    assert len(set(ids)) == 8


def test_waiting_for_what_never_comes_ends_with_an_error():
    with SandboxServer() as sandbox, pytest.raises(TimeoutError):
        sandbox.wait_until(lambda: sandbox.accepted, within_seconds=0.05)
