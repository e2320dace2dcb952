"""The start page: what needs attention, and what happened in the last day, per account."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max
from django.http import HttpRequest
from django.utils import timezone

from bots import pacing
from bots.admin.attention import Finding, findings, with_what_matters
from bots.admin.explained import OUTCOMES, STATES, Tone
from bots.admin.guide_facts import with_first_reply
from bots.admin.guide_return import guide_of
from bots.admin.scoped import list_of, page_of, the_user
from bots.models import Account, Exchange
from bots.scoping import visible_to
from bots.states import Outcome, State

DAY = timedelta(hours=24)
ACCOUNTS_AT_MOST = 30
UNDELIVERED = (State.GONE, State.REJECTED, State.UNKNOWN, State.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with its name, its tone and the rows behind it."""

    name: str
    amount: int
    tone: Tone
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One account on the start page; `guide` leads to its setup guide until an answer was delivered."""

    account: Account
    link: str
    guide: str
    findings: tuple[Finding, ...]
    figures: tuple[Figure, ...]
    last_message_at: datetime | None


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the start page's context what its user may see."""
    mine = visible_to(Account.objects.all(), the_user(request))
    accounts = list(
        with_what_matters(
            with_first_reply(mine).annotate(last=Max("conversations__last_message_at")).order_by("name", "pk")
        )[:ACCOUNTS_AT_MOST]
    )
    counts = counted(accounts, since=timezone.now() - DAY)
    cards = [_card(account, counts.get(account.pk, Counter())) for account in accounts]
    context |= {"calls_held_until": pacing.held_until(timezone.now())}
    return context | {"cards": cards, "more_accounts": list_of(Account) if len(accounts) == ACCOUNTS_AT_MOST else ""}


def counted(accounts: Iterable[Account], *, since: datetime) -> Mapping[int, Counter[str]]:
    """Count exchanges by account, and in it by state and by outcome."""
    rows = Exchange.objects.filter(account__in=list(accounts), received_at__gte=since).order_by()
    found: dict[int, Counter[str]] = {}
    for row in rows.values("account", "state", "outcome").annotate(amount=Count("pk")):
        counter = found.setdefault(row["account"], Counter())
        counter["all"] += row["amount"]
        counter[f"state {row['state']}"] += row["amount"]
        counter[f"outcome {row['outcome']}"] += row["amount"]
    return found


def _card(account: Account, counts: Counter[str]) -> Card:
    return Card(
        account=account,
        link=page_of(account),
        guide="" if getattr(account, "has_replied", False) else guide_of(account),
        findings=tuple(finding for finding in findings(account) if finding.level != "note"),
        figures=tuple(_figures(account, counts)),
        last_message_at=getattr(account, "last", None),
    )


def _figures(account: Account, counts: Counter[str]) -> Iterable[Figure]:
    for outcome in Outcome:
        words, amount = OUTCOMES[outcome], counts[f"outcome {outcome.value}"]
        yield Figure(
            name=str(words.name),
            amount=amount,
            tone=words.tone,
            link=list_of(Exchange, account=account.pk, outcome=outcome.value),
        )
    for state in UNDELIVERED:
        if amount := counts[f"state {state.value}"]:
            words = STATES[state]
            yield Figure(
                name=str(words.name),
                amount=amount,
                tone=words.tone,
                link=list_of(Exchange, account=account.pk, state=state.value),
            )
