"""What the setup guide knows of an account: gathered from its rows in a fixed number of queries."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from bots.admin.secrets import is_secret_set
from bots.guide_facts import Facts, Remark, Seen
from bots.kommo import is_extra_origin
from bots.models import Account, Bot, Exchange, Provider
from bots.states import OPEN, Outcome, State
from bots.token_hints import NO_HINTS, TokenHints, read_token
from kommobridge.base.keyring import SecretUnreadable
from llm import VENDORS

OWN_WORDS = (Outcome.SUCCESS, Outcome.HANDOFF)
IN_WORDS = Q(state=State.DELIVERED.value, outcome__in=[outcome.value for outcome in OWN_WORDS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The facts, and the rows that a page shows beside them.

    Args:
        facts: what the steps are decided by.
        bot: the default bot.
        first: the oldest request.
        last: the newest request.
        answered: the oldest request whose answer of the bot's own was delivered.
    """

    facts: Facts
    bot: Bot | None
    first: Exchange | None
    last: Exchange | None
    answered: Exchange | None


def with_first_reply(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """Mark each account with `has_replied`: whether an answer of a bot's own ever reached Kommo."""
    return accounts.annotate(has_replied=Exists(Exchange.objects.filter(IN_WORDS, account=OuterRef("pk"))))


def known_of(account: Account) -> Known:
    """Gather everything.

    Args:
        account: fetched through `bots.admin.attention.with_what_matters`.
    """
    bot = next((bot for bot in account.bots.all() if bot.is_default), None)
    rows = account.exchanges.only("received_at", "widget_version", "state", "outcome", "reason_text")
    first, last = rows.order_by("received_at", "pk").first(), rows.order_by("-received_at", "-pk").first()
    answered = rows.filter(IN_WORDS).order_by("received_at", "pk").first() if last else None
    token, is_readable = _token(account)
    facts = Facts(
        created_at=account.created_at,
        is_on=account.enabled,
        kommo_id=account.kommo_id,
        has_client_id=bool(account.client_id),
        has_secret=is_secret_set(account, "client_secret"),
        has_token=is_secret_set(account, "access_token"),
        is_readable=is_readable,
        token=token,
        has_bot=bot is not None,
        is_bot_on=bot is not None and bot.enabled,
        has_model=bool(_providers(bot)),
        has_key=any(_can_be_asked(provider) for provider in _providers(bot)),
        widget_version=account.widget_version,
        widget_built_at=account.widget_built_at,
        ticks=frozenset(account.guide_ticks),
        can_be_reached=is_public(settings.PUBLIC_URL) or is_extra_origin(account.origin, settings.KOMMO_EXTRA_ORIGINS),
        refused_at=account.refused_at,
        first_request=_seen(first),
        last_request=_seen(last),
        first_reply=_seen(answered),
    )
    return Known(facts=facts, bot=bot, first=first, last=last, answered=answered)


def is_public(address: str) -> bool:
    """Say whether an address may be known outside this machine and its network; a name is taken at its word."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return not (host in ("", "localhost") or host.endswith((".localhost", ".local", ".internal")))


def ending_of(exchange: Exchange) -> Remark | None:
    """Say what became of a request; None when the bot's own answer was delivered."""
    if exchange.state in OPEN:
        return Remark.ANSWERING
    if exchange.state != State.DELIVERED:
        return Remark.NOT_DELIVERED
    return {Outcome.FAIL.value: Remark.FALLBACK, Outcome.SILENT.value: Remark.NO_WORDS}.get(exchange.outcome)


def _seen(exchange: Exchange | None) -> Seen | None:
    if exchange is None:
        return None
    return Seen(at=exchange.received_at, widget_version=exchange.widget_version, ending=ending_of(exchange))


def _token(account: Account) -> tuple[TokenHints, bool]:
    """Read the token's hints, and say whether the account's secrets can be opened at all."""
    try:
        opened = (account.client_secret, account.access_token)
    except SecretUnreadable:
        return NO_HINTS, False
    return read_token(opened[1]), True


def _providers(bot: Bot | None) -> list[Provider]:
    """Give the providers in use that a bot asks; the choices were fetched without archived ones."""
    return [choice.provider for choice in bot.model_choices.all()] if bot else []


def _can_be_asked(provider: Provider) -> bool:
    vendor = VENDORS.get(provider.provider)
    return vendor is not None and (not vendor.needs_key or is_secret_set(provider, "api_key"))
