"""`/metrics`: figures of the whole deployment, as text that Prometheus reads.

Every figure comes from rows, so each web process gives the same answer and none is lost with a process. A scrape is
bounded however many rows there are: it reads what is open, the workers, the pace, and the newest exchanges and attempts
by primary key. How long an acknowledgement takes is known to a web process alone and isn't told here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Literal

from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Count, Max, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bots.models import Attempt, Exchange, Heartbeat, Pace
from bots.models.workers import STALE
from bots.pacing import PACE_NAME, SLOT
from bots.states import OPEN, SETTLED, Outcome
from bots.sweeping import survey

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "kommobridge_"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEWEST_ROWS = 20_000  # of exchanges and of attempts: a bound, since neither has an index by time alone
OVERHEAD_WINDOW = timedelta(minutes=5)
OVERHEAD_ROWS = 2_000
OVERHEAD_BOUNDS_S = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)

Number = int | float | Decimal
Counted = type[Exchange] | type[Attempt]


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: a value, the labels that tell it from its siblings, and what a histogram appends to the name."""

    value: Number
    labels: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: its name without our prefix, what it means, and its samples."""

    name: str
    meaning: str
    samples: tuple[Sample, ...]
    kind: Literal["gauge", "counter", "histogram"] = "gauge"


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with every metric, to whoever brings `METRICS_TOKEN` as a bearer token.

    Returns:
        401 without the right token, 503 when the database does not answer.

    Raises:
        Http404: the deployment has no such token, and so no such page.
    """
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token.strip(), settings.METRICS_TOKEN):
        return _told("The token of this page is missing or wrong.\n", 401, **{"WWW-Authenticate": "Bearer"})
    try:
        found = look(timezone.now())
    except DatabaseError as error:
        return _told(f"The database does not answer: {type(error).__name__}.\n", 503)
    return HttpResponse(written(found), content_type=CONTENT_TYPE)


def _told(text: str, status: int, **headers: str) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers=headers)
    response._has_been_logged = True  # type: ignore[attr-defined]  # a wrong token and a stopped database are told here
    return response


# the format


def written(found: Iterable[Metric]) -> str:
    """Give metrics in Prometheus' text format 0.0.4."""
    return "".join(f"{line}\n" for metric in found for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    name = PREFIX + metric.name
    meaning = metric.meaning.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} {metric.kind}"
    for sample in metric.samples:
        labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in sample.labels.items())
        yield f"{name}{sample.suffix}{{{labels}}} {sample.value}" if labels else f"{name}{sample.suffix} {sample.value}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


# the figures


def look(now: datetime) -> tuple[Metric, ...]:
    """Read every metric.

    Args:
        now: aware time.
    """
    return (*_work(now), *_workers(now), *_pace(now), *_ended(now), _overhead(now), *_spend(now))


def _gauge(name: str, meaning: str, value: Number) -> Metric:
    return Metric(name=name, meaning=meaning, samples=(Sample(value),))


def _work(now: datetime) -> Iterator[Metric]:
    """Tell what is open; from the index of open exchanges."""
    held, expired = Count("pk", filter=Q(lease_until__gt=now)), Count("pk", filter=Q(lease_until__lte=now))
    rows = Exchange.objects.open().order_by().values("state").annotate(n=Count("pk"), held=held, expired=expired)
    found = {row["state"]: row for row in rows}
    counts = tuple(Sample(found.get(state, {"n": 0})["n"], {"state": state}) for state in sorted(OPEN))
    yield Metric(name="exchanges_open", meaning="Exchanges that a Salesbot waits for now.", samples=counts)
    leases = {key: sum(row[key] for row in found.values()) for key in ("held", "expired")}
    yield Metric(
        name="leases",
        meaning="Open exchanges that a worker holds, and those whose worker let its lease run out.",
        samples=tuple(Sample(count, {"state": state}) for state, count in leases.items()),
    )
    waits_s = survey(now).oldest_due_s or 0.0
    yield _gauge("queue_age_seconds", "How long the oldest exchange that could be taken has waited.", waits_s)


def _workers(now: datetime) -> Iterator[Metric]:
    """Tell what the workers said of themselves in their last sign of life, at most some seconds ago."""
    alive = Heartbeat.objects.filter(beat_at__gt=now - STALE)
    told = alive.aggregate(n=Count("pk"), in_flight=Sum("in_flight", default=0), capacity=Sum("capacity", default=0))
    in_flight, capacity = told["in_flight"], told["capacity"]
    yield _gauge("workers", "Worker processes that lately gave a sign of life.", told["n"])
    yield _gauge("in_flight", "Exchanges in work, by the workers' last sign of life.", in_flight)
    yield _gauge("capacity", "Exchanges that these workers can have in work at once.", capacity)
    is_full = int(0 < capacity <= in_flight)
    yield _gauge("full", "1 when every place of these workers is taken: then messages wait.", is_full)


