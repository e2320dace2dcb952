"""A PostgreSQL of the tests' own: a private server in a temporary folder, on a free port of loopback.

It runs as an unprivileged user when the tests run as root, since initdb refuses root. It doesn't wait for the disk
(its data is thrown away) and ends with the thread that started it, however that ends: start it in the main thread.
"""

import ctypes
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import psycopg

from tests.folders import new_folder

# Debian keeps the server's programs out of PATH, in a folder for each version.
FOLDERS = "/usr/lib/postgresql"
UNPRIVILEGED = ("postgres", "nobody")
START_SECONDS = 30
STOP_SECONDS = 10
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "warning",
}


class PostgresMissing(RuntimeError):
    """There is no PostgreSQL server here, or it can't be started; the text says why and what to do."""


class Identity(TypedDict, total=False):
    """Whom a process runs as, as `subprocess` takes it; empty is ourselves."""

    user: int
    group: int
    extra_groups: Sequence[int]


@dataclass(slots=True)
class Server:
    """A running server; without a process it is one that somebody else started and will stop."""

    port: int
    process: subprocess.Popen[bytes] | None = None
    folder: Path | None = None
    made: list[str] = field(default_factory=list)

    def url(self, database: str) -> str:
        """Give the address of a database as DATABASE_URL takes it."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def fresh_database(self, name: str) -> str:
        """Make an empty database and give its address.

        Raises:
            ValueError: the name isn't made of small letters, digits and underscores.
        """
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
            raise ValueError(f"{name!r} is no name for a database: small letters, digits and underscores only")
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        self.made.append(name)
        return self.url(name)

    def stop(self) -> None:
        """End the server and remove its folder; connections that are still open are cut."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def programs() -> Path:
    """Give the folder with initdb and postgres: the newest that Debian installed, else the one in PATH.

    Raises:
        PostgresMissing: there is none.
    """
    folders = sorted(Path(FOLDERS).glob("*/bin"), key=lambda folder: _version(folder.parent.name), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    found = shutil.which("initdb")
    if found and shutil.which("postgres"):
        return Path(found).parent
    raise PostgresMissing("PostgreSQL is not installed: run `make system` as root, or install Debian's `postgresql`.")


def is_there() -> bool:
    """Whether the programs are on this machine."""
    try:
        programs()
    except PostgresMissing:
        return False
    return True


def start() -> Server:
    """Make a new, empty server and wait until it answers.

    Raises:
        PostgresMissing: its programs are missing, or it didn't start.
    """
    binaries = programs()
    folder = new_folder("kommobridge-pg-")
    user = _unprivileged_user()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    try:
        _initialise(binaries, folder, user)
        return _launch(binaries, folder, user)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split(".") if part.isdigit())


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Choose whom to run as: nobody else when we aren't root.

    Raises:
        PostgresMissing: we are root and there is no such user.
    """
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresMissing(f"PostgreSQL refuses root, and there is no user {' or '.join(UNPRIVILEGED)} to run it as.")


def _initialise(binaries: Path, folder: Path, user: pwd.struct_passwd | None) -> None:
    command = [binaries / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    done = subprocess.run(
        [*map(str, command), "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
        capture_output=True,
        check=False,
        cwd=folder,
        env=_bare_environment(),
        **_as_user(user),
    )
    if done.returncode:
        raise PostgresMissing(f"initdb failed: {done.stderr.decode(errors='replace').strip()[-500:]}")


def _launch(binaries: Path, folder: Path, user: pwd.struct_passwd | None) -> Server:
    port = _free_port()
    settings = SETTINGS | {"port": str(port), "unix_socket_directories": str(folder)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(binaries / "postgres"), "-D", str(folder / "data"), *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=_bare_environment(),
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509  one system call, and nothing is loaded for it
            **_as_user(user),
        )
    server = Server(port=port, process=process, folder=folder)
    _wait_until_it_answers(server, folder / "log")
    return server


def _as_user(user: pwd.struct_passwd | None) -> Identity:
    return Identity() if user is None else Identity(user=user.pw_uid, group=user.pw_gid, extra_groups=())


def _bare_environment() -> dict[str, str]:
    """What PostgreSQL needs and no more: variables such as PGDATA and PGPORT would change it."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _end_with_parent() -> None:
    """Ask the kernel for a fast shutdown of the server when the tests die without a word."""
    if sys.platform == "linux":
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_it_answers(server: Server, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(server.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if server.process is None or server.process.poll() is not None or time.monotonic() > deadline:
                told = log.read_text(errors="replace")[-500:]
                server.stop()
                raise PostgresMissing(f"PostgreSQL didn't start: {error}\n{told}".strip()) from error
            time.sleep(0.05)
        else:
            return
