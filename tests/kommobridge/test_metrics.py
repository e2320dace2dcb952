"""/metrics: who may read it, whether Prometheus can read its text, and whether the figures are those of the rows."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse
from django.test import Client

from bots import pacing
from bots.models import Attempt, Exchange, Heartbeat
from bots.models.workers import STALE
from bots.states import OPEN, SETTLED, Outcome, State
from kommobridge import metrics
from kommobridge.metrics import CONTENT_TYPE, Metric, Sample, written
from tests.cast import a_conversation, an_account, an_attempt, an_exchange

TOKEN = "a-token-for-scraping"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
VALUE = r"[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|Inf|NaN)"
LINE = re.compile(rf"(?P<name>{NAME})(?:\{{(?P<labels>{LABEL}(?:,{LABEL})*)\}})? (?P<value>{VALUE})")

Read = dict[str, float]


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def now() -> datetime:
    return datetime.now(UTC)


def ask(authorization: str | None = f"Bearer {TOKEN}", method: str = "GET") -> HttpResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer: HttpResponse = Client().generic(method, "/metrics", headers=headers)  # type: ignore[assignment]
    return answer


def read() -> Read:
    """Scrape, and give the values by name and labels without our prefix."""
    answer = ask()
    assert answer.status_code == 200
    return parsed(answer.content.decode())


def parsed(text: str) -> Read:
    """Read the format as its description has it, independent of the code that writes it."""
    assert text.endswith("\n")
    found: Read = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(rf"# (?:HELP {NAME} .+|TYPE {NAME} (?:gauge|counter|histogram))", line), line
            continue
        match = LINE.fullmatch(line)
        assert match, line
        key = match["name"].removeprefix("kommobridge_") + (f"{{{match['labels']}}}" if match["labels"] else "")
        assert key not in found, f"{key} is there twice"
        found[key] = float(match["value"])
    return found


def failing(error: type[Exception]) -> Callable[..., Any]:
    def run(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        raise error("canary-of-the-database's-own-words")

    return run


# who may read


@pytest.mark.parametrize("authorization", [None, "Bearer ", f"Bearer {TOKEN}"], ids=["none", "empty", "a token"])
def test_without_the_setting_there_is_no_such_page(settings: Any, authorization: str | None):
    settings.METRICS_TOKEN = ""
    assert ask(authorization).status_code == 404


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer ключ"],
)
def test_a_missing_or_wrong_token_reads_nothing(authorization: str | None):
    # without the database mark any statement would fail this test
    answer = ask(authorization)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert b"kommobridge_" not in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_token_opens_it_however_the_scheme_is_written(scheme: str):
    answer = ask(f"{scheme} {TOKEN}")
    assert (answer.status_code, answer["Content-Type"]) == (200, CONTENT_TYPE)
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_looking_is_allowed(method: str):
    assert ask(method=method).status_code == 405


@pytest.mark.django_db
def test_a_scrape_from_the_same_machine_is_not_sent_away_to_https(settings: Any):
    settings.SECURE_SSL_REDIRECT = True
    assert ask().status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_fails_is_told_without_its_own_words(error: type[Exception]):
    with connection.execute_wrapper(failing(error)):
        answer = ask()
    assert answer.status_code == 503
    assert b"canary" not in answer.content


# the format


def test_what_would_end_a_line_or_a_label_is_escaped():
    odd = Metric(name="odd", meaning='two\nlines, a \\ and "quotes"', samples=(Sample(1, {"of": 'a"b\\c\nd'}),))
    assert written([odd]) == (
        '# HELP kommobridge_odd two\\nlines, a \\\\ and "quotes"\n'
        "# TYPE kommobridge_odd gauge\n"
        'kommobridge_odd{of="a\\"b\\\\c\\nd"} 1\n'
    )


@pytest.mark.django_db
def test_every_metric_says_what_it_is_before_its_samples():
    lines = ask().content.decode().splitlines()
    described: list[str] = []
    for line in lines:
        if line.startswith("# TYPE"):
            described.append(line.split()[2])
        elif not line.startswith("#"):
            assert re.match(NAME, line)[0].startswith(described[-1])  # type: ignore[index]
    assert len(described) == len(set(described)) > 10


@pytest.mark.django_db
def test_an_empty_deployment_has_every_figure_at_zero():
    found = read()
    meant = {"kommo_calls_limit": 7, 'spend_reach_seconds{window="hour"}': 3600}
    meant |= {'spend_reach_seconds{window="day"}': 86400, 'exchanges_reach_seconds{window="hour"}': 3600}
    assert {key: value for key, value in found.items() if value} == meant


@pytest.mark.django_db
def test_no_name_text_or_secret_is_told():
    account = an_account("Planted Name", access_token="planted-token", client_secret="planted-secret")
    exchange = an_exchange(account, state=State.DELIVERED, text="planted-text", reply_text="planted-reply")
    an_attempt(exchange, cost=Decimal(1))
    Heartbeat.objects.create(name="planted-host:7", cluster="planted", beat_at=now(), in_flight=1, capacity=2)

    text = ask().content.decode()

    assert "planted" not in text.lower()
    assert TOKEN not in text


# the figures


@pytest.mark.django_db
def test_open_exchanges_are_counted_by_state_and_ended_ones_are_not_open():
    for count, state in enumerate(sorted(OPEN), start=1):
        for _ in range(count):
            an_exchange(state=state)
    an_exchange(state=State.DELIVERED)

    found = read()

    assert {state: found[f'exchanges_open{{state="{state}"}}'] for state in OPEN} == {
        state: count for count, state in enumerate(sorted(OPEN), start=1)
    }


@pytest.mark.django_db
def test_leases_are_held_or_have_run_out():
    for seconds in (5, 9, -1):
        an_exchange(state=State.ANSWERING, lease_until=now() + seconds * SECOND)
    an_exchange()
    found = read()
    assert (found['leases{state="held"}'], found['leases{state="expired"}']) == (2, 1)


@pytest.mark.django_db
def test_the_queue_is_as_old_as_the_oldest_that_could_be_taken():
    conversation = a_conversation()
    an_exchange(state=State.ANSWERING, conversation=conversation, lease_until=now() + HOUR)
    an_exchange(conversation=conversation, received_at=now() - HOUR)  # held back by the one before
    an_exchange(received_at=now() - 40 * SECOND)
    assert 40 <= read()["queue_age_seconds"] < 50


@pytest.mark.django_db
def test_the_newest_number_counts_what_was_received():
    an_exchange(state=State.DELIVERED)
    newest = an_exchange()
    assert read()["exchanges_received_total"] == newest.pk


@pytest.mark.django_db
def test_ended_exchanges_of_the_last_hour_are_counted_by_state_and_outcome():
    for ago in (MINUTE, 59 * MINUTE, 61 * MINUTE):
        an_exchange(state=State.DELIVERED, outcome=Outcome.HANDOFF, settled_at=now() - ago)
    failed = an_exchange(state=State.FAILED, settled_at=now())
    Exchange.objects.filter(pk=failed.pk).update(outcome="")

    found = {key: value for key, value in read().items() if key.startswith("exchanges_ended_recently")}

    assert len(found) == len(SETTLED) * (len(Outcome) + 1)
    assert {key: value for key, value in found.items() if value} == {
        'exchanges_ended_recently{state="delivered",outcome="handoff"}': 2,
        'exchanges_ended_recently{state="failed",outcome="none"}': 1,
    }


def a_beat(name: str, in_flight: int, capacity: int = 4, *, age: timedelta = timedelta(0)) -> None:
    beat_at = now() - age
    Heartbeat.objects.create(name=name, cluster="one", beat_at=beat_at, in_flight=in_flight, capacity=capacity)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("in_flight", "full"), [((4, 4), 1), ((4, 3), 0), ((0, 0), 0)], ids=["every place", "one is free", "idle"]
)
def test_workers_that_live_are_added_up_and_full_when_no_place_is_left(in_flight: tuple[int, int], full: int):
    for number, count in enumerate(in_flight):
        a_beat(f"host:{number}", count)
    a_beat("host:dead", 4, age=STALE + SECOND)

    found = read()

    assert (found["workers"], found["in_flight"], found["capacity"]) == (2, sum(in_flight), 8)
    assert found["full"] == full


@pytest.mark.django_db
def test_calls_that_pause_because_kommo_blocks_the_address_show_for_how_long():
    moment = now()
    assert {metric.name: metric.samples[0].value for metric in metrics.look(moment)}["kommo_calls_held_seconds"] == 0

    pacing.hold(moment - SECOND)

    found = {metric.name: metric.samples[0].value for metric in metrics.look(moment)}
    assert found["kommo_calls_held_seconds"] == 4


@pytest.mark.django_db
def test_booked_calls_show_the_last_second_and_how_far_ahead_they_go():
    moment = now()
    pacing.take_places(21, rate=7, now=moment, until=moment + MINUTE)

    found = {metric.name: metric.samples[0].value for metric in metrics.look(moment)}
    later = {metric.name: metric.samples[0].value for metric in metrics.look(moment + 3 * SECOND)}

    # seven go out at once, seven in each window of twelve tenths after it
    assert (found["kommo_calls_last_second"], found["kommo_calls_ahead_seconds"]) == (7, 2.4)
    assert (later["kommo_calls_last_second"], later["kommo_calls_ahead_seconds"]) == (7, 0)


def took(overhead_s: float, *, models_ms: tuple[int, ...] = (), ended: timedelta = timedelta(0)) -> None:
    """Have an exchange that took so long beside its models' time, and one continue call."""
    settled_at = now() - ended
    received_at = settled_at - timedelta(seconds=overhead_s, milliseconds=sum(models_ms))
    exchange = an_exchange(state=State.DELIVERED, received_at=received_at, settled_at=settled_at)
    for latency_ms in models_ms:
        an_attempt(exchange, latency_ms=latency_ms)
    an_attempt(exchange, kind=Attempt.Kind.CONTINUE, latency_ms=777)


