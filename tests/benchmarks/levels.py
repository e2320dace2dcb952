"""One level: so many requests a second for so long against one subject, then everything that they led to."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from kommobridge.processes import die_with_parent
from tests.benchmarks.figures import Figures, count
from tests.benchmarks.load import ANSWER_WITHIN_S, Load, Plan
from tests.benchmarks.subjects import CLIENT_ID, CLIENT_SECRET, DATABASE, KOMMO_ID, StandIns, Subject
from tests.benchmarks.usage import cpu_s, pss_mb
from tests.environment import run_environment
from tests.rig import PROJECT

START_S = 10.0  # for the load's own start: every request is written before the first leaves
QUIET_S = 1.0  # after the last continue, for a second one that must not come
LOOK_S = 0.1
REQUESTS_MAX = 20_000


@dataclass(slots=True)
class Bench:
    """Runs levels one after the other; each exchange of a run has a number of its own.

    Args:
        llm_s: how long the model takes.
        patience_s: how long to wait for a continue beyond that.
    """

    stands: StandIns
    llm_s: float
    patience_s: float = 40.0  # a fallback comes after 30 s
    first: int = 10_000_000

    def level(self, subject: Subject, *, rate: float, seconds: float) -> Figures:
        """Run one level and wait for its end, at most as long as a continue may take.

        Raises:
            ValueError: more requests than a level may have.
        """
        plan = self._plan(subject, rate=rate, seconds=seconds)
        self.stands.take_journals()
        before = self._used(subject)
        load, memory_mb = self._sent(plan, subject)
        self._wait_for(load)
        after = self._used(subject)
        model, kommo = self.stands.take_journals()
        figures = count(rate, load, model=model, kommo=kommo)
        used = {group: after[group] - before.get(group, 0.0) for group in after}
        used["load"] += load.cpu_s
        done = max(1, figures.completed + figures.fallback)
        per_exchange = {group: 1000 * seconds_used / done for group, seconds_used in used.items()}
        return replace(figures, memory_mb=memory_mb, cpu_ms=per_exchange)

    def _plan(self, subject: Subject, *, rate: float, seconds: float) -> Plan:
        plan = Plan(
            hook_url=subject.hook_url, kommo_origin=self.stands.kommo_origin, kommo_id=KOMMO_ID, client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET, rate=rate, seconds=seconds, first=self.first,
        )  # fmt: skip
        if plan.count > REQUESTS_MAX:
            raise ValueError(f"{plan.count} requests in one level: at most {REQUESTS_MAX}")
        self.first += plan.count
        return plan

    def _used(self, subject: Subject) -> dict[str, float]:
        used = {group: cpu_s(pids) for group, pids in subject.groups().items()}
        return used | {"load": cpu_s([self.stands.model.pid, self.stands.kommo.pid])}

    def _sent(self, plan: Plan, subject: Subject) -> tuple[Load, float]:
        """Let the load run; meanwhile look twice at the memory: half-way, and when the last requests leave."""
        with subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.load"], env=run_environment(), cwd=PROJECT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with_parent,  # noqa: PLW1509  one call
        ) as process:  # fmt: skip
            assert process.stdin is not None
            process.stdin.write(json.dumps(asdict(plan)))
            process.stdin.close()
            process.stdin = None
            memory_mb = 0.0
            try:
                for _ in range(2):
                    time.sleep(plan.seconds / 2)
                    memory_mb = max(memory_mb, _memory_mb(subject.groups()))
                told, _ = process.communicate(timeout=START_S + ANSWER_WITHIN_S)
            finally:
                process.kill()
        return Load.from_json(told), memory_mb

    def _wait_for(self, load: Load) -> None:
        """Wait until whatever was acknowledged has been continued, and a moment more: a second continue counts too."""
        expected = sum(one.status == 200 for one in load.sent)
        deadline = max((one.left for one in load.sent), default=0.0) + self.llm_s + self.patience_s
        while self.stands.continued() < expected and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        time.sleep(QUIET_S)


def _memory_mb(groups: Mapping[str, Sequence[int]]) -> float:
    return pss_mb(pid for group, pids in groups.items() if group != DATABASE for pid in pids)
