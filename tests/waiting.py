"""Waiting for something to become true, without guessing how long it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, within_seconds: float = 10, every_seconds: float = 0.02) -> T:
    """Ask again and again until the answer is true, and give that answer.

    Args:
        condition: asked at least once; an `AssertionError` from it counts as not yet.
        within_seconds: how long to go on asking.
        every_seconds: pause between two questions.

    Raises:
        AssertionError: it never became true; with the last answer, or the last complaint.
    """
    deadline = time.monotonic() + within_seconds
    while True:
        try:
            answer, complaint = condition(), None
        except AssertionError as error:
            answer, complaint = None, error
        if answer:
            return answer
        if time.monotonic() > deadline:
            told = complaint or f"the last answer was {answer!r}"
            raise AssertionError(f"not within {within_seconds} s: {told}") from complaint
        time.sleep(every_seconds)
