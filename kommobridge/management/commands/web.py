"""Run the web server in the foreground."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from kommobridge.processes import children_die_with_us
from kommobridge.static_files import warn_if_not_collected
from kommobridge.web import Server


class Command(BaseCommand):
    """`manage.py web --bind HOST:PORT`."""

    help = "Run the web server in the foreground: Kommo's requests, the admin, /healthz and /readyz."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT")

    def handle(self, *args: Any, bind: str, **options: Any) -> None:
        children_die_with_us()
        warn_if_not_collected()
        connections.close_all()
        Server(bind).run()
