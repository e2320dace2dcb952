"""Seal every stored secret anew with the first of FIELD_KEYS."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from bots import rotation

SHOWN_PLACES = 10


class Command(BaseCommand):
    """`manage.py rotate_secrets`: exit code 0, or 1 with one line on stderr when some secret can't be opened."""

    help = (
        "Seal every stored secret with the first key of FIELD_KEYS. Put the new key first and keep the old one behind "
        "it, restart, run this, then take the old key away. May run beside the program, be cut off and be repeated."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say how many secrets still need it")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        try:
            tally = (rotation.survey if check else rotation.reseal_all)(self.stdout.write)
        except DatabaseError as error:
            self.stderr.write(f"The database refused ({type(error).__name__}). What was sealed stays so; run it again.")
            sys.exit(1)
        done = "" if check else f", {tally.resealed} sealed anew"
        self.stdout.write(
            f"{tally.secrets} secrets{done}, {tally.due} still need it, {len(tally.unreadable)} unreadable"
        )
        if tally.unreadable:
            self.stderr.write(self._told(tally.unreadable))
            sys.exit(1)

    def _told(self, places: list[str]) -> str:
        more = len(places) - SHOWN_PLACES
        told = "; ".join(places[:SHOWN_PLACES]) + (f"; and {more} more" if more > 0 else "")
        return (
            f"Can't be opened by any key of FIELD_KEYS: {told}. Put the key back that sealed them, or enter them anew."
        )