@pytest.mark.django_db
def test_the_overhead_is_the_time_to_the_end_without_the_models_own():
    took(0.25, models_ms=(5000, 3000))
    took(0.25, models_ms=(400,))
    took(4)
    took(500)
    took(1, ended=6 * MINUTE)
    an_exchange()

    found = read()

    counts = {key: value for key, value in found.items() if key.startswith("overhead_seconds_bucket")}
    assert list(counts.values()) == sorted(counts.values())
    assert [found[f'overhead_seconds_bucket{{le="{bound}"}}'] for bound in ("0.2", "0.3", "2.0", "5.0", "120.0")] == [
        0, 2, 2, 3, 3,
    ]  # fmt: skip
    assert found['overhead_seconds_bucket{le="+Inf"}'] == found["overhead_seconds_count"] == 4
    assert found["overhead_seconds_sum"] == pytest.approx(504.5)


@pytest.mark.django_db
def test_what_models_cost_is_added_up_for_the_last_hour_and_day():
    exchange = an_exchange()
    for cost, ago in [("0.00000001", MINUTE), ("0.25", 2 * HOUR), ("9", 25 * HOUR)]:
        an_attempt(exchange, cost=Decimal(cost), started_at=now() - ago)
    an_attempt(exchange, cost=None)

    found = read()

    assert found['spend_recently{currency="USD",window="hour"}'] == pytest.approx(0.00000001, rel=1e-9)
    assert found['spend_recently{currency="USD",window="day"}'] == pytest.approx(0.25000001, rel=1e-9)
    assert found['spend_reach_seconds{window="day"}'] == 86400


