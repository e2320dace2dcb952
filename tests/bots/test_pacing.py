"""The pace of calls to Kommo: never more than the rate in any second, first come, first served."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bots import pacing
from bots.models import Pace
from bots.pacing import (
    HOLD,
    HOLD_MAX,
    HOLD_MEMORY,
    HORIZON_SLOTS,
    SLOT,
    WINDOW_SLOTS,
    Places,
    book,
    held_until,
    hold,
    next_hold,
    take_places,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=100)
SECOND_SLOTS = int(timedelta(seconds=1) / SLOT)


def booked_over(rate: int, waits: list[int]) -> list[int]:
    """Book one place after each wait, in slots, and give the places."""
    slots: dict[int, int] = {}
    now, places = 1000, []
    for wait in waits:
        now += wait
        places.append(book(slots, current=now, rate=rate))
    return places


@given(rate=st.integers(1, 12), waits=st.lists(st.integers(0, 30), max_size=60))
@example(rate=7, waits=[0] * 30)
@example(rate=1, waits=[0, 9, 0, 11])
def test_in_no_second_are_more_places_than_the_rate(rate: int, waits: list[int]):
    places = Counter(booked_over(rate, waits))
    for first in range(min(places, default=0) - SECOND_SLOTS, max(places, default=0) + 1):
        assert sum(places[slot] for slot in range(first, first + SECOND_SLOTS)) <= rate


@given(rate=st.integers(1, 12), waits=st.lists(st.integers(0, 30), max_size=60))
def test_who_asks_first_goes_first(rate: int, waits: list[int]):
    places = booked_over(rate, waits)
    assert places == sorted(places)


@given(rate=st.integers(1, 12), waits=st.lists(st.integers(0, 30), max_size=60))
def test_no_place_lies_in_the_past(rate: int, waits: list[int]):
    now = 1000
    for wait, place in zip(waits, booked_over(rate, waits), strict=True):
        now += wait
        assert place >= now


@given(rate=st.integers(1, 12), waits=st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_nobody_waits_longer_than_the_calls_before_need(rate: int, waits: list[int]):
    places = booked_over(rate, waits)
    now = 1000
    for before, (wait, place) in enumerate(zip(waits, places, strict=True)):
        now += wait
        assert place - now <= (before // rate + 1) * WINDOW_SLOTS


def test_a_call_on_a_quiet_day_goes_out_at_once():
    assert booked_over(7, [100, 100]) == [1100, 1200]


def test_the_whole_rate_goes_out_at_once_and_the_rest_a_window_later():
    assert booked_over(3, [0] * 7) == [1000] * 3 + [1000 + WINDOW_SLOTS] * 3 + [1000 + 2 * WINDOW_SLOTS]


def test_old_slots_are_forgotten():
    slots = {1: 5, 988: 1, 989: 1}
    book(slots, current=1000, rate=7)
    assert slots == {989: 1, 1000: 1}


def test_a_clock_that_ran_ahead_for_hours_does_not_stop_the_calls_of_the_others():
    slots = {1000 + HORIZON_SLOTS + 1: 1, 5_000_000: 7}
    assert book(slots, current=1000, rate=7) == 1000


def test_a_clock_that_lags_a_little_does_not_overtake():
    slots = {1005: 1}
    assert book(slots, current=1000, rate=7) == 1005


# in the database


@pytest.mark.django_db
def test_a_free_place_is_now_and_a_taken_one_a_moment_to_wait_for():
    places = [take_places(1, rate=2, now=NOON, until=LATER) for _ in range(5)]

    window = WINDOW_SLOTS * SLOT
    moments = [NOON, NOON, NOON + window, NOON + window, NOON + 2 * window]
    assert places == [Places((moment,), None) for moment in moments]


@pytest.mark.django_db
def test_places_are_taken_together_as_they_would_be_one_by_one():
    window = WINDOW_SLOTS * SLOT
    assert take_places(3, rate=2, now=NOON, until=LATER) == Places((NOON, NOON, NOON + window), None)


@pytest.mark.django_db
def test_the_places_are_kept_in_the_database_for_everybody():
    take_places(1, rate=7, now=NOON, until=LATER)
    take_places(1, rate=7, now=NOON, until=LATER)

    number = int(NOON.timestamp() / SLOT.total_seconds())
    assert Pace.objects.get(name=pacing.PACE_NAME).slots == {str(number): 2}


@pytest.mark.django_db
def test_after_a_second_and_a_fifth_everything_is_free_again():
    take_places(7, rate=7, now=NOON, until=LATER)
    later = NOON + WINDOW_SLOTS * SLOT
    assert take_places(1, rate=7, now=later, until=LATER) == Places((later,), None)


@pytest.mark.django_db
def test_a_place_after_the_end_is_not_taken_and_when_it_would_be_is_told():
    soon = NOON + timedelta(seconds=1)
    assert take_places(9, rate=7, now=NOON, until=soon) == Places((NOON,) * 7, NOON + WINDOW_SLOTS * SLOT)

    slots = Pace.objects.get(name=pacing.PACE_NAME).slots
    assert sum(slots.values()) == 7


# held


@pytest.mark.django_db
def test_while_calls_are_held_nobody_gets_a_place_and_then_everybody_does():
    hold(NOON)
    assert take_places(2, rate=7, now=NOON, until=LATER) == Places((), NOON + HOLD)
    assert held_until(NOON) == NOON + HOLD

    after = NOON + HOLD
    assert take_places(2, rate=7, now=after, until=LATER) == Places((after, after), None)
    assert held_until(after) is None


@pytest.mark.django_db
def test_a_second_report_of_the_same_block_holds_no_longer():
    hold(NOON)
    hold(NOON + timedelta(seconds=1))
    assert held_until(NOON) == NOON + HOLD


def test_each_block_soon_after_the_last_doubles_the_pause_up_to_a_limit():
    lengths, begin, end = [], None, None
    for _ in range(6):
        now = (end or NOON) + timedelta(seconds=1)
        length = next_hold(begin, end, now=now)
        begin, end = now, now + length
        lengths.append(length.total_seconds())
    assert lengths == [5, 10, 20, 40, 60, 60]


def test_a_block_long_after_the_last_pauses_as_the_first_did():
    assert next_hold(NOON, NOON + HOLD_MAX, now=NOON + HOLD_MAX + HOLD_MEMORY + SLOT) == HOLD
