"""Build an account's widget and a Salesbot around its step, or judge any widget zip."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from bots.account_widgets import salesbot_of, widget_of
from bots.models import Account, HookKey
from bots.widget import ZIP_MAX_BYTES, CannotBuild, Hosts, check_widget

USAGE = "Say either KEY with --output FILE, --salesbot FILE or both, or --check FILE."


def key_last(argv: list[str]) -> list[str]:
    """Put a hook key that begins with a hyphen where it isn't taken for an option; one of 64 keys does."""
    keys = [part for part in argv if re.fullmatch(r"-[A-Za-z0-9_][A-Za-z0-9_-]{6,62}", part)]
    if len(keys) != 1 or "--" in argv:
        return argv
    return [*(part for part in argv if part not in keys), "--", *keys]


class Command(BaseCommand):
    """`widget KEY --output FILE`, `widget KEY --salesbot FILE` or `widget --check FILE`: exit code 0, or 1 and why."""

    help = (
        "Build the widget that an account uploads to Kommo (KEY --output FILE) and a Salesbot around its step "
        "(KEY --salesbot FILE), or judge any widget (--check FILE)."
    )
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(key_last(argv))

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Django gives each command a --version that tells Django's own; here it is the widget's
        return super().create_parser(prog_name, subcommand, **{"conflict_handler": "resolve"} | kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", metavar="KEY", nargs="?", help="a hook key of the account")
        parser.add_argument("--output", metavar="FILE", help="where the zip goes; what is there is replaced")
        parser.add_argument("--salesbot", metavar="FILE", help="where a Salesbot goes, for Kommo's Salesbots to import")
        parser.add_argument("--greeting", metavar="TEXT", default="", help="what that Salesbot says first")
        parser.add_argument("--check", metavar="FILE", help="judge this zip by the rules of Kommo's upload")
        parser.add_argument("--hosts", choices=("kommo", "amocrm"), help="default: by the account's origin, or kommo")
        parser.add_argument(
            "--version",
            metavar="x.y.z",
            default="",
            help="default: the account's last one while the content is the same, else the next one",
        )
        parser.add_argument(
            "--support-link", metavar="URL", default="", help="where users find help; default: PUBLIC_URL"
        )
        parser.add_argument(
            "--support-email", metavar="ADDRESS", default="", help="default: that of the account's first owner"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        is_building = bool(options["output"] or options["salesbot"])
        if options["check"] and not options["key"] and not is_building:
            self._check(options["check"], hosts=options["hosts"] or "kommo")
        elif options["key"] and is_building and not options["check"]:
            self._build(self._account(options["key"]), options)
        else:
            self._end(USAGE)

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
        if options["output"]:
            self._build_widget(account, options)
        if options["salesbot"]:
            with self._told_when_wrong(options["salesbot"]):
                Path(options["salesbot"]).write_bytes(salesbot_of(account, greeting=options["greeting"]))
            self.stdout.write(f"{options['salesbot']}: Salesbot for {account.name}")

    def _build_widget(self, account: Account, options: dict[str, Any]) -> None:
        last = account.widget_version
        with self._told_when_wrong(options["output"]):
            built = widget_of(
                account,
                version=options["version"],
                support_link=options["support_link"],
                support_email=options["support_email"],
                hosts=options["hosts"],
            )
            Path(options["output"]).write_bytes(built.content)
        if not built.is_newest:
            warning = f"warning: {built.version} does not come after {last}, the account's last version"
            self.stderr.write(f"{warning}; Kommo may refuse it. Leave --version out for the next one.")
        self.stdout.write(f"{options['output']}: widget {built.version} for {account.name}, {account.hook_url}")

    @contextmanager
    def _told_when_wrong(self, file: str) -> Iterator[None]:
        try:
            yield
        except CannotBuild as error:
            self._end(str(error))
        except OSError as error:
            self._end(f"{file!a}: can't be written ({error.strerror}).")

    def _end(self, line: str) -> NoReturn:
        self.stderr.write(line)
        sys.exit(1)
