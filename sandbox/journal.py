"""Everything that went in and out, in order, in memory and, when wanted, on disk before an answer leaves.

One entry is one JSON object: `seq`, `time` (UTC, ISO 8601), `wall` and `monotonic` (seconds), `kind`, then its facts.
Entries hold headers and bodies as they were, secrets included: that is what tests search, and the secrets are made up.
So the file is for its owner alone (mode 0600), and the journal's page masks tokens before it shows them.
"""

import asyncio
import itertools
import json
import os
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

KEPT_IN_MEMORY: Final = 50_000  # entries; the file has them all

Entry = dict[str, Any]


class Lines(Protocol):
    """Where lines are kept: `write` returns when they are safe, or raises OSError."""

    def write(self, lines: bytes, /) -> None:
        """Append and make safe."""

    def close(self) -> None:
        """Close."""


class JournalFile:
    """An append-only file whose lines are on disk when `write` returns."""

    def __init__(self, path: Path) -> None:
        """Open the file, made with mode 0600 when it is new.

        Raises:
            OSError: it cannot be opened for appending.
        """
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, lines: bytes) -> None:
        """Append and fsync."""
        view = memoryview(lines)
        while view:
            view = view[os.write(self._fd, view) :]
        os.fsync(self._fd)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


class Journal:
    """The list of entries; belongs to one event loop."""

    def __init__(self, file: Lines | None = None) -> None:
        """Start empty; `file` keeps the entries on disk too and is closed with the journal."""
        self._file = file
        self._entries: deque[Entry] = deque(maxlen=KEPT_IN_MEMORY)
        self._seq = 0
        self._unwritten: list[bytes] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._writing: asyncio.Task[None] | None = None
        self._watchers: set[Callable[[], None]] = set()

    def note(self, kind: str, **facts: object) -> Entry:
        """Add an entry."""
        wall = time.time()
        self._seq += 1
        stamp = datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
        times = {"seq": self._seq, "time": stamp, "wall": wall, "monotonic": time.monotonic()}
        entry: Entry = {**times, "kind": kind, **facts}
        self._entries.append(entry)
        if self._file:
            self._unwritten.append(as_line(entry))
            self._start_writing()
        for call in tuple(self._watchers):
            call()
        return entry

    def watch(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call back on every entry; returns what ends it."""
        self._watchers.add(call)
        return lambda: self._watchers.discard(call)

    def entries(self, wanted: Callable[[Entry], bool] = lambda _entry: True) -> list[Entry]:
        """List the entries in memory, oldest first."""
        return [entry for entry in self._entries if wanted(entry)]

    @property
    def last_seq(self) -> int:
        """Give the number of the newest entry; 0 while there is none."""
        return self._seq

    def latest(
        self, limit: int, *, after: int = 0, wanted: Callable[[Entry], bool] = lambda _entry: True
    ) -> list[Entry]:
        """List the last `limit` entries that are wanted and newer than the seq `after`, oldest first."""
        newer = itertools.takewhile(lambda entry: entry["seq"] > after, reversed(self._entries))
        found = list(itertools.islice(filter(wanted, newer), limit))
        found.reverse()
        return found

    async def settled(self) -> None:
        """Return when all entries so far are on disk; at once without a file. One fsync serves all who wait."""
        if self._file and (self._unwritten or self._writing):
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            self._start_writing()
            await waiter

    async def close(self) -> None:
        """Write what is left and close the file."""
        await self.settled()
        if self._file:
            self._file.close()
            self._file = None

    def _start_writing(self) -> None:
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_all())

    async def _write_all(self) -> None:
        try:
            while self._unwritten or self._waiters:
                lines, self._unwritten = self._unwritten, []
                waiters, self._waiters = self._waiters, []
                await self._write(b"".join(lines), waiters)
        finally:
            self._writing = None

    async def _write(self, lines: bytes, waiters: list[asyncio.Future[None]]) -> None:
        """Write one batch; a full disk is told to those who wait for it, whose answers then are errors."""
        failure: OSError | None = None
        try:
            if self._file:
                await asyncio.to_thread(self._file.write, lines)
        except OSError as error:
            failure = error
        for waiter in waiters:
            if waiter.done():
                continue
            if failure:
                waiter.set_exception(failure)
            else:
                waiter.set_result(None)


def as_line(entry: Entry) -> bytes:
    """Write an entry as one line of JSON; half a surrogate pair becomes its JSON escape."""
    return json.dumps(entry, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace") + b"\n"
