"""The account's own part of an entry: which account it names, its secrets and their grace time, its hook keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError

from bots.models import Account, HookKey
from bots.models.accounts import GRACE, SHORT_KEY
from bots.provisioning.document import WrongDocument
from bots.provisioning.rows import Fate, Row, readable, together
from kommobridge.base.keyring import SecretUnreadable

OURS = ("key", "previous_key", "previous_key_until")


@dataclass(slots=True, kw_only=True)
class AccountEntry:
    """One account of the document.

    Args:
        row: the account that it names, or a new one.
        values: fields of the account's row by name; changed while it is applied.
        key: the current hook key; None when the document doesn't say.
        previous_key: the one before it; "" takes it away.
        previous_key_until: aware.
        now: aware time from which grace times count.
        warnings: what the operator should know.
    """

    row: Row[Account]
    values: dict[str, Any]
    key: str | None
    previous_key: str | None
    previous_key_until: datetime | None
    now: datetime
    warnings: list[str]

    @property
    def account(self) -> Account:
        """The account."""
        return self.row.instance

    def apply(self) -> Fate:
        """Bring the account's row and its hook keys up to date.

        Raises:
            WrongDocument: with the place of the fault.
        """
        if self.row.is_new:
            self.values.setdefault("name", self.values.get("subdomain", ""))
        elif "origin" not in self.values and self.account.origin == f"https://{self.account.subdomain}.kommo.com":
            self.values["origin"] = ""  # the usual one follows the subdomain
        self._client_secret()
        self._previous_client_secret()
        self.row.assign(self.values)
        fate = self.row.save()
        self._warn_of_short_key()
        try:
            current_changed = self._current_key()
            return together(fate, self._previous_key(), current_changed)
        except ValidationError as error:
            raise WrongDocument(self.row.faults(error)) from None

    def _client_secret(self) -> None:
        """Make a new client secret the current one; the old one is honoured for a while."""
        if self.row.is_new or "client_secret" not in self.values:
            return
        secret = self.values.pop("client_secret")
        try:
            self.account.set_client_secret(secret, now=self.now)
        except SecretUnreadable:
            self.account.client_secret = secret
            self._warn("client_secret", "replaces one that can't be decrypted, which is not honoured any more.")

    def _previous_client_secret(self) -> None:
        """See to it that a previous client secret has an end, and an end a previous secret."""
        end = "previous_client_secret_until"
        held = readable(self.account, "previous_client_secret")
        match self.values.get("previous_client_secret"):
            case "":
                self.values[end] = None
            case str(given) if given != held or self.account.previous_client_secret_until is None:
                self.values.setdefault(end, self.now + GRACE)
            case None if held == "" and end in self.values:
                raise WrongDocument(
                    [self.row.fault(end, "needs a previous secret", "Give previous_client_secret too.")]
                )

    def _current_key(self) -> bool:
        if self.key is None or self.key == self.account.key:
            return False
        if self.row.is_new:
            self.account.hook_keys.update(value=self.key)
            return True
        if self.previous_key is None:  # found by its previous key: what was changed since then is not undone
            self._warn("key", "is the account's previous key; its current one stays.")
            return False
        self.account.set_key(self.key, now=self.now)
        return True

    def _previous_key(self) -> bool:
        held = self.account.hook_keys.filter(expires_at__isnull=False).first()
        if self.previous_key == "":
            return bool(held and held.delete())
        if self.previous_key is None or (held and held.value == self.previous_key):
            return self._previous_key_end(held)
        if HookKey.objects.filter(value=self.previous_key).exists():
            raise WrongDocument([self.row.fault("previous_key", "is in use", "Give another, or leave it out.")])
        if held:
            held.delete()
        until = self.previous_key_until or self.now + GRACE
        HookKey.objects.create(account=self.account, value=self.previous_key, expires_at=until)
        return True

    def _previous_key_end(self, held: HookKey | None) -> bool:
        until = self.previous_key_until
        if until is None or (held and held.expires_at == until):
            return False
        if held is None:
            raise WrongDocument(
                [self.row.fault("previous_key_until", "needs a previous key", "Give previous_key too.")]
            )
        held.expires_at = until
        held.save(update_fields=["expires_at"])
        return True

    def _warn_of_short_key(self) -> None:
        if self.key is not None and len(self.key) < SHORT_KEY:
            self._warn("key", f"is short and might be guessed. Use at least {SHORT_KEY} characters.")

    def _warn(self, name: str, text: str) -> None:
        self.warnings.append(f"{self.row.place}.{name}: {text}")


def account_entry(entry: Mapping[str, Any], place: str, *, is_demo: bool, now: datetime) -> AccountEntry:
    """Find the account that an entry names, by its keys or else by its ids at Kommo, or make a new one.

    Args:
        entry: checked by `bots.provisioning.serializers`, without the lists of what belongs to the account.
        place: such as `accounts[0]`.
        is_demo: marks a new account.
        now: aware.
    """
    values = {name: value for name, value in entry.items() if name not in OURS}
    return AccountEntry(
        row=Row(_found(entry) or Account(is_demo=is_demo), place),
        values=values,
        key=entry.get("key"),
        previous_key=entry.get("previous_key"),
        previous_key_until=entry.get("previous_key_until"),
        now=now,
        warnings=[],
    )


def _found(entry: Mapping[str, Any]) -> Account | None:
    for value in filter(None, (entry.get("key"), entry.get("previous_key"))):
        known = HookKey.objects.select_related("account").filter(value=value).first()
        if known:
            return known.account
    if "key" in entry or not {"kommo_id", "client_id"} <= entry.keys():
        return None
    return Account.objects.filter(kommo_id=entry["kommo_id"], client_id=entry["client_id"]).first()
