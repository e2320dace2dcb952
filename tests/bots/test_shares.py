"""Shares: how much of a worker one account may hold."""

import pytest

from bots.claims import SHARE, full_accounts


def filled(capacity: int, accounts: int) -> list[int]:
    """Let accounts take in turn until each of them is full, and give how many slots each holds."""
    held: list[int] = []
    while True:
        full = full_accounts(held, capacity=capacity)
        takers = [account for account in range(accounts) if account not in full]
        if not takers or len(held) == capacity:
            return [held.count(account) for account in range(accounts)]
        held.append(min(takers, key=held.count))


def test_an_idle_worker_has_room_for_everybody():
    assert full_accounts([], capacity=256) == []


def test_one_account_alone_gets_most_of_a_worker_but_not_all():
    [held] = filled(256, 1)
    assert 0.85 * 256 < held < 256


@pytest.mark.parametrize("accounts", [2, 3, 5])
def test_however_many_flood_it_there_is_room_for_one_more(accounts: int):
    held = filled(256, accounts)
    assert sum(held) < 256
    assert max(held) - min(held) <= 1


def test_the_room_that_is_kept_goes_to_the_next_account():
    held = [1] * 200 + [2] * 30
    assert full_accounts(held, capacity=256) == []
    assert full_accounts([1] * (26 * SHARE + 1) + [2] * 21, capacity=256) == [1]
