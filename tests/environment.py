"""The environment of a test run, and of every process that a test starts: complete, and nobody else's.

Loaded by `-p tests.environment`, it acts before pytest-django reads the settings. Every variable of the program is set,
if only to nothing, and `.env` is kept out, so that neither that file nor what the caller exported counts. Vendor keys,
proxies and switches of libraries are taken away. Data lies in a folder of the run, which goes with it.

`python -m tests.environment COMMAND …` runs a command in such an environment (mypy, makemigrations and the benchmarks
read the settings too).
"""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from kommobridge.base import environment as program
from tests import postgres
from tests.folders import new_folder

# `postgres` runs what needs a database on PostgreSQL; anything else on SQLite.
CHOICE = "KOMMOBRIDGE_TEST_DATABASE"
# The run's folder and its server, told to the workers of pytest-xdist.
RUN_DIR = "KOMMOBRIDGE_TEST_RUN_DIR"
SERVER = "KOMMOBRIDGE_TEST_POSTGRES"

# Below those that Linux gives to connections (net.ipv4.ip_local_port_range).
PORTS = range(20_000, 32_000)

# Switches with which libraries print more, go elsewhere or ask somebody.
LIBRARY_SWITCHES = (
    "DJANGO_ALLOW_ASYNC_UNSAFE",
    "Q_CLUSTER_NAME",
    "SSLKEYLOGFILE",
    "PYTHONWARNINGS",
    "PYTHONASYNCIODEBUG",
)
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy")


def run_environment(**overrides: str) -> dict[str, str]:
    """Give a complete environment for a process of this run: fresh keys, own data, SQLite in `DATA_DIR`.

    Args:
        overrides: variables that the test sets, by name; they come last.

    Returns:
        What `subprocess` takes as `env`: this process's own environment (`enter` took the caller's out of it), with
        every variable of the program anew.
    """
    kept = {name: value for name, value in os.environ.items() if not _is_foreign(name)}
    return kept | _program_variables() | overrides


def _program_variables() -> dict[str, str]:
    unset = dict.fromkeys((variable.name for variable in program.VARIABLES), "")
    return unset | {
        program.WITHOUT_FILE: "1",
        "DJANGO_SETTINGS_MODULE": "kommobridge.settings",
        "SECRET_KEY": program.random_secret(),
        "FIELD_KEYS": Fernet.generate_key().decode(),
        "DATA_DIR": str(_new_data_dir()),
        "LLM_ALLOW_PRIVATE_HOSTS": "1",
    }


def _is_foreign(name: str) -> bool:
    return name in LIBRARY_SWITCHES or name.lower() in PROXIES or name.startswith("PYTEST_")


def _new_data_dir() -> Path:
    """Make a data folder inside the run's, or a run's folder first."""
    parent = os.environ.get(RUN_DIR) or str(_new_run_dir())
    return Path(tempfile.mkdtemp(prefix="data-", dir=parent))


def _new_run_dir() -> Path:
    folder = new_folder("kommobridge-tests-")
    os.environ[RUN_DIR] = str(folder)
    return folder


def postgres_url(name: str) -> str:
    """Give the address of a fresh, empty database on the run's PostgreSQL, which starts when first asked for.

    Args:
        name: letters, digits and underscores; a random end makes it new each time.

    Raises:
        PostgresMissing: there is no server program on this machine.
    """
    return _server().fresh_database(f"{name}_{secrets.token_hex(4)}")


def a_free_port() -> int:
    """Give a port of 127.0.0.1 that nobody listens on, and that this run gives to nobody else.

    The kernel takes the ports of connections from a range of its own, so a port from below it stays free until somebody
    listens, and between the stop and the next start of who listens on it.
    """
    while True:
        port = secrets.choice(PORTS)
        with contextlib.suppress(FileExistsError):
            (Path(os.environ[RUN_DIR]) / f"port-{port}").touch(exist_ok=False)
            if _is_free(port):
                return port


def _is_free(port: int) -> bool:
    with socket.socket() as listener, contextlib.suppress(OSError):
        listener.bind(("127.0.0.1", port))
        return True
    return False


_started: list[postgres.Server] = []


def _server() -> postgres.Server:
    """The server of this run: the one that the whole run uses, else one of this process's own."""
    if SERVER in os.environ:
        return postgres.Server(port=int(os.environ[SERVER]))
    if not _started:
        _started.append(postgres.start())
    return _started[0]


def _is_worker_of_xdist() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ


def enter() -> None:
    """Put this process into an environment of its own; a worker of pytest-xdist keeps its controller's."""
    if _is_worker_of_xdist() and RUN_DIR in os.environ:
        os.environ["DATA_DIR"] = str(_new_data_dir())
        return
    os.environ.pop(RUN_DIR, None)
    os.environ.pop(SERVER, None)
    program.drop_vendor_variables()
    _new_run_dir()
    fresh = run_environment()
    os.environ.clear()
    os.environ.update(fresh)
    if os.environ.get(CHOICE) == "postgres":
        os.environ["DATABASE_URL"] = postgres_url("kommobridge")
        os.environ[SERVER] = str(_server().port)


def leave() -> None:
    """Stop what this process started; the folder goes with the process that made it."""
    while _started:
        _started.pop().stop()
    if not _is_worker_of_xdist():
        shutil.rmtree(os.environ.get(RUN_DIR, ""), ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Enter before anybody else in this hook, and pytest-django reads the settings in it; leave at the very end."""
    enter()
    early_config.add_cleanup(leave)
    return (yield)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--database-parts`: only tests that use the database of the run."""
    parser.addoption("--database-parts", action="store_true", help="run only tests that use the database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, when asked to, every test that would be the same on any database."""
    if not config.getoption("--database-parts"):
        return
    chosen = [item for item in items if _uses_the_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def _uses_the_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(
        fixtures & {"db", "transactional_db", "live_server"}
    )


def pytest_report_header() -> str:
    """Say on which database this run is."""
    return f"database: {'PostgreSQL' if os.environ.get('DATABASE_URL') else 'SQLite'}"


def main(command: list[str]) -> int:
    """Run a command in a clean environment and give its exit code."""
    enter()
    try:
        return subprocess.run(command, check=False).returncode
    finally:
        leave()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
