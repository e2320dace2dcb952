"""The clock that can be moved (a pause of an hour need not last one)."""

import asyncio
import time

import pytest

from sandbox.clock import MOVE_MAX_SECONDS, Clock


@pytest.fixture
def on_a_loop():
    """Run a function of a clock on an event loop of its own."""

    def run(work):
        async def alone():
            clock = Clock()
            try:
                return await work(clock)
            finally:
                clock.close()

        return asyncio.run(alone())

    return run


def test_it_starts_at_the_real_time_and_moves_forward():
    clock = Clock()
    assert abs(clock.now() - time.time()) < 1

    asyncio.run(moved(clock, 3600))

    assert abs(clock.now() - time.time() - 3600) < 1
    assert 3599 < clock.offset < 3601


async def moved(clock, seconds):
    clock.advance(seconds)


@pytest.mark.parametrize("seconds", [-1, MOVE_MAX_SECONDS + 1, float("nan")])
def test_it_does_not_go_back_nor_further_than_a_year(seconds):
    with pytest.raises(ValueError, match="seconds: must be from 0"):
        asyncio.run(moved(Clock(), seconds))


def test_what_falls_due_happens_in_its_order_at_its_own_time(on_a_loop):
    async def work(clock):
        begun, rung = clock.now(), []
        clock.call_later(20, lambda: rung.append(("second", clock.now())))
        clock.call_later(10, lambda: rung.append(("first", clock.now())))
        clock.call_later(60, lambda: rung.append(("later", clock.now())))
        clock.advance(30)
        return begun, rung

    begun, rung = on_a_loop(work)

    assert [name for name, _ in rung] == ["first", "second"]
    assert [round(at - begun) for _, at in rung] == [10, 20]


def test_what_is_planned_by_what_happens_counts_from_its_time(on_a_loop):
    async def work(clock):
        rung = []
        clock.call_later(10, lambda: clock.call_later(10, lambda: rung.append("chained")))
        clock.advance(15)
        early = list(rung)
        clock.advance(5)
        return early, rung

    assert on_a_loop(work) == ([], ["chained"])


def test_what_is_cancelled_does_not_happen(on_a_loop):
    async def work(clock):
        rung = []
        alarm = clock.call_later(10, lambda: rung.append("no"))
        alarm.cancel()
        clock.advance(20)
        return rung

    assert on_a_loop(work) == []


def test_without_being_moved_it_rings_by_itself(on_a_loop):
    async def work(clock):
        rung = asyncio.Event()
        clock.call_later(0.02, rung.set)
        await asyncio.wait_for(rung.wait(), 5)
        return rung.is_set()

    assert on_a_loop(work)
