"""Create or update accounts from a JSON document."""

import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from bots.provisioning import Fate, Summary, WrongDocument, provision, read_document

FATES: tuple[Fate, ...] = ("created", "updated", "unchanged")


class Command(BaseCommand):
    """`manage.py provision FILE`: exit code 0, or 1 with one line on stderr and nothing changed."""

    help = "Create or update accounts, members, providers and bots from a JSON file. Deletes nothing, may be repeated."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", nargs="?", help="a JSON document; - reads standard input")

    def handle(self, *args: Any, file: str | None, **options: Any) -> None:
        try:
            summary = provision(read_document(self._read(file)))
        except WrongDocument as error:
            self._end(str(error))
        except DatabaseError as error:
            # not the error's own text: it may quote values
            self._end(f"The database refused ({type(error).__name__}). Is DATABASE_URL right, and did `migrate` run?")
        self._tell(summary)

    def _read(self, file: str | None) -> bytes:
        if not file:
            self._end("FILE: must be given. Name a JSON file, or - for standard input.")
        try:
            return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a file name"
            self._end(f"{file!a}: can't be read ({reason}).")

    def _end(self, line: str) -> NoReturn:
        self.stderr.write(line)
        sys.exit(1)

    def _tell(self, summary: Summary) -> None:
        for line in summary.warnings:
            self.stderr.write(line)
        for fate in FATES:
            self.stdout.write(f"{fate}: {summary.told(fate)}")
        for account in summary.accounts:
            made = " (key made)" if account.key_was_made else ""
            self.stdout.write(f"{writable(account.name)}: {account.hook_url}{made}")


def writable(text: str) -> str:
    """Give a text in characters that standard output has, whatever the machine's locale."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
