"""What stands between an account and its answers, each in one sentence with its remedy and where to act."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from bots.admin.scoped import page_of
from bots.admin.secrets import is_secret_set
from bots.models import Account, Bot, ModelChoice
from bots.models.accounts import SHORT_KEY
from llm import VENDORS

Level = Literal["bad", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know about an account.

    Args:
        level: bad when customers get no answers because of it.
        text: what is wrong and what to do.
        link: the page where to do it.
        at: since when, where that is known.
    """

    level: Level
    text: str
    link: str
    at: datetime | None = None


def with_what_matters(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """Fetch with accounts what `findings` looks at, in a fixed number of queries."""
    choices = ModelChoice.objects.select_related("provider").filter(provider__archived_at__isnull=True)
    default_bots = Bot.objects.filter(is_default=True).defer("prompt", "knowledge")
    return accounts.prefetch_related(
        "hook_keys",
        Prefetch("bots", queryset=default_bots.prefetch_related(Prefetch("model_choices", queryset=choices))),
    )


def findings(account: Account) -> list[Finding]:
    """Tell what to know about one account, the worst first.

    Args:
        account: fetched through `with_what_matters`.
    """
    found = [*_connection(account), *_answers(account), *_notes(account)]
    return sorted(found, key=lambda finding: ("bad", "warning", "note").index(finding.level))


def _connection(account: Account) -> Iterator[Finding]:
    page = page_of(account)
    if account.trouble:
        yield Finding(level="bad", text=account.trouble, link=page, at=account.trouble_at)
    if not is_secret_set(account, "client_secret"):
        text = _("The integration's secret key is missing: every request from Kommo is refused. Enter it.")
        yield Finding(level="bad", text=text, link=page)
    if not is_secret_set(account, "access_token"):
        text = _("The long-lived token is missing: replies can't be sent to Kommo. Enter it.")
        yield Finding(level="bad", text=text, link=page)


def _answers(account: Account) -> Iterator[Finding]:
    bot = next((bot for bot in account.bots.all() if bot.is_default), None)
    if bot is None:
        yield Finding(
            level="bad",
            text=_(
                "There is no default bot: customers get the fallback sentence. Create a bot and mark it as default."
            ),
            link=page_of(account),
        )
        return
    choices = list(bot.model_choices.all())
    if not choices:
        text = _("The bot %s has no model: customers get its fallback text. Choose a model.") % bot
        yield Finding(level="bad", text=text, link=page_of(bot))
    for choice in choices:
        vendor = VENDORS.get(choice.provider.provider)
        if vendor and vendor.needs_key and not is_secret_set(choice.provider, "api_key"):
            text = _("The provider %s has no API key: its models are never asked. Enter the key.") % choice.provider
            yield Finding(level="warning", text=text, link=page_of(choice.provider))
    if not bot.enabled:
        text = _("The default bot %s is switched off: its Salesbots go on without a message.") % bot
        yield Finding(level="warning", text=text, link=page_of(bot))


def _notes(account: Account) -> Iterator[Finding]:
    page = page_of(account)
    if not account.enabled:
        text = _("The account is switched off: its Salesbots go on at once, without a message.")
        yield Finding(level="warning", text=text, link=page)
    if len(account.key) < SHORT_KEY:
        text = _("The hook key in the address is short and might be guessed. Make a new one.")
        yield Finding(level="note", text=text, link=page)
