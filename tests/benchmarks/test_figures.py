"""Counting: what three witnesses saw of a level becomes the right figures, above all when something went wrong."""

from typing import Any

import pytest

from tests.benchmarks.figures import Figures, count, share
from tests.benchmarks.load import Load, Sent


def sent(number: int, *, due: float = 0.0, status: int = 200, **fields: Any) -> Sent:
    return Sent(number=number, **{"due": due, "left": due, "answered": due + 0.010, "status": status} | fields)


def asked(at: float, *, took: float = 5.0) -> list[Any]:
    return [at, at + took]


def continued(at: float, *, outcome: str = "success", status: int = 202) -> list[Any]:
    return [at, outcome, status]


def figures_of(*all_sent: Sent, model: Any = None, kommo: Any = None, unsent: int = 0) -> Figures:
    load = Load(sent=all_sent, unsent=unsent, cpu_s=0.0)
    return count(20.0, load, model=model or {}, kommo=kommo or {})


def test_an_exchange_that_was_continued_once_is_completed_and_its_overhead_is_without_the_model():
    figures = figures_of(sent(1), model={1: [asked(0.5)]}, kommo={1: [continued(5.55)]})

    assert (figures.completed, figures.lost, figures.twice, figures.complaint) == (1, 0, 0, "")
    assert figures.ack == pytest.approx([10.0])
    assert figures.overhead == pytest.approx([550.0])


def test_a_request_that_leaves_late_counts_from_when_it_was_due():
    late = sent(1, due=1.0, left=3.0, answered=3.01)

    figures = figures_of(late, model={1: [asked(3.1)]}, kommo={1: [continued(8.2)]})

    assert figures.ack == pytest.approx([2010.0])
    assert figures.overhead == pytest.approx([2200.0])
    assert figures.late == pytest.approx([2000.0])
    assert figures.slow_acks == 1


def test_an_acknowledged_exchange_that_nobody_continued_is_lost():
    figures = figures_of(sent(1), sent(2), model={1: [asked(0.0)]}, kommo={1: [continued(5.0)]})

    assert (figures.completed, figures.lost, figures.complaint) == (1, 1, "1 lost")


def test_one_whose_continue_was_refused_is_lost_too():
    figures = figures_of(sent(1), model={1: [asked(0.0)]}, kommo={1: [continued(5.0, status=401)]})

    assert (figures.completed, figures.lost) == (0, 1)


def test_a_second_continue_counts_though_kommo_did_not_take_it():
    calls = [continued(5.0), continued(6.0, status=404)]

    figures = figures_of(sent(1), model={1: [asked(0.0)]}, kommo={1: calls})

    assert (figures.completed, figures.twice, figures.complaint) == (1, 1, "1 twice")


def test_a_fallback_is_no_completed_exchange():
    figures = figures_of(sent(1), kommo={1: [continued(30.0, outcome="fail")]})

    assert (figures.completed, figures.fallback, figures.lost) == (0, 1, 0)
    assert (list(figures.overhead), figures.complaint) == ([], "1 fallback")


@pytest.mark.parametrize("status", [0, 401, 500])
def test_a_request_without_a_200_is_refused_and_never_lost(status: int):
    figures = figures_of(sent(1, status=status))

    assert (figures.refused, figures.lost, figures.complaint) == (1, 0, "1 refused")


def test_requests_that_never_left_spoil_a_level():
    assert figures_of(unsent=7).complaint == "7 unsent"


def test_a_model_that_was_asked_twice_is_told_and_its_whole_time_taken_off():
    figures = figures_of(sent(1), model={1: [asked(0.0), asked(5.5)]}, kommo={1: [continued(11.0)]})

    assert figures.asked_again == 1
    assert figures.overhead == pytest.approx([1000.0])


def test_a_queue_that_grows_spoils_a_level_though_nothing_was_lost():
    figures = figures_of(sent(1), model={1: [asked(0.0)]}, kommo={1: [continued(12.5)]})

    assert figures.complaint == "overhead p99 7.5 s"


def test_in_flight_is_the_most_at_once_from_webhook_to_continue():
    requests = [sent(number, due=float(number)) for number in range(4)]
    ends = {0: [continued(1.5)], 1: [continued(2.5)], 2: [continued(9.0)]}  # 3 never ends

    assert figures_of(*requests, kommo=ends).in_flight == 2
    assert figures_of(*requests).in_flight == 4


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [
        pytest.param([], 0.5, 0.0, id="of nothing"),
        pytest.param([7.0], 0.99, 7.0, id="of one"),
        pytest.param([1.0, 2.0, 3.0, 4.0], 0.5, 3.0, id="the middle"),
        pytest.param([float(n) for n in range(1000)], 0.99, 990.0, id="one in a hundred lies above"),
        pytest.param([1.0, 2.0], 1.0, 2.0, id="the greatest"),
    ],
)
def test_a_share_of_sorted_values(values: list[float], part: float, expected: float):
    assert share(values, part) == expected
