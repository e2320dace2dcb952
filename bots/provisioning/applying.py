"""Applying a document: its accounts one after the other, each with members, providers and bots."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from bots.models import Account, Bot, Membership, ModelChoice, Provider, User
from bots.provisioning.accounts import AccountEntry, account_entry
from bots.provisioning.document import WHOLE, WrongDocument, shown
from bots.provisioning.rows import Fate, Row, together
from bots.provisioning.serializers import parse_document
from kommobridge.base.faults import Fault

Noun = Literal["accounts", "members", "providers", "bots"]
NOUNS: tuple[Noun, ...] = ("accounts", "members", "providers", "bots")

Entry = Mapping[str, Any]
"""One object of the document, checked by `bots.provisioning.serializers`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedAccount:
    """An account as it stands afterwards: what its owner needs to connect Kommo."""

    name: str
    hook_url: str
    key_was_made: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was done.

    Args:
        accounts: in the document's order.
        counts: rows by (noun, fate), such as ("bots", "created"); absent when none.
        warnings: one line each, without secrets.
    """

    accounts: tuple[ProvisionedAccount, ...]
    counts: Mapping[tuple[Noun, Fate], int]
    warnings: tuple[str, ...]

    def told(self, fate: Fate) -> str:
        """Give the counts of one fate in words: "accounts 1, bots 2", or "nothing"."""
        found = [f"{noun} {count}" for noun in NOUNS if (count := self.counts.get((noun, fate), 0))]
        return ", ".join(found) or "nothing"


def provision(document: object, *, is_demo: bool = False, now: datetime | None = None) -> Summary:
    """Apply a document in one transaction.

    Args:
        document: as JSON gives it: `{"accounts": [{"key": …, "members": […], "providers": […], "bots": […]}]}`.
        is_demo: marks the accounts and users that it creates as the demo's; existing ones stay what they are.
        now: aware time from which grace times count; the present when left out.

    Raises:
        WrongDocument: what is wrong and where; nothing was changed.
    """
    entries = parse_document(document)
    run = _Run(is_demo=is_demo, now=now or timezone.now())
    try:
        with transaction.atomic(durable=True):
            for position, entry in enumerate(entries):
                run.apply(entry, f"accounts[{position}]")
    except IntegrityError:
        rule = "could not be applied, because the same rows were changed at the same moment"
        raise WrongDocument([Fault(WHOLE, rule, "Try again.")]) from None
    return Summary(accounts=tuple(run.done), counts=dict(run.counts), warnings=tuple(run.warnings))


@dataclass(slots=True, kw_only=True)
class _Run:
    """One application of a document: walks its entries and remembers what became of them."""

    is_demo: bool
    now: datetime
    places: dict[int, str] = field(default_factory=dict)
    done: list[ProvisionedAccount] = field(default_factory=list)
    counts: Counter[tuple[Noun, Fate]] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)

    def apply(self, entry: Entry, place: str) -> None:
        """Apply one account with everything in it."""
        lists = {noun: entry.get(noun, ()) for noun in NOUNS}
        own = {name: value for name, value in entry.items() if name not in NOUNS}
        account = self._account(account_entry(own, place, is_demo=self.is_demo, now=self.now))
        for position, member in enumerate(lists["members"]):
            self._member(account, member, f"{place}.members[{position}]")
        for position, provider in enumerate(lists["providers"]):
            self._provider(account, provider, f"{place}.providers[{position}]")
        for position, bot in enumerate(lists["bots"]):
            self._bot(account, bot, f"{place}.bots[{position}]")
        _settle_default(account, lists["bots"])

    def _account(self, entry: AccountEntry) -> Account:
        account = entry.account
        if account.pk in self.places:
            rule = f"names the same account as {self.places[account.pk]}"
            raise WrongDocument([entry.row.fault("", rule, "Join the two.")])
        self.counts["accounts", entry.apply()] += 1
        self.places[account.pk] = entry.row.place
        self.warnings += entry.warnings
        key_was_made = entry.row.is_new and entry.key is None
        self.done.append(ProvisionedAccount(name=account.name, hook_url=account.hook_url, key_was_made=key_was_made))
        return account

    def _member(self, account: Account, entry: Entry, place: str) -> None:
        user = User.objects.filter(email=entry["email"]).first() or self._new_user(entry, place)
        person = Row(user, place)
        person.assign({"name": entry["name"]} if "name" in entry else {})
        person_fate = person.save()
        found = Membership.objects.filter(account=account, user=user).first()
        membership = Row(found or Membership(account=account, user=user), place)
        membership.assign({"role": entry["role"]} if "role" in entry else {})
        self.counts["members", together(membership.save(), person_fate != "unchanged")] += 1

    def _new_user(self, entry: Entry, place: str) -> User:
        """Make a user; without a password nobody can log in as them."""
        user = User(email=entry["email"], is_demo=self.is_demo)
        password = entry.get("password")
        user.set_password(password)
        if password:
            try:
                validate_password(password, user)
            except ValidationError as error:
                self.warnings.append(f"{place}.password: is weak. {' '.join(error.messages)}")
        return user

    def _provider(self, account: Account, entry: Entry, place: str) -> None:
        found = account.providers.filter(name=entry["name"]).first()
        row = Row(found or Provider(account=account), place)
        row.assign({**entry, "archived_at": None})
        self.counts["providers", row.save()] += 1

    def _bot(self, account: Account, entry: Entry, place: str) -> None:
        values = {**entry, "archived_at": None}
        choices = values.pop("models", None)
        found = account.bots.filter(slug=entry["slug"]).first()
        row = Row(found or Bot(account=account, name=entry["slug"]), place)
        if entry.get("is_default"):
            account.bots.filter(is_default=True).exclude(pk=row.instance.pk).update(is_default=False)
        row.assign(values)
        fate = row.save()
        models_changed = choices is not None and _set_models(row.instance, choices, place)
        self.counts["bots", together(fate, models_changed)] += 1


def _settle_default(account: Account, bots: Sequence[Entry]) -> None:
    """Make the first bot listed the default of an account that has none."""
    if bots and not account.bots.filter(is_default=True).exists():
        account.bots.filter(slug=bots[0]["slug"]).update(is_default=True)


def _set_models(bot: Bot, entries: Sequence[Entry], place: str) -> bool:
    """Replace a bot's ordered list of models where it differs, and say whether it did."""
    rows = [
        _model_choice(bot, entry, place=f"{place}.models[{position}]", position=position)
        for position, entry in enumerate(entries)
    ]
    if [_facts(choice) for choice in bot.model_choices.all()] == [_facts(row.instance) for row in rows]:
        return False
    bot.model_choices.all().delete()
    for row in rows:
        row.save()
    return True


def _model_choice(bot: Bot, entry: Entry, *, place: str, position: int) -> Row[ModelChoice]:
    row = Row(ModelChoice(account=bot.account, bot=bot, position=position), place)
    providers = {provider.name: provider for provider in bot.account.providers.filter(archived_at__isnull=True)}
    if entry["provider"] not in providers:
        rule = f"must name a provider of this account, and {shown(entry['provider'])} is none"
        remedy = f"Known: {', '.join(providers)}." if providers else "List one under providers."
        raise WrongDocument([row.fault("provider", rule, remedy)])
    row.assign({**entry, "provider": providers[entry["provider"]]})
    return row


def _facts(choice: ModelChoice) -> tuple[object, ...]:
    return choice.provider_id, choice.model, choice.input_price, choice.output_price
