"""Turns: accounts share the pace of calls to Kommo, and nobody waits behind another's hundreds."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from django.utils import timezone

from bots import pacing
from bots.kommo import KommoAnswer
from bots.turns import BLOCKED, Turns
from tests.bots.one_thread import one_thread

T = TypeVar("T")
pytestmark = pytest.mark.django_db(transaction=True)


def taking_turns(story: Callable[[Turns], Awaitable[T]]) -> T:
    """Run a story with turns whose threads end with it."""
    with one_thread() as threads:

        async def told() -> T:
            return await story(Turns(threads))

        return asyncio.run(told())


def soon(seconds: float = 60) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


def test_a_place_is_now_while_the_rate_has_room(settings):
    settings.KOMMO_RATE = 5

    async def story(turns: Turns) -> list[datetime | None]:
        return await asyncio.gather(*(turns.place(1, until=soon()) for _ in range(5)))

    places = [place for place in taking_turns(story) if place]
    assert len(places) == 5
    assert all(place <= timezone.now() for place in places)


def test_an_account_with_one_reply_does_not_wait_behind_the_many_of_another(settings):
    settings.KOMMO_RATE = 4

    async def story(turns: Turns) -> tuple[datetime | None, list[datetime | None]]:
        flood = [asyncio.create_task(turns.place(1, until=soon())) for _ in range(10)]
        await asyncio.sleep(0)
        lone = await turns.place(2, until=soon())
        return lone, await asyncio.gather(*flood)

    lone, flood = taking_turns(story)
    earlier = [place for place in flood if place and lone and place < lone]
    assert lone is not None
    assert len(earlier) <= 4  # the first window at most


def test_within_an_account_first_come_is_first_served(settings):
    settings.KOMMO_RATE = 3

    async def story(turns: Turns) -> list[datetime | None]:
        return await asyncio.gather(*(turns.place(1, until=soon()) for _ in range(7)))

    places = [place for place in taking_turns(story) if place]
    assert len(places) == 7
    assert places == sorted(places)


def test_who_finds_no_place_in_time_is_told_so(settings):
    settings.KOMMO_RATE = 1

    async def story(turns: Turns) -> tuple[datetime | None, datetime | None]:
        return await asyncio.gather(turns.place(1, until=soon()), turns.place(1, until=soon(0.3)))

    first, second = taking_turns(story)
    assert first is not None
    assert second is None


def test_who_was_cancelled_takes_nobodys_place(settings):
    settings.KOMMO_RATE = 2

    async def story(turns: Turns) -> datetime | None:
        given_up = [asyncio.create_task(turns.place(1, until=soon())) for _ in range(40)]
        await asyncio.sleep(0)
        last = asyncio.create_task(turns.place(1, until=soon()))
        await asyncio.sleep(0)
        for task in given_up:
            task.cancel()
        return await last

    begun = timezone.now()
    place = taking_turns(story)
    assert place is not None
    assert place - begun < timedelta(seconds=3)  # 40 before it would have taken 24 s


BLOCK_PAGE = KommoAnswer(status=403, is_html=True)


def test_when_several_exchanges_in_a_row_meet_the_block_page_everybody_pauses():
    async def story(turns: Turns) -> None:
        for exchange_id in range(BLOCKED):
            await turns.heed(BLOCK_PAGE, exchange_id=exchange_id)

    taking_turns(story)
    assert pacing.held_until(timezone.now()) is not None


@pytest.mark.parametrize(
    "answers",
    [[(1, BLOCK_PAGE)] * 9, [(1, BLOCK_PAGE), (2, BLOCK_PAGE), (9, KommoAnswer(status=202)), (3, BLOCK_PAGE)]],
    ids=["of one exchange alone", "with another answer between"],
)
def test_block_pages_that_may_have_another_reason_pause_nobody(answers: list[tuple[int, KommoAnswer]]):
    async def story(turns: Turns) -> None:
        for exchange_id, answer in answers:
            await turns.heed(answer, exchange_id=exchange_id)

    taking_turns(story)
    assert pacing.held_until(timezone.now()) is None
