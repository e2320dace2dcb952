"""Build an account's widget, or judge any widget zip."""

import re
import sys
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from bots.models import Account, HookKey, Membership
from bots.widget import FIRST_VERSION, ZIP_MAX_BYTES, CannotBuild, Hosts, build_widget, check_widget

AMOCRM_HOSTS = (".amocrm.ru", ".amocrm.com")


def key_last(argv: list[str]) -> list[str]:
    """Put a hook key that begins with a hyphen where it isn't taken for an option; one of 64 keys does."""
    keys = [part for part in argv if re.fullmatch(r"-[A-Za-z0-9_][A-Za-z0-9_-]{6,62}", part)]
    if len(keys) != 1 or "--" in argv:
        return argv
    return [*(part for part in argv if part not in keys), "--", *keys]


class Command(BaseCommand):
    """`manage.py widget KEY --output FILE` or `manage.py widget --check FILE`: exit code 0, or 1 and what is wrong."""

    help = "Build the widget that an account uploads to Kommo (KEY --output FILE), or judge any widget (--check FILE)."
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(key_last(argv))

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Django gives each command a --version that tells Django's own; here it is the widget's
        return super().create_parser(prog_name, subcommand, **{"conflict_handler": "resolve"} | kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", metavar="KEY", nargs="?", help="a hook key of the account")
        parser.add_argument("--output", metavar="FILE", help="where the zip goes; what is there is replaced")
        parser.add_argument("--check", metavar="FILE", help="judge this zip by the rules of Kommo's upload")
        parser.add_argument("--hosts", choices=("kommo", "amocrm"), help="default: by the account's origin, or kommo")
        parser.add_argument(
            "--version", metavar="x.y.z", default=FIRST_VERSION, help="raise it with every upload; default: %(default)s"
        )
        parser.add_argument("--support-link", metavar="URL", help="page where users find help; default: PUBLIC_URL")
        parser.add_argument("--support-email", metavar="ADDRESS", help="default: that of the account's first owner")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"] and not options["key"] and not options["output"]:
            self._check(options["check"], hosts=options["hosts"] or "kommo")
        elif options["key"] and options["output"] and not options["check"]:
            self._build(self._account(options["key"]), options)
        else:
            self._end("Say either KEY --output FILE or --check FILE.")

    def _check(self, file: str, *, hosts: Hosts) -> None:
        try:
            with Path(file).open("rb") as opened:
                found = check_widget(opened.read(ZIP_MAX_BYTES + 1), hosts=hosts)
        except OSError as error:
            self._end(f"{file!a}: can't be read ({error.strerror}).")
        for one in found:
            self.stdout.write(f"{'warning: ' if one.is_warning else ''}{one}")
        if not all(one.is_warning for one in found):
            self._end("Kommo would refuse this zip.")
        self.stdout.write("Kommo would take this zip, but mind the warnings." if found else "This zip is good.")

    def _account(self, key: str) -> Account:
        try:
            return HookKey.objects.select_related("account").get(value=key).account
        except HookKey.DoesNotExist:
            self._end("KEY: is no account's hook key. It is the part of the account's address after /kommo/.")
        except DatabaseError as error:
            self._end(f"The database refused ({type(error).__name__}). Is DATABASE_URL right, and did `migrate` run?")

    def _build(self, account: Account, options: dict[str, Any]) -> None:
        hosts: Hosts = "amocrm" if account.origin.endswith(AMOCRM_HOSTS) else "kommo"
        try:
            content = build_widget(
                hook_url=account.hook_url,
                version=options["version"],
                account_name=account.name,
                support_link=options["support_link"] or settings.PUBLIC_URL,
                support_email=options["support_email"] or _support_email(account),
                hosts=options["hosts"] or hosts,
            )
            Path(options["output"]).write_bytes(content)
        except CannotBuild as error:
            self._end(str(error))
        except OSError as error:
            self._end(f"{options['output']!a}: can't be written ({error.strerror}).")
        self.stdout.write(f"{options['output']}: widget {options['version']} for {account.name}, {account.hook_url}")

    def _end(self, line: str) -> NoReturn:
        self.stderr.write(line)
        sys.exit(1)


def _support_email(account: Account) -> str:
    """Give whom the account's people ask: its first owner, else an address at the bridge's host."""
    owners = (
        account.memberships.filter(role=Membership.Role.OWNER, user__is_active=True)
        .select_related("user")
        .order_by("pk")
    )
    first = owners.first()
    return first.user.email if first else f"support@{urlsplit(settings.PUBLIC_URL).hostname}"
