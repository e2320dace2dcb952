"""The rows of a deployment under test, read and changed by plain SQL.

So what a test sees does not go through the code that it tests, and the test's own process needs no second database.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.stubs.kommo import AskedOf
from tests.waiting import wait_until

SETTLED = ("delivered", "gone", "rejected", "unknown", "failed")

Row = dict[str, Any]


@dataclass
class Rows:
    """A database of a deployment.

    Args:
        database_url: PostgreSQL's; "" is SQLite in the deployment's own folder.
        folder: the deployment's `DATA_DIR`.
    """

    database_url: str = ""
    folder: Path = field(default_factory=Path)

    @property
    def sqlite_file(self) -> Path:
        """Where the database lies when it is SQLite."""
        return self.folder / "kommobridge.sqlite3"

    @contextlib.contextmanager
    def database(self) -> Iterator[Callable[..., list[Row]]]:
        """Open the database: a function that runs one statement, with `%s` for values, and gives its rows."""
        if self.database_url:
            with psycopg.connect(self.database_url, row_factory=dict_row, autocommit=True) as connection:
                yield lambda sql, *values: _rows_of(connection.execute(sql, values or None))
        else:
            plain = sqlite3.connect(self.sqlite_file, timeout=20, isolation_level=None)
            plain.row_factory = sqlite3.Row
            try:
                yield lambda sql, *values: [
                    dict(row)
                    for row in plain.execute(sql.replace("%s", "?"), [_sqlite_value(value) for value in values])
                ]
            finally:
                plain.close()

    def sql(self, sql: str, *values: object) -> list[Row]:
        """Run one statement and give its rows."""
        with self.database() as run:
            return run(sql, *values)

    def exchange(self, asked: AskedOf) -> Row:
        """Give the row of the exchange that a request led to."""
        found = self.sql("SELECT * FROM bots_exchange WHERE continue_id = %s", asked.continue_id)
        assert len(found) == 1, f"{len(found)} exchanges for {asked}"
        return found[0]

    def attempts(self, asked: AskedOf, kind: str) -> list[Row]:
        """Give the attempts of an exchange, `llm` or `continue`, in order."""
        where = "exchange_id = %s AND kind = %s ORDER BY id"
        return self.sql(f"SELECT * FROM bots_attempt WHERE {where}", self.exchange(asked)["id"], kind)  # noqa: S608

    def settled(self, asked: AskedOf, *, within_seconds: float = 15) -> Row:
        """Wait until an exchange has ended and give its row."""

        def ended() -> Row | None:
            row = self.exchange(asked)
            return row if row["state"] in SETTLED else None

        try:
            return wait_until(ended, within_seconds=within_seconds, every_seconds=0.05) or {}
        except AssertionError as error:
            raise AssertionError(f"still {self.exchange(asked)['state']}: {error}") from error

    def all_settled(self, asked: Sequence[AskedOf], *, within_seconds: float = 15) -> list[Row]:
        """Wait until each of these has ended and give their rows."""
        end = time.monotonic() + within_seconds
        return [self.settled(one, within_seconds=max(0.1, end - time.monotonic())) for one in asked]

    def rows_after(self, asked: Sequence[AskedOf], *, seconds: float) -> list[Row]:
        """Give the rows of these once each has ended, or as they are after so many seconds."""
        with contextlib.suppress(AssertionError):
            self.all_settled(asked, within_seconds=seconds)
        return [self.exchange(one) for one in asked]

    def move_end(self, asked: AskedOf, *, in_seconds: float) -> None:
        """Say that the end deadline of an exchange is so many seconds from now."""
        due = datetime.now(tz=UTC) + timedelta(seconds=in_seconds)
        self.sql("UPDATE bots_exchange SET end_due = %s WHERE continue_id = %s", due, asked.continue_id)

    def move_back(self, asked: AskedOf, *, seconds: float) -> None:
        """Say that a request came so much earlier than it did."""
        row = self.exchange(asked)
        for name in ("received_at", "answer_due", "end_due"):
            earlier = _moment(row[name]) - timedelta(seconds=seconds)
            self.sql(f"UPDATE bots_exchange SET {name} = %s WHERE id = %s", earlier, row["id"])  # noqa: S608


def _rows_of(cursor: "psycopg.Cursor[Row]") -> list[Row]:
    return cursor.fetchall() if cursor.description else []


def _sqlite_value(value: object) -> object:
    """Write a time as Django does on SQLite: UTC, without a zone."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value


def _moment(value: str | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)
