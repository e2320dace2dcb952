"""Run one django-q2 cluster; the supervisor's command, not for people."""

import gc
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

import llm
from bots.engine import Place, place_here
from bots.queue import new_cluster
from kommobridge.base.environment import drop_vendor_variables
from kommobridge.processes import children_die_with_us


class Command(BaseCommand):
    """`manage.py cluster`: what `worker` and `serve` start and replace."""

    help = "Run one cluster of worker processes. Use worker or serve, which also watch over it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stop-fd", type=int, default=None)
        parser.add_argument("--cluster", default="alone")

    def handle(self, *args: Any, stop_fd: int | None, cluster: str, **options: Any) -> None:
        children_die_with_us()
        drop_vendor_variables()
        place_here(Place(cluster=cluster, stop_fd=stop_fd))
        llm.preload()  # once, before the fork: 2 s and 150 MB that the workers share
        gc.freeze()
        running = new_cluster()
        running.start()
        running.sentinel.join()
