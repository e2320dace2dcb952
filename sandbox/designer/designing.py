"""What an owner does in the designer: upload, install, save, import. Each is told in the journal.

Source: protocol §4.4, §4.6.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from sandbox.accounts import Account
from sandbox.designer.judging import Refused, judge
from sandbox.designer.packages import Package
from sandbox.designer.salesbots import Exit, Link, SavedStep
from sandbox.designer.shelves import Refusal
from sandbox.salesbot.flows import parse_widget_flow
from sandbox.standin import StandIn


class NotNow(ValueError):
    """Something else has to be done first; the text says what."""


async def upload(standin: StandIn, account: Account, blob: bytes) -> Package:
    """Take a zip as the account's newest widget; what runs already stays as it is.

    Raises:
        Refused: Kommo does not take it.
    """
    shelf, name = account.shelf, account.config.subdomain
    newest = shelf.package.version if shelf.package else ""
    try:
        package = await asyncio.to_thread(judge, blob, newer_than=newest)
    except Refused as error:
        shelf.refusal = Refusal(error.answer, error.broken)
        standin.journal.note("widget_refused", account=name, answer=error.answer, broken=list(error.broken))
        raise
    shelf.package, shelf.refusal = package, None
    if shelf.status == "installed" and package.has_settings and _missing(package, shelf.settings):
        shelf.status = "not_configured"
    standin.journal.note("widget_uploaded", account=name, version=package.version, bytes=len(blob))
    return package


def install(standin: StandIn, account: Account, settings: Mapping[str, str] | None) -> None:
    """Install the widget, or save its settings window; only the latter lets the designer offer its step.

    Raises:
        NotNow: nothing was uploaded, or a required setting is empty.
    """
    shelf, package = account.shelf, _uploaded(account)
    if settings is None and package.has_settings:
        shelf.status = "installed" if shelf.status == "installed" else "not_configured"
    else:
        kept = {field.code: (settings or {}).get(field.code, "") for field in package.settings}
        if missing := _missing(package, kept):
            raise NotNow(f"settings: {', '.join(missing)} must not stay empty")
        shelf.settings, shelf.status = kept, "installed"
    _note_installed(standin, account, package)


def remove(standin: StandIn, account: Account) -> None:
    """Switch the widget off: its step is offered no longer, a saved Salesbot keeps its frozen flow.

    Raises:
        NotNow: nothing was uploaded.
    """
    package = _uploaded(account)
    account.shelf.status = "install"
    standin.journal.note("widget_removed", account=account.config.subdomain, version=package.version)


def save(standin: StandIn, account: Account, asked: Mapping[str, Any]) -> SavedStep:
    """Save the Salesbot with its Widget step; from now on the account's new runs follow it.

    Args:
        standin: the sandbox.
        account: whose Salesbot it is.
        asked: `handler`, `params`, `source`, `exits`, `links` and `greeting`, of the types that `SavedStep` has.

    Raises:
        NotNow: the widget's step is not offered.
        FlowError: what the script gave cannot be run.
    """
    shelf, package = account.shelf, _uploaded(account)
    if not shelf.is_offered or package.step(asked["handler"]) is None:
        raise NotNow("handler: the designer does not offer this step; install the widget and save its settings once")
    step = SavedStep(
        version=package.version,
        handler=asked["handler"],
        params=asked["params"],
        source=asked["source"],
        flow=parse_widget_flow(asked["source"], place="source"),
        exits=tuple(Exit(**one) for one in asked["exits"]),
        links={code: Link(**link) for code, link in asked["links"].items()},
        greeting=asked["greeting"],
        saved_at=standin.clock.now(),
    )
    shelf.keep_step(step)
    standin.run_designed(account)
    facts = {"version": step.version, "handler": step.handler, "exits": [one.code for one in step.exits]}
    standin.journal.note("salesbot_saved", account=account.config.subdomain, **facts, source=step.source)
    return step


def import_salesbot(standin: StandIn, account: Account, salesbot: object) -> None:
    """Make a Salesbot from a designer's export the account's. Source: protocol §3.3.

    Raises:
        FlowError: it cannot be run here.
    """
    account.shelf.keep_import(salesbot)
    standin.run_designed(account)
    runs = account.shelf.running is not None
    standin.journal.note("salesbot_imported", account=account.config.subdomain, runs=runs)


def discard(standin: StandIn, account: Account) -> None:
    """Give the account the Salesbot of its config back."""
    account.shelf.discard()
    standin.run_designed(account)
    standin.journal.note("salesbot_discarded", account=account.config.subdomain)


def _uploaded(account: Account) -> Package:
    if account.shelf.package is None:
        raise NotNow("widget: nothing was uploaded yet")
    return account.shelf.package


def _missing(package: Package, settings: Mapping[str, str]) -> list[str]:
    return [field.code for field in package.settings if field.required and not settings.get(field.code, "").strip()]


def _note_installed(standin: StandIn, account: Account, package: Package) -> None:
    """Values are left out: a setting may be a password."""
    facts = {"version": package.version, "status": account.shelf.status, "settings": list(account.shelf.settings)}
    standin.journal.note("widget_installed", account=account.config.subdomain, **facts)
