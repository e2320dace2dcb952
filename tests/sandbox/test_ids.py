import time

from sandbox.ids import EPOCH_2026, new_uuid, next_continue_id, next_id, next_talk_id

A_DAY_MS = 86_400_000


def test_continue_ids_start_at_the_clock_so_that_a_restart_does_not_bring_them_back():
    now = time.time() * 1000

    assert now - A_DAY_MS < next_continue_id() < now + A_DAY_MS


def test_the_ids_of_leads_start_at_the_clock_too_and_are_shorter():
    tenths = (time.time() - EPOCH_2026) * 10

    assert tenths - 864_000 < next_id() < tenths + 864_000
    assert 8 <= len(str(next_id())) <= 10
    assert len(str(next_talk_id())) < len(str(next_id()))


def test_no_id_comes_twice():
    assert len({next_id() for _ in range(1_000)}) == len({new_uuid() for _ in range(1_000)}) == 1_000
