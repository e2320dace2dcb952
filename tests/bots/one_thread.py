"""Threads of a worker for a test: one for everything, whose connection is closed with it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connections

from bots.threads import Threads


@contextmanager
def one_thread() -> Iterator[Threads]:
    """Give the threads, which end with the block."""
    with ThreadPoolExecutor(1) as one:
        yield Threads(one, one, one)
        one.submit(connections.close_all).result()