# the bound


@pytest.mark.django_db
def test_a_scrape_reads_the_newest_rows_alone_and_says_how_far_back_that_goes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(metrics, "NEWEST_ROWS", 3)
    monkeypatch.setattr(metrics, "OVERHEAD_ROWS", 2)
    for minutes in (50, 40, 30, 20, 10):
        received_at = now() - (minutes + 1) * MINUTE
        exchange = an_exchange(state=State.DELIVERED, received_at=received_at, settled_at=now())
        an_attempt(exchange, cost=Decimal(1), started_at=now() - minutes * MINUTE)

    found = read()

    assert found['exchanges_ended_recently{state="delivered",outcome="success"}'] == 3
    assert found["overhead_seconds_count"] == 2
    assert found['spend_recently{currency="USD",window="hour"}'] == 3
    assert 1800 <= found['spend_reach_seconds{window="hour"}'] < 1830
    assert 1860 <= found['exchanges_reach_seconds{window="hour"}'] < 1890


@pytest.mark.django_db
def test_a_scrape_costs_as_many_statements_whatever_is_stored(django_assert_num_queries: Any):
    with django_assert_num_queries(17) as few:
        metrics.look(now())
    account = an_account()
    for state in [*OPEN, *SETTLED] * 3:
        an_attempt(an_exchange(account, state=state), cost=Decimal(1))
    assert Exchange.objects.count() > 20
    with django_assert_num_queries(len(few.captured_queries)):
        metrics.look(now())
