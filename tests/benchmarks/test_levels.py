"""A whole level against a bridge that does everything wrong in turn: load, stand-ins and counting see each of it."""

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tests.benchmarks import load
from tests.benchmarks.levels import REQUESTS_MAX, Bench
from tests.benchmarks.stand_ins import ACCESS_TOKEN, MARK
from tests.benchmarks.subjects import StandIns, stand_ins

LLM_S = 0.3
RATE, SECONDS = 20.0, 1.0  # twenty requests, of which five pairs go wrong

FORGOTTEN, DOUBLED, GIVEN_UP, REFUSED, ASKED_TWICE = 0, 1, 2, 3, 4  # by the number's rest of ten


class OddBridge(ThreadingHTTPServer):
    """Continues each exchange, but for the faults that its number brings."""

    name = "odd"
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, stands: StandIns) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.stands = stands
        self.hook_url = f"http://127.0.0.1:{self.server_port}/hook"
        self.going_on: list[threading.Thread] = []

    def groups(self) -> Mapping[str, Sequence[int]]:
        return {"odd": [os.getpid()]}

    def go_on(self, number: int, return_url: str) -> None:
        fault = number % 10
        if fault == FORGOTTEN:
            return
        for _ in range(2 if fault == ASKED_TWICE else 1):
            question = {"messages": [{"role": "user", "content": f"hello {MARK}{number}"}]}
            requests.post(f"{self.stands.llm_url}/chat/completions", json=question, timeout=10)
        body = {"data": {"status": "fail" if fault == GIVEN_UP else "success"}}
        for _ in range(2 if fault == DOUBLED else 1):
            requests.post(return_url, json=body, headers={"Authorization": f"Bearer {ACCESS_TOKEN}"}, timeout=10)


class _Hook(BaseHTTPRequestHandler):
    server: OddBridge

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = int(asked["return_url"].rsplit("/", 1)[-1])
        self.send_response(503 if number % 10 == REFUSED else 200)
        self.end_headers()
        if number % 10 != REFUSED:
            thread = threading.Thread(target=self.server.go_on, args=(number, asked["return_url"]))
            self.server.going_on.append(thread)
            thread.start()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture(scope="module")
def stands() -> Iterator[StandIns]:
    with stand_ins(LLM_S) as started:
        yield started


@pytest.fixture
def bridge(stands: StandIns) -> Iterator[OddBridge]:
    with OddBridge(stands) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
        for thread in server.going_on:
            thread.join()


def test_each_fault_of_a_bridge_is_counted(stands: StandIns, bridge: OddBridge):
    bench = Bench(stands, LLM_S, patience_s=3.0)

    figures = bench.level(bridge, rate=RATE, seconds=SECONDS)

    assert (figures.sent, figures.unsent, len(figures.ack)) == (20, 0, 20)
    assert (figures.lost, figures.twice, figures.fallback, figures.refused, figures.asked_again) == (2, 2, 2, 2, 2)
    assert figures.completed == len(figures.overhead) == 20 - figures.lost - figures.fallback - figures.refused
    assert 0 < figures.in_flight <= 18
    assert figures.memory_mb > 1
    assert set(figures.cpu_ms) == {"odd", "load"}


def test_what_one_level_left_behind_is_not_counted_in_the_next(stands: StandIns, bridge: OddBridge):
    bench = Bench(stands, LLM_S, patience_s=2.0)

    both = [bench.level(bridge, rate=RATE, seconds=SECONDS) for _ in range(2)]

    assert [figures.twice for figures in both] == [2, 2]
    assert [figures.completed for figures in both] == [14, 14]


def test_a_level_of_too_many_requests_is_refused_before_anything_leaves(stands: StandIns, bridge: OddBridge):
    with pytest.raises(ValueError, match=f"at most {REQUESTS_MAX}"):
        Bench(stands, LLM_S).level(bridge, rate=1000, seconds=60)


def test_a_server_that_never_answers_ends_the_load_by_count(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(load, "UNANSWERED_MAX", 5)
    monkeypatch.setattr(load, "ANSWER_WITHIN_S", 0.5)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hook) as listener:  # listens, and nobody accepts
        sender = load.Sender(a_plan(f"http://127.0.0.1:{listener.server_port}/hook", rate=100, seconds=1))
        seconds = time_of(sender)

    assert len(sender.sent) == 5
    assert {one.status for one in sender.sent} == {0}
    assert seconds < 5


def test_late_requests_are_sent_at_once_and_keep_when_they_were_due(stands: StandIns, bridge: OddBridge):
    sender = load.Sender(a_plan(bridge.hook_url, kommo_origin=stands.kommo_origin, rate=100_000, seconds=0.0005))

    time_of(sender)

    dues = sorted(one.due for one in sender.sent)
    assert len(dues) == 50
    assert dues[-1] - dues[0] == pytest.approx(49 / 100_000)
    assert all(one.left >= one.due for one in sender.sent)


def test_the_kommo_of_the_benchmark_takes_each_continue_once_and_no_strangers(stands: StandIns):
    address = f"{stands.kommo_origin}/api/v4/salesbot/321/continue/5"
    stands.take_journals()

    def post(token: str) -> int:
        body = {"data": {"status": "success"}}
        return requests.post(address, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code

    assert [post("another"), post(ACCESS_TOKEN), post(ACCESS_TOKEN)] == [401, 202, 404]
    assert [call[1:] for call in stands.take_journals()[1][5]] == [["success", 401], ["success", 202], ["success", 404]]


def test_the_model_of_the_benchmark_takes_its_time_and_knows_for_whom(stands: StandIns):
    stands.take_journals()
    started = time.monotonic()

    said = requests.post(
        f"{stands.llm_url}/chat/completions", json={"messages": [{"content": f"{MARK}1 {MARK}77"}]}, timeout=10
    ).json()

    assert said["choices"][0]["message"]["content"]
    assert time.monotonic() - started >= LLM_S
    ((seen, answered),) = stands.take_journals()[0][77]
    assert answered - seen >= LLM_S


def a_plan(hook_url: str, *, rate: float, seconds: float, kommo_origin: str = "http://127.0.0.1:1") -> load.Plan:
    return load.Plan(
        hook_url=hook_url, kommo_origin=kommo_origin, kommo_id=1, client_id="bench", client_secret="s" * 32,
        rate=rate, seconds=seconds, first=1_000_005,
    )  # fmt: skip


def time_of(sender: load.Sender) -> float:
    """Run a sender and give the seconds that it took."""
    started = time.monotonic()
    asyncio.run(sender.run())
    return time.monotonic() - started
