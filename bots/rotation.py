"""Rotation of the key ring: sealing every stored secret anew with the first of FIELD_KEYS.

Only what another key sealed is written, one row at a time and on the condition that its ciphertext is still the one
that was read. So the program may run meanwhile, a run that was cut off is simply started again, and a secret that
somebody changes at the same moment keeps its new value.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.apps import apps
from django.db import models

from kommobridge.base.fields import EncryptedField, Sealed, encrypted_fields, key_ring
from kommobridge.base.keyring import SecretUnreadable

BATCH_ROWS = 200
TRIES = 3  # a secret that changes between reading and writing is read again

Progress = Callable[[str], None]


@dataclass(slots=True)
class Tally:
    """What a walk over all secrets found and did.

    Args:
        secrets: how many are stored; empty ones don't count.
        due: how many another key than the first has sealed, those not counted that were sealed anew since.
        resealed: how many this walk sealed anew.
        unreadable: places of those that no key opens, such as "account 7, client_secret".
    """

    secrets: int = 0
    due: int = 0
    resealed: int = 0
    unreadable: list[str] = field(default_factory=list)


def reseal_all(progress: Progress) -> Tally:
    """Seal with the first key whatever another key sealed.

    Args:
        progress: called with one line after each batch.

    Returns:
        The tally; what can't be opened is left as it is, and everything else is done.
    """
    return _walk(progress, act=_reseal)


def survey(progress: Progress) -> Tally:
    """Look at every secret and change nothing.

    Args:
        progress: called with one line after each batch.
    """
    return _walk(progress, act=lambda place, tally: None)


@dataclass(frozen=True, slots=True)
class _Place:
    """One secret of one row."""

    row: models.Model
    secret: EncryptedField

    def __str__(self) -> str:
        return f"{self.row._meta.model_name} {self.row.pk}, {self.secret.name}"

    @property
    def binding(self) -> str:
        """What the secret is bound to."""
        return self.secret.binding(self.row)

    def stored(self) -> str:
        """Give the ciphertext that the database holds now; empty when the row is gone."""
        held = type(self.row)._base_manager.filter(pk=self.row.pk).values_list(self.secret.name, flat=True).first()
        return held.text if isinstance(held, Sealed) else ""

    def swap(self, before: str, after: str) -> bool:
        """Write a ciphertext if the one before it still stands there."""
        mine = type(self.row)._base_manager.filter(pk=self.row.pk, **{self.secret.name: Sealed(before)})
        return bool(mine.update(**{self.secret.name: Sealed(after)}))


def _walk(progress: Progress, *, act: Callable[[_Place, Tally], None]) -> Tally:
    tally = Tally()
    for model in apps.get_models():
        secrets = encrypted_fields(model).values()
        for rows, told in _batches(model) if secrets else ():
            for place in [_Place(row, secret) for row in rows for secret in secrets]:
                if _is_due(place, place.secret.sealed_text(place.row), tally):
                    act(place, tally)
            progress(told)
    return tally


def _batches(model: type[models.Model]) -> Iterator[tuple[list[models.Model], str]]:
    """Give the rows in order of their primary key, a batch at a time, and a line that says how far this is."""
    all_rows = model._base_manager.select_related().order_by("pk")  # a binding may name the row's account
    total, seen, last = all_rows.count(), 0, 0
    while rows := list(all_rows.filter(pk__gt=last)[:BATCH_ROWS]):
        seen, last = seen + len(rows), rows[-1].pk
        yield rows, f"{model._meta.verbose_name_plural}: {seen} of {max(total, seen)}"


def _is_due(place: _Place, sealed: str, tally: Tally) -> bool:
    """Count one secret, and say whether another key than the first sealed it."""
    if not sealed:
        return False
    tally.secrets += 1
    try:
        key_ring().open(sealed, binding=place.binding)
        is_due = key_ring().needs_reseal(sealed)
    except SecretUnreadable:
        tally.unreadable.append(str(place))
        return False
    tally.due += is_due
    return is_due


def _reseal(place: _Place, tally: Tally) -> None:
    sealed = place.secret.sealed_text(place.row)
    for _ in range(TRIES):
        plain = key_ring().open(sealed, binding=place.binding)
        if place.swap(sealed, key_ring().seal(plain, binding=place.binding)):
            tally.resealed += 1
            tally.due -= 1
            return
        sealed = place.stored()
        if not _still_due(place, sealed, tally):
            tally.due -= 1
            return


def _still_due(place: _Place, sealed: str, tally: Tally) -> bool:
    """Look again at a secret that was changed, or whose row was deleted, while it was sealed."""
    try:
        return bool(sealed) and key_ring().needs_reseal(sealed)
    except SecretUnreadable:
        tally.unreadable.append(str(place))
        return False
