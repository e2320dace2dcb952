"""Run the demo, or delete its rows."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kommobridge.demo import rows
from kommobridge.demo.run import SANDBOX_PORTS, WEB_PORTS, Demo, DemoFailed, free_port


class Command(BaseCommand):
    """`manage.py demo`, which `make demo` calls."""

    help = "Run everything for a first look: demo accounts, sandbox, web and worker. Ctrl-C stops all of it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true", help="delete every demo row, and do nothing else")
        parser.add_argument("--prepare", type=int, metavar="PORT", help="make the rows for a sandbox on PORT only")

    def handle(self, *args: Any, remove: bool, prepare: int | None, **options: Any) -> None:
        if remove:
            self.stdout.write(
                f"Deleted {rows.remove()} demo account(s) with everything in them, and the demo's logins."
            )
        elif prepare:
            models = rows.prepare(prepare, sandbox_origin=f"http://127.0.0.1:{prepare}")
            self.stdout.write(f"The bots ask: {', '.join(models)}")
        else:
            self._run()

    def _run(self) -> None:
        try:
            Demo(self._say, free_port(WEB_PORTS), free_port(SANDBOX_PORTS)).run()
        except DemoFailed as error:
            raise CommandError(str(error)) from error

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
