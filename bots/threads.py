"""The threads of one worker process: a few for the database, more for calls to Kommo, which wait longer.

Places among those calls have a thread of their own: who has one must leave at once, and not stand in a line again.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

DATABASE_THREADS = 3
KOMMO_THREADS = 16

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Threads:
    """Runs what blocks beside the loop."""

    database: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(DATABASE_THREADS, "database"))
    kommo: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(KOMMO_THREADS, "kommo"))
    places: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "places"))

    async def in_database(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that uses the database, on a connection that still works."""
        call = partial(_connected, function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.database, call)

    async def for_places(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that uses the database for places among the calls to Kommo."""
        call = partial(_connected, function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.places, call)

    async def to_kommo(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that calls Kommo."""
        return await asyncio.get_running_loop().run_in_executor(self.kommo, partial(function, *args, **kwargs))


def _connected(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    close_old_connections()
    return function(*args, **kwargs)
