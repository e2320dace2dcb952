"""Run web server and workers in the foreground."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from kommobridge.supervisor import Supervisor


class Command(BaseCommand):
    """`manage.py serve --bind HOST:PORT`."""

    help = "Run the web server and the workers under one command, in the foreground."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT")

    def handle(self, *args: Any, bind: str, **options: Any) -> None:
        sys.exit(Supervisor(bind=bind).run())
