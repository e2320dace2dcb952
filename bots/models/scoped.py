"""The base of every row that belongs to an account."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _


class AccountScoped(models.Model):
    """A row of one account: it says how it reaches its account and which parents must share it."""

    ACCOUNT_PATH: ClassVar[str] = "account"
    """Lookup path from this model to its account."""

    SAME_ACCOUNT: ClassVar[tuple[str, ...]] = ()
    """Foreign keys to other scoped rows that must belong to the same account."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Check the parents, then save."""
        self.check_same_account()
        super().save(*args, **kwargs)

    def owner_account_id(self) -> int | None:
        """Give the primary key of the account that this row belongs to."""
        found: Any = self
        *parents, last = self.ACCOUNT_PATH.split("__")
        for name in parents:
            found = getattr(found, name)
        return getattr(found, f"{last}_id", None)

    def check_same_account(self) -> None:
        """Refuse a parent of another account.

        Raises:
            ValidationError: naming the field.
        """
        mine = self.owner_account_id()
        for name in self.SAME_ACCOUNT:
            parent = getattr(self, name) if getattr(self, f"{name}_id") else None
            if parent is not None and parent.owner_account_id() != mine:
                raise ValidationError({name: _("must belong to the same account. Choose one of this account's own.")})

    def clean(self) -> None:
        """Check the parents before a form saves."""
        super().clean()
        self.check_same_account()
