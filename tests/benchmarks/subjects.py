"""What is measured: the program as it is run, and the bare baseline. Each is started, warmed by its caller, and ended.

Everything runs on this machine and on loopback: the subject, its database, the load and the stand-ins.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from unittest.mock import patch

import requests

from kommobridge.processes import die_with_parent
from tests import postgres
from tests.benchmarks.stand_ins import ACCESS_TOKEN, COUNT, JOURNAL, Journal
from tests.benchmarks.usage import family
from tests.environment import run_environment
from tests.rig import PROJECT, Process, Rig

KEY = "benchmark-hook-key-0001"
KOMMO_ID = 31_337
CLIENT_ID = "0d5c0e5e-1111-4222-8333-444455556666"
CLIENT_SECRET = "benchmark-client-secret-0123456789abcdef"
PROMPT = (
    "You are the assistant of a clothes shop. Answer in the customer's language, in two or three sentences, kindly and "
    "to the point. Never promise a discount. When you don't know something, say that a colleague will answer."
)
KNOWLEDGE = "\n\n".join(
    f"{subject}: {text}"
    for subject, text in (
        ("Delivery", "Two working days within the country, five abroad; free from 60 euros, else 4.90."),
        ("Returns", "Within 30 days, unworn, with the label. The money is back within a week."),
        ("Sizes", "XS to XXL. The blue dress runs small: take one size more."),
        ("Colours", "Blue, light blue, sand and black. Red comes back in spring."),
        ("Payment", "Card, bank transfer, or on delivery for 3 euros more."),
        ("Shops", "Main Street 5, Monday to Saturday from 10 to 19."),
    )
)
# PostgreSQL as Debian installs it; the tests' own server doesn't wait for the disk.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "128MB"}
DATABASE = "PostgreSQL"


class Subject(Protocol):
    """Something that takes widget_requests and continues them."""

    @property
    def name(self) -> str:
        """What it is called in the table."""

    @property
    def hook_url(self) -> str:
        """Where the load sends to."""

    def groups(self) -> Mapping[str, Sequence[int]]:
        """Give its processes by group; the database's, if it is a process, as `PostgreSQL`."""


@dataclass(slots=True)
class StandIns:
    """The model and Kommo, each a process of its own."""

    model: "subprocess.Popen[str]"
    kommo: "subprocess.Popen[str]"
    llm_url: str
    kommo_origin: str

    def continued(self) -> int:
        """Say how many exchanges have been continued."""
        return int(requests.get(self.kommo_origin + COUNT, timeout=10).text)

    def take_journals(self) -> tuple[Journal, Journal]:
        """Give what model and Kommo saw since the last time, and have them forget it."""
        return _taken(self.llm_url.removesuffix("/v1")), _taken(self.kommo_origin)


def _taken(origin: str) -> Journal:
    told = requests.delete(origin + JOURNAL, timeout=30).json()
    return {int(number): calls for number, calls in told.items()}


@contextmanager
def stand_ins(llm_s: float) -> Iterator[StandIns]:
    """Start model and Kommo; the model takes so many seconds."""
    module = "tests.benchmarks.stand_ins"
    with ExitStack() as stack:
        model, model_port = stack.enter_context(_a_program(module, "model", "--delay", str(llm_s)))
        kommo, kommo_port = stack.enter_context(_a_program(module, "kommo"))
        yield StandIns(model, kommo, f"http://127.0.0.1:{model_port}/v1", f"http://127.0.0.1:{kommo_port}")


@contextmanager
def _a_program(module: str, *arguments: str, given: str = "") -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Run a program of ours that prints its port, and end it; it ends with us too."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments], env=run_environment(), cwd=PROJECT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with_parent,  # noqa: PLW1509  one system call
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(given)
            process.stdin.close()
            told = process.stdout.readline()
            assert told.strip().isdigit(), f"{module} didn't start: {told!r}"
            yield process, int(told)
        finally:
            process.kill()


# the program


