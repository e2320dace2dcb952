"""Open-loop load: requests leave when they are due, whether or not earlier ones were answered."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from tests.stubs.kommo import AskedOf, KommoStub

SENDERS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one run of the load gave; times in milliseconds.

    Args:
        rate: requests a second.
        sent: how many requests left.
        answered: how many continues were accepted.
        ack: acknowledgement times, sorted.
        overhead: continue minus webhook minus the model's own time, sorted.
    """

    rate: float
    sent: int
    answered: int
    ack: Sequence[float]
    overhead: Sequence[float]


def share(values: Sequence[float], part: float) -> float:
    """Give the value below which a part of the sorted values lies; 0 when there are none."""
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0.0


def run(kommo: KommoStub, hook_url: str, *, rate: float, seconds: float, llm_s: float) -> Figures:
    """Send `rate` messages a second, each of a customer of its own, and wait for their continues."""
    kommo.accepted.clear()
    count = int(rate * seconds)
    started = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as senders:
        jobs = []
        for number in range(count):
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
            jobs.append(senders.submit(kommo.ask, hook_url, f"message {number}", entity_id=7_000_000 + number))
        wait(jobs)
    asked = [job.result() for job in jobs]
    _wait_for(kommo, count, within_s=llm_s + 30)
    return Figures(
        rate=rate,
        sent=count,
        answered=len(kommo.accepted),
        ack=sorted(one.ack_s * 1000 for one in asked),
        overhead=sorted(_overhead_ms(kommo, one, llm_s) for one in asked if one.continue_id in kommo.accepted),
    )


def _overhead_ms(kommo: KommoStub, one: AskedOf, llm_s: float) -> float:
    return (kommo.accepted[one.continue_id].at - one.sent_at - llm_s) * 1000


def _wait_for(kommo: KommoStub, count: int, *, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while len(kommo.accepted) < count and time.monotonic() < deadline:
        time.sleep(0.05)
