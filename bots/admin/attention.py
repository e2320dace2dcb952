"""What stands between an account and its answers, each in one sentence with its remedy and where to act."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import F, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from bots.account_widgets import has_changed_since_built
from bots.admin.explained import REFUSALS
from bots.admin.scoped import page_of
from bots.admin.secrets import is_secret_set
from bots.models import Account, Bot, Exchange, Membership, ModelChoice
from bots.models.accounts import SHORT_KEY
from bots.widget import CannotBuild, is_older, is_version
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
    requests = Exchange.objects.filter(account=OuterRef("pk")).order_by("-received_at")
    latest = requests.values(found=JSONObject(version=F("widget_version"), salesbot=F("salesbot_id")))[:1]
    return accounts.annotate(latest_request=Subquery(latest)).prefetch_related(
        "hook_keys",
        Prefetch("memberships", queryset=Membership.objects.select_related("user")),
        Prefetch("bots", queryset=default_bots.prefetch_related(Prefetch("model_choices", queryset=choices))),
    )


def findings(account: Account) -> list[Finding]:
    """Tell what to know about one account, the worst first.

    Args:
        account: fetched through `with_what_matters`.
    """
    found = [*_connection(account), *_answers(account), *_widget(account), *_notes(account)]
    return sorted(found, key=lambda finding: ("bad", "warning", "note").index(finding.level))


def version_in_use(account: Account) -> Iterator[str]:
    """Tell with which widget version the last request came; nothing when none came yet.

    Args:
        account: fetched through `with_what_matters`.
    """
    latest = _latest_request(account)
    if latest is None:
        return
    if latest["version"]:
        yield _("The last request came with version %(version)s, from Salesbot %(salesbot)s.") % latest
    else:
        yield _("The last request came without a version, from Salesbot %(salesbot)s.") % latest


def _connection(account: Account) -> Iterator[Finding]:
    page = page_of(account)
    if refusal := REFUSALS.get(account.refused_code):
        yield Finding(level="bad", text=str(refusal), link=page, at=account.refused_at)
    if account.trouble:
        yield Finding(level="bad", text=account.trouble, link=page, at=account.trouble_at)
    if not account.client_id:
        text = _("The integration id is missing: every request from Kommo is refused. Enter it.")
        yield Finding(level="bad", text=text, link=page)
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


def _widget(account: Account) -> Iterator[Finding]:
    built = list(_built_widget(account))
    yield from built
    if not any(finding.level == "warning" for finding in built):  # else the newest one must not be uploaded
        yield from _running_widget(account)


def _running_widget(account: Account) -> Iterator[Finding]:
    """Tell of a Salesbot with an old widget: Kommo keeps it as it was when the Salesbot was saved (protocol §4.4)."""
    page, latest = page_of(account), _latest_request(account)
    if latest and not latest["version"]:
        text = _(
            "Requests come without a widget version, from a flow of your own: nobody can tell whether it's up to date. "
            "Let it send its version as widget, or use the account's own widget."
        )
        yield Finding(level="note", text=text, link=page)
    elif latest and account.widget_version and _is_older(latest["version"], than=account.widget_version):
        text = _(
            "The Salesbot %(salesbot)s still runs widget %(version)s; %(newest)s is the newest: upload it, then open "
            "each Salesbot with the Widget step, change something in the step and save it."
        )
        yield Finding(level="warning", text=text % {**latest, "newest": account.widget_version}, link=page)


def _built_widget(account: Account) -> Iterator[Finding]:
    """Tell of a zip that would hold something else today."""
    try:
        if not has_changed_since_built(account):
            return
    except CannotBuild:
        return  # the download tells why
    if _has_new_address(account):
        level: Level = "warning"
        text = _(
            "The address for Kommo changed after widget %s was built: download the widget again and upload it, then "
            "open each Salesbot with the Widget step, change something in the step and save it."
        )
    else:
        level = "note"
        text = _(
            "The widget holds something else today than when %s was built: the account's name, whom to ask, the "
            "bridge's address or a new release. Download the widget again and upload it."
        )
    yield Finding(level=level, text=text % account.widget_version, link=page_of(account))


def _latest_request(account: Account) -> dict[str, str] | None:
    latest: dict[str, str] | None = getattr(account, "latest_request", None)
    return latest


def _is_older(version: str, *, than: str) -> bool:
    """Compare with what a request says of itself, which may be anything."""
    return is_version(version) and is_older(version, than=than)


def _has_new_address(account: Account) -> bool:
    current = next((key for key in account.hook_keys.all() if key.is_current), None)
    built_at = account.widget_built_at
    return current is not None and built_at is not None and current.created_at > built_at


def _notes(account: Account) -> Iterator[Finding]:
    page = page_of(account)
    if not account.enabled:
        text = _("The account is switched off: its Salesbots go on at once, without a message.")
        yield Finding(level="warning", text=text, link=page)
    if len(account.key) < SHORT_KEY:
        text = _("The hook key in the address is short and might be guessed. Make a new one.")
        yield Finding(level="note", text=text, link=page)
