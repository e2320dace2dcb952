"""`make bench`: acknowledgement and overhead on SQLite and PostgreSQL, with a model that takes a second.

Load, Kommo and model run on the same machine as the program, and the load's own threads count into the times.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.benchmarks import sandbox
from tests.benchmarks.load import Figures, run, share
from tests.environment import a_free_port, postgres_url
from tests.rig import Rig
from tests.stubs.kommo import KommoStub

LLM_S = 1.0
RATES = (5.0, 20.0)
SECONDS = 20.0
KEY = "benchmark-hook-key-0001"
COLUMNS = (
    "database",
    "rate/s",
    "sent",
    "answered",
    "ack p50",
    "p99",
    "max",
    "overhead p50",
    "p99",
    "web PSS MB",
    "all",
)


@contextmanager
def a_model() -> Iterator[str]:
    """Run the model's stub as a program of its own and give its address."""
    port = a_free_port()
    command = [sys.executable, "-m", "tests.stubs.llm", "--port", str(port), "--delay", str(LLM_S)]
    with subprocess.Popen(command) as process:
        _wait_until_open(f"http://127.0.0.1:{port}/_journal")
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def _wait_until_open(address: str) -> None:
    for _ in range(100):
        try:
            requests.get(address, timeout=1)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return


def document(kommo: KommoStub, llm_url: str) -> dict[str, object]:
    """Give one account with one bot, as `provision` takes it."""
    return {
        "accounts": [
            {
                "key": KEY, "name": "Bench", "subdomain": "bench", "kommo_id": kommo.kommo_id, "origin": kommo.origin,
                "integration": {"client_id": kommo.client_id, "client_secret": kommo.client_secret},
                "access_token": kommo.access_token,
                "providers": [{"name": "main", "provider": "openai", "api_key": "sk-bench", "api_base": llm_url}],
                "bots": [{
                    "slug": "default", "name": "Bench", "prompt": "You sell tea.",
                    "models": [{"provider": "main", "model": "gpt-4o-mini"}],
                }],
            }
        ]
    }  # fmt: skip


def pss_mb(rig: Rig, title: str = "") -> list[float]:
    """Give the proportional set size of each process whose title holds a text."""
    found = []
    for process in rig.titled(title):
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        found.append(sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024)
    return found


def measure(database: str, llm_url: str) -> list[tuple[Figures, float, float]]:
    """Run every rate on one database."""
    with KommoStub() as kommo:
        url = postgres_url("bench") if database == "PostgreSQL" else ""
        environment = {"KOMMO_EXTRA_ORIGINS": kommo.origin, "LOG_LEVEL": "INFO"}
        with Rig(database_url=url, environment=environment) as rig:
            rig.provision(document(kommo, llm_url))
            rig.start_and_wait("serve")
            run(kommo, rig.hook(KEY), rate=2, seconds=3, llm_s=LLM_S)  # warm
            return [
                (
                    run(kommo, rig.hook(KEY), rate=rate, seconds=SECONDS, llm_s=LLM_S),
                    max(pss_mb(rig, "gunicorn"), default=0.0),
                    sum(pss_mb(rig)),
                )
                for rate in RATES
            ]


def main() -> None:
    """Measure and print a table."""
    print(" | ".join(COLUMNS))  # noqa: T201
    with a_model() as llm_url:
        for database in ("SQLite", "PostgreSQL"):
            for figures, web_mb, all_mb in measure(database, llm_url):
                row = (
                    database, f"{figures.rate:g}", str(figures.sent), str(figures.answered),
                    f"{share(figures.ack, 0.5):.0f}", f"{share(figures.ack, 0.99):.0f}", f"{figures.ack[-1]:.0f}",
                    f"{share(figures.overhead, 0.5):.0f}", f"{share(figures.overhead, 0.99):.0f}",
                    f"{web_mb:.0f}", f"{all_mb:.0f}",
                )  # fmt: skip
                print(" | ".join(row), flush=True)  # noqa: T201
    sandbox.main()


if __name__ == "__main__":
    main()
