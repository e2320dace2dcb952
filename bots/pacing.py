"""The pace of calls to Kommo: at most `KOMMO_RATE` a second for all processes of the deployment together.

Kommo allows 7 requests a second, perhaps counted by address (protocol §9). One row counts calls by tenths of a second;
whoever wants to call takes a place in the first tenth that keeps every window around it within the rate. Places may lie
in the future: the taker waits until then, so nobody asks twice and the order of asking is kept.
"""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from bots.models import Pace

SLOT = timedelta(milliseconds=100)
WINDOW_SLOTS = 12  # one second, and a fifth more for calls that leave a little late
# Ten minutes: no exchange waits that long, so a place beyond was booked by a clock that ran ahead, and would stop all.
HORIZON_SLOTS = 6000
PACE_NAME = "kommo"


def book(slots: dict[int, int], *, current: int, rate: int) -> int:
    """Find the first slot, from the current one on, in which one more call keeps every window within the rate.

    Args:
        slots: calls booked by slot number; changed by the booking, and cleared of what is too old or too far ahead.
        current: number of the slot that is now.
        rate: calls allowed in a window.

    Returns:
        The number of the booked slot.
    """
    for number in [number for number in slots if not current - WINDOW_SLOTS < number <= current + HORIZON_SLOTS]:
        del slots[number]
    booked = max([current, *slots])  # never before a place that is already given: first come, first served
    while sum(slots.get(number, 0) for number in range(booked - WINDOW_SLOTS + 1, booked + 1)) >= rate:
        booked += 1
    slots[booked] = slots.get(booked, 0) + 1
    return booked


def take_place(*, rate: int, now: datetime, until: datetime) -> datetime | None:
    """Take the next place for a call to Kommo.

    Returns:
        When the call may go out: `now`, or a moment to wait for; None when the next place is later than `until`, and
        then none is taken.
    """
    current = int(now.timestamp() / SLOT.total_seconds())
    with transaction.atomic(durable=True):
        pace, _ = Pace.objects.select_for_update().get_or_create(name=PACE_NAME)
        slots = {int(number): count for number, count in pace.slots.items()}
        booked = book(slots, current=current, rate=rate)
        if booked > until.timestamp() / SLOT.total_seconds() and booked > current:
            return None
        Pace.objects.filter(name=PACE_NAME).update(slots=slots)
    if booked == current:
        return now
    return datetime.fromtimestamp(booked * SLOT.total_seconds(), tz=UTC)
