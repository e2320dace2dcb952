"""`manage.py sandbox` as a process."""

import json
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.environment import run_environment
from tests.sandbox.bridge import an_account, resume, success

PROJECT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-X", "faulthandler", "manage.py", "sandbox"]

pytestmark = pytest.mark.processes


@contextmanager
def running(*options):
    """Start the command and give the process and the line that it began with."""
    process = subprocess.Popen(
        [*COMMAND, *options],
        cwd=PROJECT,
        env=run_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate(timeout=10)


def address_in(line):
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line
    return found[0]


def refused(*options):
    done = subprocess.run(
        [*COMMAND, *options],
        cwd=PROJECT,
        env=run_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def test_it_serves_the_accounts_of_its_config_and_keeps_a_journal(bridge, tmp_path):
    config, journal = tmp_path / "sandbox.json", tmp_path / "journal.jsonl"
    config.write_text(json.dumps({"accounts": [an_account(hook_url=bridge.url)]}))
    with running("--port", "0", "--config", str(config), "--journal", str(journal)) as (_process, line):
        url = address_in(line)
        assert "accounts: demo" in line
        told = requests.post(f"{url}/sandbox/api/messages", json={"customer": "anna", "text": "hi"}, timeout=10).json()

        assert resume(told["return_url"], success()).status_code == 202
        assert "continue_accepted" in journal.read_text()


def test_it_starts_without_a_config():
    with running("--port", "0") as (_process, line):
        assert requests.get(address_in(line), timeout=10).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_whatever_is_open(bridge, tmp_path, number):
    config = tmp_path / "sandbox.json"
    config.write_text(json.dumps({"accounts": [an_account(hook_url=bridge.url)]}))
    bridge.delay_s = 1.5
    with running("--port", "0", "--config", str(config)) as (process, line):
        api = f"{address_in(line)}/sandbox/api"
        told = requests.post(f"{api}/messages", json={"customer": "anna", "text": "hi"}, timeout=10).json()
        requests.post(f"{api}/faults", json={"kind": "drip", "seconds": 30}, timeout=10)
        headers = {"Authorization": f"Bearer {an_account()['access_token']}"}
        with (
            requests.get(f"{api}/chats/demo/anna/events", stream=True, timeout=10),
            requests.post(told["return_url"], json=success(), headers=headers, stream=True, timeout=10) as dripping,
        ):
            assert dripping.status_code == 202
            begun = time.monotonic()
            process.send_signal(number)
            assert process.wait(timeout=10) == 0
            assert time.monotonic() - begun < 2  # half a second on an idle machine
        assert process.stderr.read() == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_it_refuses_any_host_but_loopback(host):
    assert "--host" in refused("--port", "0", "--host", host)


def test_a_taken_port_is_told_in_one_line():
    with running("--port", "0") as (_process, line):
        port = address_in(line).rsplit(":", 1)[1]

        assert f"--port: {port} on 127.0.0.1 cannot be opened" in refused("--port", port)


def test_a_wrong_config_is_told_in_one_line(tmp_path):
    path = tmp_path / "sandbox.json"
    path.write_text(json.dumps({"accounts": [an_account(kommo_id=0)]}))

    assert "accounts[0].kommo_id: must be a whole number" in refused("--config", str(path))


def test_the_help_shows_a_config():
    shown = subprocess.run(
        [*COMMAND, "--help"], cwd=PROJECT, env=run_environment(), capture_output=True, text=True, timeout=60, check=True
    ).stdout

    assert '"hook_url": "http://127.0.0.1:8000/kommo/<key>/widget-request/"' in shown
