"""Runs the demo's processes: finds ports, prepares the rows, starts the sandbox and `serve`, and stops both."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from kommobridge.base.environment import PROJECT_DIR, run_environment
from kommobridge.demo import rows
from kommobridge.processes import Group

WEB_PORTS = range(8000, 8010)
SANDBOX_PORTS = range(8010, 8030)  # the run's workers may call any of these, since two demos may share a database
READY_WITHIN_S = 90.0
STOP_WITHIN_S = 12.0

Say = Callable[[str], None]


class DemoFailed(Exception):
    """The demo could not start; the text says why and where to look."""


def free_port(ports: Sequence[int]) -> int:
    """Find the first port of loopback that nobody listens on.

    Raises:
        DemoFailed: all are taken.
    """
    for port in ports:
        with socket.socket() as listener, suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            return port
    raise DemoFailed(f"Ports {ports[0]} to {ports[-1]} of 127.0.0.1 are all taken. End what uses one of them.")


@dataclass(slots=True)
class Demo:
    """One run of the demo."""

    say: Say
    web_port: int
    sandbox_port: int
    groups: list[Group] = field(default_factory=list)
    stopping: bool = False

    @property
    def web(self) -> str:
        """Origin of the bridge."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def sandbox(self) -> str:
        """Origin of the stand-in Kommo."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def log_path(self) -> Path:
        """Where the processes of this run write."""
        return settings.DATA_DIR / f"demo-{self.web_port}.log"

    @property
    def config_path(self) -> Path:
        """What the sandbox reads; it holds the demo accounts' secrets."""
        return settings.DATA_DIR / f"demo-sandbox-{self.sandbox_port}.json"

    def run(self) -> None:
        """Start everything, tell where it is, and wait for the end.

        Raises:
            DemoFailed: something did not start.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._told_to_stop)
        try:
            self._prepare()
            self._start()
            if not self.stopping:
                self._tell()
            self._wait()
        finally:
            self._stop()

    def _told_to_stop(self, *_: object) -> None:
        self.stopping = True

    def _environment(self) -> dict[str, str]:
        origins = ",".join(f"http://127.0.0.1:{port}" for port in SANDBOX_PORTS)
        return run_environment(PUBLIC_URL=self.web, KOMMO_EXTRA_ORIGINS=origins, LOG_FORMAT="text", ALLOWED_HOSTS="")

    def _prepare(self) -> None:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        self.say("Preparing the database …")
        self._manage("migrate", "--verbosity", "0")
        self.say("Preparing the demo accounts …")
        self.say(self._manage("demo", "--prepare", str(self.sandbox_port)).strip())
        accounts = rows.sandbox_accounts(self.sandbox_port, hook_origin=self.web)
        descriptor = os.open(self.config_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"bridge_admin_url": f"{self.web}/admin/", "accounts": accounts}, file)

    def _manage(self, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603  our own command
            [sys.executable, str(PROJECT_DIR / "manage.py"), *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DemoFailed(f"`manage.py {arguments[0]}` failed: {done.stderr.strip()[-800:]}")
        return done.stdout

    def _start(self) -> None:
        self.say("Starting sandbox, web and worker …")
        sandbox = Group(("sandbox", "--port", str(self.sandbox_port), "--config", str(self.config_path)))
        serve = Group(("serve", "--bind", f"127.0.0.1:{self.web_port}"))
        with self.log_path.open("ab") as log:
            for group in (sandbox, serve):
                group.start(environment=self._environment(), output=log)
                self.groups.append(group)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not self.stopping:
            if all(answers(address) for address in (f"{self.sandbox}/", f"{self.web}/readyz")):
                return
            if time.monotonic() > deadline or not all(group.is_running for group in self.groups):
                raise DemoFailed(
                    f"The demo did not get ready. Its last lines are in {self.log_path}:\n{self._last_lines()}"
                )
            time.sleep(0.1)

    def _last_lines(self) -> str:
        return "\n".join(self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])

    def _tell(self) -> None:
        owner, operator = rows.logins()
        lines = (
            "",
            "KommoBridge is ready.",
            "",
            f"  Write as a customer   {self.sandbox}/",
            f"  Read it in the admin  {self.web}/admin/",
            f"    {owner.role}: {owner.email}, password {owner.password}",
            f"    {operator.role}: {operator.email}, password {operator.password}",
            f"  Log of this run       {self.log_path}",
            "",
            "Ctrl-C stops all of it. `python manage.py demo --remove` deletes the demo's rows.",
        )
        self.say("\n".join(lines))

    def _wait(self) -> None:
        while not self.stopping:
            for group in self.groups:
                if not group.is_running:
                    raise DemoFailed(f"`{group.arguments[0]}` ended. Its last lines:\n{self._last_lines()}")
            time.sleep(0.2)

    def _stop(self) -> None:
        if self.groups:
            self.say("\nStopping …")
        for group in self.groups:
            group.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        while time.monotonic() < deadline and any(group.is_running for group in self.groups):
            time.sleep(0.05)
        for group in self.groups:
            group.kill()
        self.config_path.unlink(missing_ok=True)


def answers(address: str) -> bool:
    """Say whether an address of ours answers 200."""
    try:
        with urllib.request.urlopen(address, timeout=3) as response:  # noqa: S310  our own loopback address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