def _pace(now: datetime) -> Iterator[Metric]:
    """Tell how many calls to Kommo are booked, from the row that all processes share."""
    pace = Pace.objects.filter(name=PACE_NAME).first()
    slots = {int(number): count for number, count in pace.slots.items()} if pace else {}
    current = int(now.timestamp() / SLOT.total_seconds())
    second = round(1 / SLOT.total_seconds())
    last_second = sum(count for number, count in slots.items() if current - second < number <= current)
    ahead_s = max([0, *(number - current for number in slots)]) * SLOT.total_seconds()
    held_s = max(0.0, (pace.held_until - now).total_seconds()) if pace and pace.held_until else 0.0
    yield _gauge("kommo_calls_held_seconds", "How much longer calls pause because Kommo blocks this address.", held_s)
    yield _gauge("kommo_calls_last_second", "Calls to Kommo booked for the last second.", last_second)
    yield _gauge("kommo_calls_limit", "Calls to Kommo allowed in a second: KOMMO_RATE.", settings.KOMMO_RATE)
    yield _gauge("kommo_calls_ahead_seconds", "How far ahead calls to Kommo are booked.", round(ahead_s, 1))


def _ended(now: datetime) -> Iterator[Metric]:
    newest = _newest(Exchange)
    rows = Exchange.objects.filter(pk__gt=newest - NEWEST_ROWS, settled_at__gt=now - HOUR)
    found = {
        (row["state"], row["outcome"]): row["n"]
        for row in rows.order_by().values("state", "outcome").annotate(n=Count("pk"))
    }
    yield Metric(
        name="exchanges_received_total",
        kind="counter",
        meaning="Number of the newest exchange. A request that came twice at once may use up a number.",
        samples=(Sample(newest),),
    )
    yield Metric(
        name="exchanges_ended_recently",
        meaning="Exchanges that ended in the last hour. See exchanges_reach_seconds.",
        samples=tuple(
            Sample(found.get((state, outcome), 0), {"state": state, "outcome": outcome or "none"})
            for state, outcome in product(sorted(SETTLED), ["", *Outcome])
        ),
    )
    yield Metric(
        name="exchanges_reach_seconds",
        meaning=f"How much of the hour exchanges_ended_recently covers: only the newest {NEWEST_ROWS} are counted.",
        samples=_reach(Exchange, "received_at", {"hour": HOUR}, now=now),
    )


def _overhead(now: datetime) -> Metric:
    """Give the histogram of what we add to the models' own time."""
    rows = (
        Exchange.objects.filter(pk__gt=_newest(Exchange) - OVERHEAD_ROWS, settled_at__gt=now - OVERHEAD_WINDOW)
        .order_by()
        .annotate(models_ms=Sum("attempts__latency_ms", filter=Q(attempts__kind=Attempt.Kind.LLM), default=0))
        .values_list("received_at", "settled_at", "models_ms")
    )
    overheads_s = [
        max(0.0, (settled_at - received_at).total_seconds() - models_ms / 1000)
        for received_at, settled_at, models_ms in rows
        if settled_at
    ]
    meaning = (
        "Time from an exchange's receipt to its end without the models' own time, waiting for turns and retries "
        f"included. Only what ended in the last {OVERHEAD_WINDOW.seconds // 60} minutes, among the newest "
        f"{OVERHEAD_ROWS}: take quantiles without rate()."
    )
    return Metric(name="overhead_seconds", kind="histogram", meaning=meaning, samples=tuple(_buckets(overheads_s)))


def _buckets(values_s: list[float]) -> Iterator[Sample]:
    """Count values up to each bound, as the format wants its histograms."""
    for bound in OVERHEAD_BOUNDS_S:
        yield Sample(sum(value <= bound for value in values_s), {"le": str(bound)}, "_bucket")
    yield Sample(len(values_s), {"le": "+Inf"}, "_bucket")
    yield Sample(round(sum(values_s), 6), suffix="_sum")
    yield Sample(len(values_s), suffix="_count")


def _spend(now: datetime) -> Iterator[Metric]:
    windows = {"hour": HOUR, "day": DAY}
    sums = {name: Sum("cost", filter=Q(started_at__gt=now - window), default=0) for name, window in windows.items()}
    told = Attempt.objects.filter(pk__gt=_newest(Attempt) - NEWEST_ROWS).aggregate(**sums)
    yield Metric(
        name="spend_recently",
        meaning="What calls of models cost in the last hour and day. See spend_reach_seconds.",
        samples=tuple(Sample(told[name], {"currency": "USD", "window": name}) for name in windows),
    )
    yield Metric(
        name="spend_reach_seconds",
        meaning=f"How much of hour and day spend_recently covers: only the newest {NEWEST_ROWS} calls are added up.",
        samples=_reach(Attempt, "started_at", windows, now=now),
    )


# the newest rows


def _newest(model: Counted) -> int:
    """Give the highest primary key, 0 when there is no row."""
    return model._default_manager.aggregate(newest=Max("pk"))["newest"] or 0


def _reach(model: Counted, moment: str, windows: Mapping[str, timedelta], *, now: datetime) -> tuple[Sample, ...]:
    """Say how much of each window the newest rows cover, by the time of the oldest among them."""
    numbers = model._default_manager.order_by("pk").values_list("pk", moment)
    first = numbers.first()
    oldest = numbers.filter(pk__gt=_newest(model) - NEWEST_ROWS).first()
    reach = max(windows.values()) if oldest is None or oldest == first else now - oldest[1]
    return tuple(Sample(min(window, reach).total_seconds(), {"window": name}) for name, window in windows.items())
