"""A test run sees nothing of the machine that it runs on."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kommobridge.base.environment import PROJECT_DIR, VARIABLES, read
from tests.environment import RUN_DIR, a_free_port, run_environment
from tests.postgres import PostgresMissing, Server, start
from tests.waiting import wait_until

HOSTILE = {
    "DATABASE_URL": "postgres://somebody:secret@127.0.0.1:1/theirs",
    "DATA_DIR": "/nonexistent/theirs",
    "SECRET_KEY": "theirs",
    "FIELD_KEYS": "theirs",
    "LOG_LEVEL": "LOUD",
    "WEB_WORKERS": "none",
    "OPENAI_API_KEY": "sk-theirs",
    "ANTHROPIC_API_KEY": "theirs",
    "OPENAI_BASE_URL": "http://127.0.0.1:1",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "DJANGO_SETTINGS_MODULE": "theirs.settings",
}
SHOW = """
import json, os
from django.conf import settings
database, data = settings.DATABASES["default"]["NAME"], settings.DATA_DIR
print(json.dumps({"database": str(database), "data": str(data), "environment": dict(os.environ)}))
"""
LEAVE_A_SERVER = """
import os
from tests import postgres
print(postgres.start().process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def inside() -> Any:
    """Give what a command sees that `python -m tests.environment` runs on a hostile machine."""
    command = [sys.executable, "-m", "tests.environment", sys.executable, "-c", SHOW]
    # As from a shell: a worker of pytest-xdist would keep its controller's environment.
    shell = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "KOMMOBRIDGE_"))}
    hostile = shell | HOSTILE
    done = subprocess.run(command, env=hostile, cwd=PROJECT_DIR, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_callers_database_and_data_are_out_of_reach(inside):
    assert inside["data"].startswith(inside["environment"][RUN_DIR])
    assert inside["database"].startswith(inside["data"])


def test_the_callers_keys_are_out_of_reach(inside):
    assert not [name for name, value in inside["environment"].items() if "theirs" in value]
    assert not [name for name in inside["environment"] if name.startswith(("OPENAI_", "ANTHROPIC_"))]


def test_the_callers_proxies_are_out_of_reach(inside):
    assert not [name for name in inside["environment"] if name.lower().endswith("_proxy")]


def test_a_runs_folder_goes_with_it(inside):
    assert not Path(inside["environment"][RUN_DIR]).exists()


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_variable_is_set_in_this_run(variable):
    assert variable.name in os.environ


def test_a_file_of_the_checkout_decides_nothing(tmp_path):
    (tmp_path / ".env").write_text("KOMMO_RATE=1\nLOG_LEVEL=LOUD\nOPENAI_API_KEY=theirs\nDEBUG=1\n")
    seen = read(tmp_path / ".env")
    assert (seen.kommo_rate, seen.log_level, seen.debug) == (7, "INFO", False)
    assert "OPENAI_API_KEY" not in os.environ


def test_each_process_gets_keys_and_data_of_its_own():
    first, second = run_environment(), run_environment()
    for name in ("SECRET_KEY", "FIELD_KEYS", "DATA_DIR"):
        assert first[name] != second[name]


def test_an_override_wins():
    assert run_environment(KOMMO_RATE="1000", DEBUG="1")["KOMMO_RATE"] == "1000"


def test_a_free_port_can_be_listened_on():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", a_free_port()))


@pytest.mark.postgres
@pytest.mark.processes
def test_a_server_ends_with_the_process_that_started_it(postgres):
    command = [sys.executable, "-c", LEAVE_A_SERVER]
    done = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    wait_until(lambda: not Path(f"/proc/{int(done.stdout)}").exists(), within_seconds=15)


@pytest.mark.postgres
@pytest.mark.processes
def test_a_stopped_server_leaves_no_process_and_no_folder(postgres):
    server = start()
    assert server.process is not None
    assert server.folder is not None
    server.stop()
    assert server.process.returncode is not None
    assert not server.folder.exists()


@pytest.mark.parametrize("name", ["", "Upper", "a-b", 'a"; DROP', "1a", "a" * 64])
def test_a_name_that_is_none_makes_no_database(name):
    with pytest.raises(ValueError, match="no name for a database"):
        Server(port=1).fresh_database(name)


def test_a_machine_without_postgresql_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr("tests.postgres.FOLDERS", "/nonexistent")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(PostgresMissing, match="make system"):
        start()
