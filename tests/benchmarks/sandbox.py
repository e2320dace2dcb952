"""The sandbox as a stand-in under load: how long it takes to accept a continue while 400 conversations wait.

`python -m tests.benchmarks.sandbox`, and part of `make bench`.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sandbox.server import SandboxServer
from tests.benchmarks.echo_bridge import TOKEN
from tests.benchmarks.figures import share
from tests.environment import a_free_port

RATE = 80.0
ANSWER_S = 5.0
COUNT = 1200


def cpu_s() -> float:
    """Give the seconds of CPU that this process, and so the sandbox in it, has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and print a line."""
    port = a_free_port()
    command = [sys.executable, "-m", "tests.benchmarks.echo_bridge", str(port), str(ANSWER_S), str(COUNT)]
    account = {
        "subdomain": "demo", "kommo_id": 1, "client_id": "benchmark", "client_secret": "s" * 32,
        "access_token": TOKEN, "hook_url": f"http://127.0.0.1:{port}/hook",
    }  # fmt: skip
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bridge,
    ):
        assert bridge.stdout is not None
        bridge.stdout.readline()
        journal = Path(folder) / "journal.jsonl"
        with SandboxServer({"accounts": [account]}, rate=0, journal_path=journal) as sandbox:
            cpu, started = cpu_s(), time.monotonic()
            for number in range(COUNT):
                time.sleep(max(0.0, started + number / RATE - time.monotonic()))
                sandbox.say(f"customer-{number}", "hello there")
            took_ms = sorted(1000 * seconds for seconds in json.loads(bridge.stdout.readline()))
            elapsed = time.monotonic() - started
            used = 100 * (cpu_s() - cpu) / elapsed
    print(  # noqa: T201
        f"sandbox | {RATE:g}/s, {ANSWER_S:g} s answers, {RATE * ANSWER_S:.0f} waiting, journal fsynced | "
        f"accepted {len(took_ms)} | continue p50 {share(took_ms, 0.5):.1f} p99 {share(took_ms, 0.99):.1f} "
        f"max {took_ms[-1]:.1f} ms | CPU {used:.0f} % of a core"
    )


if __name__ == "__main__":
    main()
