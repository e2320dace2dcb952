"""One row that a document names: its values assigned, checked by the model's own rules, and saved where they differ."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Generic, Literal, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from bots.models import Account, Bot, Provider
from bots.provisioning.document import WrongDocument, rule_of
from kommobridge.base.faults import Fault
from kommobridge.base.fields import encrypted_fields
from kommobridge.base.keyring import SecretUnreadable

M = TypeVar("M", bound=models.Model)
Fate = Literal["created", "updated", "unchanged"]

NEEDED_WHEN_NEW: Mapping[type[models.Model], tuple[str, ...]] = {
    Account: ("subdomain", "kommo_id", "client_id", "client_secret"),
    Provider: ("provider",),
    Bot: ("prompt",),
}
REMEDIES: Mapping[type[models.Model], str] = {
    Account: "An account that exists is named by its key, or by kommo_id and client_id."
}


class Row(Generic[M]):
    """A row, new or as it was found, and its place in the document.

    Args:
        instance: unsaved, or freshly loaded and not yet changed.
        place: such as `accounts[0].bots[1]`.
    """

    def __init__(self, instance: M, place: str) -> None:
        self.instance = instance
        self.place = place
        self.is_new = instance._state.adding
        self._before = self._held()

    def assign(self, values: Mapping[str, Any]) -> None:
        """Set fields by name; a secret that is already stored stays as it is sealed.

        Raises:
            WrongDocument: a new row lacks a field that it can't do without.
        """
        needed = NEEDED_WHEN_NEW.get(type(self.instance), ()) if self.is_new else ()
        if missing := [name for name in needed if name not in values]:
            rule = f"must be given for a new {self.instance._meta.model_name}"
            faults = [self.fault(name, rule) for name in missing]
            raise WrongDocument([*faults[:-1], replace(faults[-1], remedy=REMEDIES.get(type(self.instance), ""))])
        for name, value in values.items():
            if not self._keeps_secret(name, value):
                setattr(self.instance, name, value)

    def save(self) -> Fate:
        """Check the row whole and write what differs.

        Raises:
            WrongDocument: it breaks a rule of the model.
        """
        try:
            self.instance.full_clean(exclude=set(encrypted_fields(type(self.instance))))
        except ValidationError as error:
            raise WrongDocument(self.faults(error)) from None
        if self.is_new:
            self.instance.save()
            return "created"
        changed = [name for name, value in self._held().items() if value != self._before[name]]
        if not changed:
            return "unchanged"
        self.instance.save(update_fields=changed)
        return "updated"

    def fault(self, name: str, rule: str, remedy: str = "") -> Fault:
        """Tell a fault of one field of this row."""
        return Fault(f"{self.place}.{name}" if name else self.place, rule, remedy)

    def faults(self, error: ValidationError) -> Iterator[Fault]:
        """Turn a model's complaint into faults with their place in the document."""
        for name, errors in getattr(error, "error_dict", {NON_FIELD_ERRORS: [error]}).items():
            for inner in errors:
                yield self.fault("" if name == NON_FIELD_ERRORS else name, rule_of(inner.messages[0], inner.code))

    def _held(self) -> dict[str, object]:
        """Give what the instance holds, secrets sealed; a secret that was assigned equals nothing but itself."""
        fields = self.instance._meta.concrete_fields
        return {field.name: self.instance.__dict__.get(field.attname) for field in fields}

    def _keeps_secret(self, name: str, value: object) -> bool:
        return name in encrypted_fields(type(self.instance)) and value == readable(self.instance, name)


def readable(instance: models.Model, name: str) -> str | None:
    """Give a secret of a row; None when the key ring doesn't open it, so that it can only be replaced."""
    try:
        secret: str = getattr(instance, name)
    except SecretUnreadable:
        return None
    return secret


def together(first: Fate, *others: bool) -> Fate:
    """Give the fate of a row together with what hangs on it.

    Args:
        first: of the row itself.
        others: whether each of the rest changed.
    """
    return "updated" if first == "unchanged" and any(others) else first
