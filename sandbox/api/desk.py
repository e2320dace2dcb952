"""What every handler of the stand-in's HTTP side shares."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from sandbox.api.faults import Faults
from sandbox.api.limits import RateLimit
from sandbox.standin import StandIn


@dataclass(slots=True, kw_only=True)
class Desk:
    """The stand-in, its queued faults, its request limit, and the answers that a stop has to end.

    Args:
        ports: which accounts answer on which port, by subdomain.
    """

    standin: StandIn
    faults: Faults
    limit: RateLimit
    ports: dict[int, tuple[str, ...]]
    is_stopping: bool = False
    long_answers: set[asyncio.Task[Any]] = field(default_factory=set)

    @contextmanager
    def answering_long(self) -> Iterator[None]:
        """Let the answer that is given meanwhile be ended by a stop."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a handler answers")
        self.long_answers.add(task)
        try:
            yield
        finally:
            self.long_answers.discard(task)

    def end_long_answers(self) -> None:
        """Cancel those answers, so that a stop need not wait for them."""
        self.is_stopping = True
        for task in tuple(self.long_answers):
            task.cancel()


DESK: Final = web.AppKey("desk", Desk)
