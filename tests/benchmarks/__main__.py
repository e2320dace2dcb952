"""`make bench`: what the program and a bare baseline make of the same load. Measured and printed, not asserted.

Both take the same widget_requests, ask the same model and continue at the same Kommo; see docs/benchmarks.md.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks import sandbox, table
from tests.benchmarks.chart import chart
from tests.benchmarks.figures import Figures
from tests.benchmarks.levels import Bench
from tests.benchmarks.saturation import highest_held
from tests.benchmarks.subjects import Subject, stand_ins, the_baseline, the_program
from tests.environment import a_free_port
from tests.rig import PROJECT

RATES = (5.0, 20.0, 40.0, 80.0, 120.0)
WARM_RATE, WARM_S = 10.0, 3.0


def rates(text: str) -> tuple[float, ...]:
    """Read `5,20,40`."""
    found = tuple(sorted({float(part) for part in text.split(",")}))
    if not all(0 < rate <= 1000 for rate in found):
        raise ValueError(text)
    return found


def setting(text: str) -> tuple[str, str]:
    """Read `NAME=VALUE`."""
    name, sign, value = text.partition("=")
    if not sign:
        raise ValueError(text)
    return name, value


def options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    add = parser.add_argument
    add("--embedded", action="store_true", help="the program on SQLite instead of PostgreSQL")
    add("--rates", type=rates, default=RATES, metavar="5,20,40", help="levels, requests a second")
    add("--seconds", type=float, default=30.0, help="how long each level takes (30)")
    add("--llm", type=float, default=5.0, metavar="SECONDS", help="how long the model takes (5)")
    add("--saturation", action="store_true", help="also search the highest rate that each holds, and their ratio")
    add("--saturation-seconds", type=float, default=15.0, metavar="SECONDS", help="of each rate tried (15)")
    add("--baseline-processes", type=int, default=1, metavar="N", help="processes of the baseline; 0 leaves it out (1)")
    add("--no-fsync", action="store_true", help="PostgreSQL doesn't wait for the disk")
    add("--set", type=setting, action="append", default=[], metavar="NAME=VALUE", help="a variable of the program")
    add("--sandbox", action="store_true", help="measure the sandbox as a stand-in instead")
    add("--out", type=Path, default=PROJECT / "var" / "bench", metavar="FOLDER", help="where the files go (var/bench)")
    return parser.parse_args(arguments)


@dataclass(slots=True)
class Run:
    """One run of the benchmark: its options, and what has been measured."""

    given: argparse.Namespace
    bench: Bench
    levels: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    highest: dict[str, float] = field(default_factory=dict)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    load_average: tuple[float, ...] = field(default_factory=os.getloadavg)

    def measure(self, subject: Subject) -> None:
        """Run all levels of a subject, upwards; after one that it can't hold, the rest has no meaning."""
        self.bench.level(subject, rate=WARM_RATE, seconds=min(WARM_S, self.given.seconds))
        kept = self.levels.setdefault(subject.name, [])
        for rate in self.given.rates:
            if kept and not kept[-1]["held"]:
                say(f"{subject.name}: {rate:g}/s not tried, since {kept[-1]['rate']:g}/s was not held")
                continue
            kept.append(self._level(subject, rate, self.given.seconds).summary())
        if self.given.saturation:
            self.highest[subject.name] = self._saturate(subject, kept)

    def _saturate(self, subject: Subject, kept: list[dict[str, Any]]) -> float:
        start = max((level["rate"] for level in kept if level["held"]), default=self.given.rates[0])
        found = highest_held(lambda rate: self._holds(subject, rate), start=start)
        say(f"{subject.name} holds {found:g}/s")
        return found

    def _holds(self, subject: Subject, rate: float) -> bool:
        """Whether a rate is held in one of two tries: other work on the machine must not decide alone."""
        seconds = self.given.saturation_seconds
        return any(not self._level(subject, rate, seconds).complaint for _ in range(2))

    def _level(self, subject: Subject, rate: float, seconds: float) -> Figures:
        figures = self.bench.level(subject, rate=rate, seconds=seconds)
        say(table.line(subject.name, figures))
        return figures

    def result(self) -> dict[str, Any]:
        """Give everything that was measured, and on what."""
        given = {name: value for name, value in vars(self.given).items() if name not in ("out", "sandbox")}
        product, bare = self.highest.get("kommobridge"), self.highest.get("baseline")
        return {
            "started": self.started.isoformat(timespec="seconds"),
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load_before": self.load_average},
            "options": given,
            "levels": self.levels,
            "highest_rate_held": self.highest,
            "ratio_to_baseline": round(product / bare, 3) if product and bare else None,
        }

    def keep(self) -> list[Path]:
        """Write the files and give their paths."""
        database = "sqlite" if self.given.embedded else "postgresql"
        self.given.out.mkdir(parents=True, exist_ok=True)
        name = f"{self.started:%Y%m%d-%H%M%S}-{database}"
        data, picture = self.given.out / f"{name}.json", self.given.out / f"{name}.svg"
        data.write_text(json.dumps(self.result(), indent=1) + "\n")
        picture.write_text(chart(f"{self.title()}, {self.started:%Y-%m-%d}", self.levels))
        return [data, picture]

    def title(self) -> str:
        """Say what is measured, in a line."""
        database = "SQLite" if self.given.embedded else "PostgreSQL" + (" (no fsync)" if self.given.no_fsync else "")
        given = f"model {self.given.llm:g} s, {self.given.seconds:g} s a level"
        return f"{database}, {given}, {os.cpu_count()} cores shared with the load"


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201


def subjects(run: Run) -> list[Callable[[], AbstractContextManager[Subject]]]:
    """Give what is measured, in order; only one of them runs at a time."""
    given, stands = run.given, run.bench.stands
    found: list[Callable[[], AbstractContextManager[Subject]]] = []
    if given.baseline_processes:
        found.append(lambda: the_baseline(stands, processes=given.baseline_processes, port=a_free_port()))
    environment = dict(given.set)
    found.append(
        lambda: the_program(stands, embedded=given.embedded, durable=not given.no_fsync, environment=environment)
    )
    return found


def measure(given: argparse.Namespace) -> Run:
    """Measure everything that is asked for, printing as it goes."""
    with stand_ins(given.llm) as stands:
        run = Run(given, Bench(stands, given.llm))
        say(f"{run.title()}; load average before: {run.load_average[0]:.1f}")
        say(table.heading())
        for start in subjects(run):
            with start() as subject:
                run.measure(subject)
    return run


def main(arguments: list[str]) -> None:
    """Measure, print, and write the files."""
    given = options(arguments)
    if given.sandbox:
        sandbox.main()
        return
    run = measure(given)
    ratio = run.result()["ratio_to_baseline"]
    if ratio:
        say(f"ratio to the baseline: {ratio:.2f}")
    for path in run.keep():
        say(f"written: {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
