import pytest

from sandbox.api.limits import RateLimit


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_seven_at_once_pass_and_the_eighth_does_not(clock):
    limit = RateLimit(7, clock=clock)

    assert [limit.admits("a") for _ in range(9)] == [True] * 7 + [False] * 2


def test_a_second_later_there_is_room_again(clock):
    limit = RateLimit(2, clock=clock)
    for _ in range(10):
        limit.admits("a")
    clock.now += 1

    assert [limit.admits("a") for _ in range(3)] == [True, True, False]


def test_room_comes_back_just_before_the_second_is_over(clock):
    limit = RateLimit(1, clock=clock)
    limit.admits("a")
    clock.now += 0.94
    too_early = limit.admits("a")
    clock.now += 0.02

    assert (too_early, limit.admits("a")) == (False, True)


def test_no_moment_lets_a_double_load_through(clock):
    limit = RateLimit(7, clock=clock)
    clock.now += 0.9
    first = [limit.admits("a") for _ in range(7)]
    clock.now += 0.2

    assert all(first)
    assert not limit.admits("a")


def test_a_client_that_paces_itself_with_a_little_jitter_is_never_refused(clock):
    limit = RateLimit(7, clock=clock)
    admitted = []
    for number in range(100):
        clock.now = 100 + number / 7 + (0.008 if number % 2 else -0.008)
        admitted.append(limit.admits("a"))

    assert all(admitted)


def test_keys_do_not_share_their_room(clock):
    limit = RateLimit(1, clock=clock)

    assert [limit.admits(key) for key in ("a", "b", "a", "b")] == [True, True, False, False]


def test_zero_is_no_limit(clock):
    limit = RateLimit(0, clock=clock)

    assert all(limit.admits("a") for _ in range(1_000))


def test_an_address_is_blocked_after_so_many_refusals_in_ten_seconds_and_for_so_long(clock):
    limit = RateLimit(1, block_after=2, block_s=30, clock=clock)
    for _ in range(2):
        limit.refuse("a")
    assert not limit.is_blocked("a")

    limit.refuse("a")

    assert (limit.is_blocked("a"), limit.is_blocked("b")) == (True, False)
    clock.now += 29
    assert limit.is_blocked("a")
    clock.now += 1
    assert not limit.is_blocked("a")


def test_refusals_that_lie_ten_seconds_apart_block_nobody(clock):
    limit = RateLimit(1, block_after=2, block_s=30, clock=clock)
    for _ in range(10):
        limit.refuse("a")
        clock.now += 6

    assert not limit.is_blocked("a")


def test_zero_never_blocks(clock):
    limit = RateLimit(1, clock=clock)
    for _ in range(1_000):
        limit.refuse("a")

    assert not limit.is_blocked("a")