@dataclass(slots=True)
class Program:
    """KommoBridge under `serve`."""

    rig: Rig
    database: postgres.Server | None
    name: str = "kommobridge"

    @property
    def hook_url(self) -> str:
        """Address that the Widget step calls."""
        return self.rig.hook(KEY)

    def groups(self) -> Mapping[str, Sequence[int]]:
        """Give its processes: web, worker, the rest as queue, and PostgreSQL."""
        found: dict[str, list[int]] = {"web": [], "worker": [], "queue": []}
        for process in self.rig.processes():
            found[group_of(process)].append(process.pid)
        if self.database and self.database.process:
            found[DATABASE] = family(self.database.process.pid)
        return found


def group_of(process: Process) -> str:
    """Say which group a process belongs to, by its title."""
    if "gunicorn" in process.title or " web" in process.title:
        return "web"
    return "worker" if process.title.endswith(" idle") or " processing " in process.title else "queue"


@contextmanager
def the_program(
    stands: StandIns, *, embedded: bool, durable: bool, environment: Mapping[str, str]
) -> Iterator[Program]:
    """Start the program on a new database.

    Args:
        embedded: on SQLite; else on a PostgreSQL of its own.
        durable: PostgreSQL waits for the disk, as it does in production.
        environment: variables of the program, over those of the benchmark.
    """
    defaults = {"KOMMO_EXTRA_ORIGINS": stands.kommo_origin, "KOMMO_RATE": "10000", "LOG_LEVEL": "INFO"}
    with ExitStack() as stack:
        server = None if embedded else stack.enter_context(_a_postgres(durable=durable))
        url = server.fresh_database("bench") if server else ""
        rig = Rig(database_url=url, migrated=embedded, environment={**defaults, **environment})
        stack.enter_context(rig)
        if server:
            rig.manage("migrate", "-v0")
        rig.provision(_document(stands))
        rig.start_and_wait("serve")
        yield Program(rig, server)


@contextmanager
def _a_postgres(*, durable: bool) -> Iterator[postgres.Server]:
    with patch.dict(postgres.SETTINGS, DURABLE if durable else {}):
        server = postgres.start()
    try:
        yield server
    finally:
        server.stop()


def _document(stands: StandIns) -> dict[str, Any]:
    """Give one account with one bot, as `provision` takes it."""
    provider = {"name": "main", "provider": "openai", "api_key": "sk-bench", "api_base": stands.llm_url}
    bot = {
        "slug": "default", "name": "Bench", "prompt": PROMPT, "knowledge": KNOWLEDGE,
        "models": [{"provider": "main", "model": "gpt-4o-mini"}],
    }  # fmt: skip
    account = {
        "key": KEY, "name": "Bench", "subdomain": "bench", "kommo_id": KOMMO_ID, "origin": stands.kommo_origin,
        "integration": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}, "access_token": ACCESS_TOKEN,
        "providers": [provider], "bots": [bot],
    }  # fmt: skip
    return {"accounts": [account]}


# the bare baseline


@dataclass(slots=True)
class Bare:
    """The baseline: processes that share one port."""

    pids: Sequence[int]
    hook_url: str
    name: str = "baseline"

    def groups(self) -> Mapping[str, Sequence[int]]:
        """Give its processes, all of one kind."""
        return {"baseline": self.pids}


@contextmanager
def the_baseline(stands: StandIns, *, processes: int, port: int) -> Iterator[Bare]:
    """Start the baseline, with everything that it needs to know."""
    given = {
        "port": port, "llm_url": stands.llm_url, "kommo_id": KOMMO_ID, "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET, "access_token": ACCESS_TOKEN, "prompt": f"{PROMPT}\n\n{KNOWLEDGE}",
    }  # fmt: skip
    with ExitStack() as stack:
        started = [
            stack.enter_context(_a_program("tests.benchmarks.baseline", given=json.dumps(given)))
            for _ in range(processes)
        ]
        yield Bare([process.pid for process, _ in started], f"http://127.0.0.1:{port}/hook")
