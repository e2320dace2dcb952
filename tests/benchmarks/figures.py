"""What a level gave: counts, times and costs, from what the load, the model and Kommo each saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.load import Load, Sent
from tests.benchmarks.stand_ins import Journal

ACK_MAX_MS = 1000.0
BACKLOG_MS = 2000.0  # an overhead p99 beyond is a queue that grows, not a slow answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One level of one subject. Times in milliseconds, sorted, and counted from when a request was due.

    Args:
        rate: requests a second.
        sent: how many left.
        unsent: how many never left, because too many were unanswered.
        refused: how many were not acknowledged with 200.
        completed: how many were continued with the model's reply.
        fallback: how many were continued with something else.
        lost: how many were acknowledged and never continued.
        twice: how many were continued more than once, taken or not.
        asked_again: for how many the model was asked more than once.
        ack: acknowledgement times.
        overhead: continue minus webhook minus the model's own time, of the completed.
        late: by how much requests left after they were due: the load's own weakness, included in the times.
        in_flight: the most at once, from webhook to continue.
        memory_mb: proportional set size of all processes but the database's, the more of two looks.
        cpu_ms: CPU per completed exchange by group of processes.
    """

    rate: float
    sent: int
    unsent: int
    refused: int
    completed: int
    fallback: int
    lost: int
    twice: int
    asked_again: int
    ack: Sequence[float]
    overhead: Sequence[float]
    late: Sequence[float]
    in_flight: int
    memory_mb: float = 0.0
    cpu_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def slow_acks(self) -> int:
        """How many acknowledgements took more than a second."""
        return sum(took > ACK_MAX_MS for took in self.ack)

    @property
    def complaint(self) -> str:
        """Why the level counts as not held; "" when it was held."""
        wrong = {
            "unsent": self.unsent, "refused": self.refused, "lost": self.lost, "twice": self.twice,
            "fallback": self.fallback,
        }  # fmt: skip
        told = [f"{count} {what}" for what, count in wrong.items() if count]
        if share(self.ack, 0.99) > ACK_MAX_MS:
            told.append(f"acks p99 {share(self.ack, 0.99) / 1000:.1f} s")
        if share(self.overhead, 0.99) > BACKLOG_MS:
            told.append(f"overhead p99 {share(self.overhead, 0.99) / 1000:.1f} s")
        return ", ".join(told)

    def summary(self) -> dict[str, object]:
        """Give what a file keeps of it."""
        return {
            "rate": self.rate, "held": not self.complaint, "complaint": self.complaint, "sent": self.sent,
            "unsent": self.unsent, "refused": self.refused, "completed": self.completed, "fallback": self.fallback,
            "lost": self.lost, "twice": self.twice, "asked_again": self.asked_again,
            "ack_ms": spread(self.ack), "acks_over_1s": self.slow_acks, "overhead_ms": spread(self.overhead),
            "load_late_ms": spread(self.late), "in_flight_max": self.in_flight,
            "memory_mb": round(self.memory_mb, 1),
            "cpu_ms": {group: round(used, 2) for group, used in self.cpu_ms.items()},
        }  # fmt: skip


def share(values: Sequence[float], part: float) -> float:
    """Give the value below which a part of the sorted values lies; 0 when there are none."""
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0.0


def spread(values: Sequence[float]) -> dict[str, float]:
    """Give middle, 99th percentile and greatest of sorted values."""
    found = {"p50": share(values, 0.5), "p99": share(values, 0.99), "max": share(values, 1.0)}
    return {name: round(value, 1) for name, value in found.items()}


def count(rate: float, load: Load, *, model: Journal, kommo: Journal) -> Figures:
    """Put together what the three saw of one level.

    Args:
        rate: requests a second.
        load: what left and how it was acknowledged.
        model: by number: pairs of seen and answered.
        kommo: by number: seen, status of the reply, Kommo's answer.
    """
    taken = {number: call for number, calls in kommo.items() for call in calls if call[2] == 202}
    acknowledged = [one for one in load.sent if one.status == 200]
    done = [one for one in load.sent if one.number in taken and taken[one.number][1] == "success"]
    return Figures(
        rate=rate,
        sent=len(load.sent),
        unsent=load.unsent,
        refused=len(load.sent) - len(acknowledged),
        completed=len(done),
        fallback=sum(taken[one.number][1] != "success" for one in load.sent if one.number in taken),
        lost=sum(one.number not in taken for one in acknowledged),
        twice=sum(len(calls) > 1 for calls in kommo.values()),
        asked_again=sum(len(calls) > 1 for calls in model.values()),
        ack=sorted(_ms(one.answered - one.due) for one in load.sent),
        overhead=sorted(_overhead_ms(one, taken[one.number][0], model.get(one.number, [])) for one in done),
        late=sorted(_ms(one.left - one.due) for one in load.sent),
        in_flight=_most_at_once(load.sent, {number: float(call[0]) for number, call in taken.items()}),
    )


def _overhead_ms(one: Sent, continued: float, asked: Sequence[Sequence[float]]) -> float:
    return _ms(continued - one.due - sum(answered - seen for seen, answered in asked))


def _ms(seconds: float) -> float:
    return seconds * 1000


def _most_at_once(sent: Sequence[Sent], ends: Mapping[int, float]) -> int:
    """Count from webhook to continue; one that never ended stays open."""
    changes = sorted(
        [(one.left, 1) for one in sent if one.status == 200]
        + [(ends[one.number], -1) for one in sent if one.status == 200 and one.number in ends]
    )
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
