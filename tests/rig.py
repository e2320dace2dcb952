"""A deployment of its own for a process test: database, data folder, web and workers on loopback.

Processes are found by their working folder, which no other deployment has: a title or an environment can be rewritten
by a library, a group or a parent can be left. Whatever a test does, `close` leaves nothing running.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg
import requests

from tests.environment import a_free_port, postgres_url, run_environment
from tests.rig_rows import Row, Rows
from tests.waiting import wait_until

PROJECT = Path(__file__).resolve().parent.parent
READY_S = 60.0
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a deployment: its number, its parent's, and what its command line or title says."""

    pid: int
    parent: int
    title: str

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal; one that is gone already is left alone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


@dataclass
class Rig(Rows):
    """One deployment, with its rows.

    Args:
        database_url: of an empty database; "" is SQLite in the deployment's own folder.
        folder: made by the rig.
        migrated: begin with a database that is up to date.
        environment: variables of the program that differ from those of every test.
    """

    migrated: bool = True
    environment: dict[str, str] = field(default_factory=dict)
    mains: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.migrated and self.database_url:
            self.database_url = _a_copy_of(_migrated_postgres(), self.database_url)
        defaults = {"DATABASE_URL": self.database_url, "KOMMO_RATE": "1000", "LOG_LEVEL": "DEBUG"}
        self.env = run_environment(**(defaults | self.environment))
        self.folder = Path(self.env["DATA_DIR"]).resolve()
        self.log_file = self.folder / "log"
        self.log_file.touch()
        self.port = a_free_port()
        if self.migrated and not self.database_url:
            self.sqlite_file.write_bytes(_migrated_sqlite().read_bytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def base(self) -> str:
        """Address of the web server."""
        return f"http://127.0.0.1:{self.port}"

    # commands

    def manage(self, *arguments: str, given: str = "") -> str:
        """Run a command of manage.py to its end and give what it printed.

        Raises:
            AssertionError: it failed; with everything that it said.
        """
        done = subprocess.run(
            [sys.executable, str(PROJECT / "manage.py"), *arguments],
            env=self.env, cwd=self.folder, input=given, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments[0]}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def provision(self, document: Mapping[str, Any]) -> None:
        """Bring accounts up to date by the program's own command."""
        self.manage("provision", "-", given=json.dumps(document))

    def start(self, command: str) -> "subprocess.Popen[bytes]":
        """Start `serve`, `web` or `worker` in the background; its output goes to the log."""
        bind = [] if command == "worker" else ["--bind", f"127.0.0.1:{self.port}"]
        with self.log_file.open("ab") as log:
            main = subprocess.Popen(
                [sys.executable, str(PROJECT / "manage.py"), command, *bind],
                env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=_end_with_the_tests,  # noqa: PLW1509  one system call
            )  # fmt: skip
        self.mains.append(main)
        return main

    def start_and_wait(self, *commands: str) -> float:
        """Start commands, wait until the deployment is ready, and give the time at which it was."""
        for command in commands or ("serve",):
            self.start(command)
        return self.wait_until_ready()

    def readiness(self) -> tuple[int, Row]:
        """Ask /readyz: status and body; status 0 while nobody listens, or answers."""
        try:
            answer = requests.get(f"{self.base}/readyz", timeout=10)
        except (requests.ConnectionError, requests.Timeout):
            return 0, {}
        return answer.status_code, answer.json()

    def wait_until_ready(self, within_seconds: float = READY_S) -> float:
        """Wait for /readyz to answer 200 and give the time at which it did, as `time.time()` does."""
        try:
            wait_until(lambda: self.readiness()[0] == 200, within_seconds=within_seconds, every_seconds=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}; /readyz: {self.readiness()}\n{self.log()[-3000:]}") from error
        return time.time()

    def hook(self, key: str) -> str:
        """Give the address that the Widget step of an account calls."""
        return f"{self.base}/kommo/{key}/widget-request/"

    def log(self) -> str:
        """Give everything that the processes wrote."""
        return self.log_file.read_text(errors="replace")

    # processes

    def processes(self) -> list[Process]:
        """List the processes of this deployment that live."""
        found = [_look(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._is_ours(entry)]
        return [process for process in found if process]

    def titled(self, text: str) -> list[Process]:
        """List those whose command line or title holds a text."""
        return [process for process in self.processes() if text in process.title]

    def signal_all(self, number: int) -> None:
        """Send every process a signal at the same moment."""
        for process in self.processes():
            process.kill(number)

    def wait_until_gone(self, *, within_seconds: float) -> float:
        """Wait until no process is left and give the seconds that it took."""
        started = time.monotonic()
        for main in self.mains:
            with contextlib.suppress(subprocess.TimeoutExpired):
                main.wait(within_seconds)
        left = max(0.1, within_seconds - (time.monotonic() - started))
        try:
            wait_until(lambda: not self.processes(), within_seconds=left)
        except AssertionError as error:
            raise AssertionError(f"left after {within_seconds} s: {self.processes()}") from error
        self.mains.clear()
        return time.monotonic() - started

    def close(self) -> None:
        """Kill whatever is left."""
        while self.processes():
            self.signal_all(signal.SIGKILL)
            for main in self.mains:
                main.wait(10)
            time.sleep(0.01)  # the kernel ends them in its own time
        for main in self.mains:
            main.wait(10)
        self.mains.clear()

    def _is_ours(self, entry: Path) -> bool:
        try:
            return (entry / "cwd").readlink() == self.folder
        except OSError:  # gone, a zombie, or somebody else's
            return False


def _look(entry: Path) -> Process | None:
    try:
        parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        title = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None
    return Process(int(entry.name), parent, title)


def _end_with_the_tests() -> None:
    """Have the kernel kill a main process when the tests die without a word; it kills its own."""
    if sys.platform == "linux":
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# Migrations take seconds and are the same for all: they run once, and each deployment gets a copy.
_templates: dict[str, str] = {}


def _migrated_sqlite() -> Path:
    if "sqlite" not in _templates:
        with Rig(migrated=False) as rig:
            rig.manage("migrate", "-v0")
            rig.sql("PRAGMA wal_checkpoint(TRUNCATE)")
            _templates["sqlite"] = str(rig.sqlite_file)
    return Path(_templates["sqlite"])


def _migrated_postgres() -> str:
    if "postgres" not in _templates:
        url = postgres_url("template")
        with Rig(database_url=url, migrated=False) as rig:
            rig.manage("migrate", "-v0")
        _templates["postgres"] = url
    return _templates["postgres"]


def _a_copy_of(template_url: str, target_url: str) -> str:
    """Make the target anew as a copy of the template."""
    template, target = (urlsplit(url).path.strip("/") for url in (template_url, target_url))
    server = urlsplit(target_url)._replace(path="/postgres").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {target}".encode())
        connection.execute(f"CREATE DATABASE {target} TEMPLATE {template}".encode())
    return target_url
