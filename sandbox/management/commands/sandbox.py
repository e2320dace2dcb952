"""`manage.py sandbox`: the stand-in for Kommo on this machine."""

import asyncio
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sandbox.config import ConfigError, demo_config, read_config, with_rate
from sandbox.service import Service, serve_until_stopped

EXAMPLE = """
A config file, as JSON (fields in brackets may be left out):

  {"accounts": [{
    "subdomain": "demo", "kommo_id": 31337,
    "client_id": "uuid", "client_secret": "...", "access_token": "...",
    "hook_url": "http://127.0.0.1:8000/kommo/<key>/widget-request/",
    ["bot": "default", "name": "...", "channel": "telegram", "encoding": "form" or "json",
     "algorithm": "HS256" or "HS512", "greeting": "...", "port": 0,
     "when_busy": "hold", "restart" or "parallel", "token_life_s": 1800, "member_token": "...",
     "gives_up_s": 0, "on_bad_ack": "wait" or "fall_through", "unsorted": false, "plan": "advanced",
     "widget_flow": [...], "salesbot_flow": [...], "salesbots": [{"id": 7, "name": "...", "flow": [...]}]]
  }],
  ["rate": 7, "block_after": 20, "block_s": 30, "bridge_admin_url": "..."]}

Without one there is an account "demo" that knows no bridge yet.
"""


class Command(BaseCommand):
    help = "Serves a stand-in for Kommo on this machine: accounts, Salesbots, the continue endpoint and a chat page."
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.epilog, parser.formatter_class = EXAMPLE, RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8010, help="port; 0 takes a free one (default 8010)")
        parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default 127.0.0.1)")
        parser.add_argument("--config", type=Path, metavar="FILE", help="accounts, as JSON; see below")
        parser.add_argument("--journal", type=Path, metavar="FILE", help="append everything in and out to this file")
        parser.add_argument("--rate", type=float, help="requests a second and account (default 7); 0 is no limit")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            config = read_config(options["config"]) if options["config"] else demo_config()
            if options["rate"] is not None:
                config = with_rate(config, options["rate"])
            service = Service(config, host=options["host"], port=options["port"], journal_path=options["journal"])
            asyncio.run(serve_until_stopped(service, self._announce))
        except ConfigError as error:
            raise CommandError(str(error)) from error

    def _announce(self, service: Service) -> None:
        names = ", ".join(service.desk.standin.accounts)
        self.stdout.write(f"Sandbox, a stand-in for Kommo, at {service.url}/ (accounts: {names})")
        self.stdout.flush()
