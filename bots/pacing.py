"""The pace of calls to Kommo: at most `KOMMO_RATE` a second for all processes of the deployment together.

Kommo allows 7 requests a second, perhaps counted by address (protocol §9). One row counts calls by tenths of a second;
whoever wants to call takes a place in the first tenth that keeps every window around it within the rate. Places may lie
in the future: the taker waits until then, so nobody asks twice and the order of asking is kept.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from bots.models import Pace

SLOT = timedelta(milliseconds=100)
WINDOW_SLOTS = 12  # one second, and a fifth more for calls that leave a little late
# Ten minutes: no exchange waits that long, so a place beyond was booked by a clock that ran ahead, and would stop all.
HORIZON_SLOTS = 6000
PACE_NAME = "kommo"

# Kommo blocks an address that presses on with a page instead of an answer (protocol §9): then nobody calls for a while,
# and each block that follows within the memory doubles the pause.
HOLD = timedelta(seconds=5)
HOLD_MAX = timedelta(seconds=60)
HOLD_MEMORY = timedelta(seconds=60)


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


@dataclass(frozen=True, slots=True)
class Places:
    """Places that were taken, in their order, and when the next one would be; None when all that were wanted are."""

    taken: tuple[datetime, ...]
    next_at: datetime | None


def take_places(count: int, *, rate: int, now: datetime, until: datetime) -> Places:
    """Take the next places for calls to Kommo.

    Args:
        count: how many are wanted.
        rate: calls allowed in a second.
        now: aware time.
        until: places later than this are not taken.

    Returns:
        Each place is `now`, or a moment to wait for.
    """
    current = int(now.timestamp() / SLOT.total_seconds())
    booked: list[int] = []
    next_at = None
    with transaction.atomic(durable=True):
        pace, _ = Pace.objects.select_for_update().get_or_create(name=PACE_NAME)
        if pace.held_until and pace.held_until > now:
            return Places((), pace.held_until)
        slots = {int(number): calls for number, calls in pace.slots.items()}
        while len(booked) < count:
            number = book(slots, current=current, rate=rate)
            if number > current and _moment(number) > until:
                slots[number] -= 1
                next_at = _moment(number)
                break
            booked.append(number)
        if booked:
            Pace.objects.filter(name=PACE_NAME).update(
                slots={number: calls for number, calls in slots.items() if calls}
            )
    return Places(tuple(now if number == current else _moment(number) for number in booked), next_at)


def hold(now: datetime) -> None:
    """Let nobody call for a while: this server's address is blocked."""
    with transaction.atomic():
        pace, _ = Pace.objects.select_for_update().get_or_create(name=PACE_NAME)
        if pace.held_until is None or pace.held_until <= now:
            until = now + next_hold(pace.held_from, pace.held_until, now=now)
            Pace.objects.filter(name=PACE_NAME).update(held_from=now, held_until=until)


def next_hold(held_from: datetime | None, held_until: datetime | None, *, now: datetime) -> timedelta:
    """Say how long to pause, by when and how long the pause before was; None and None when there was none."""
    if held_from is None or held_until is None or now - held_until > HOLD_MEMORY:
        return HOLD
    return min(max(HOLD, 2 * (held_until - held_from)), HOLD_MAX)


def held_until(now: datetime) -> datetime | None:
    """Say until when nobody calls Kommo; None when nothing is paused."""
    return Pace.objects.filter(name=PACE_NAME, held_until__gt=now).values_list("held_until", flat=True).first()


def _moment(slot: int) -> datetime:
    return datetime.fromtimestamp(slot * SLOT.total_seconds(), tz=UTC)
