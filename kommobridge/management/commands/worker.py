"""Run the workers in the foreground."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from kommobridge.supervisor import Supervisor


class Command(BaseCommand):
    """`manage.py worker`."""

    help = "Run the workers that ask the models and resume the Salesbots, in the foreground."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(Supervisor().run())
