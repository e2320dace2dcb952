"""An account's access to an LLM vendor."""

import uuid
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bots.models.accounts import Account
from bots.models.scoped import AccountScoped
from kommobridge.base.fields import EncryptedField
from kommobridge.base.guard import AddressForbidden, check_base_url
from llm import VENDORS


def vendor_choices() -> list[tuple[str, str]]:
    """Give the vendors that a provider may be of, with their names."""
    return [(name, vendor.label) for name, vendor in VENDORS.items()]


class Provider(AccountScoped):
    """Vendor, key and base address under a name of the account's own."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="providers", verbose_name=_("account"))
    name = models.SlugField(_("name"), max_length=60, help_text=_("Your own name for it, such as main."))
    provider = models.CharField(_("vendor"), max_length=40)
    api_key = EncryptedField(_("API key"), blank=True)
    api_base = models.CharField(
        _("base address"),
        max_length=500,
        blank=True,
        help_text=_("Only for a server of your own; includes /v1 where the vendor's does. Empty: the vendor's."),
    )
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ["account", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name"],
                name="provider_name_per_account",
                violation_error_message=_("This account already has a provider of this name."),
            ),
            # what a composite foreign key points at, where the database knows them
            models.UniqueConstraint(fields=["id", "account"], name="provider_of_account"),
        ]

    def __str__(self) -> str:
        return self.name

    def secret_binding(self, field_name: str) -> str:
        """Name what a secret of this row is bound to: its account, itself and the field."""
        return f"account:{self.account.uuid}:provider:{self.uuid}:{field_name}"

    def archive(self, now: datetime) -> None:
        """Take it out of use; what it did stays readable."""
        self.archived_at = now
        self.save(update_fields=["archived_at"])

    def clean(self) -> None:
        """Check vendor and base address."""
        super().clean()
        if self.provider not in VENDORS:
            raise ValidationError({"provider": _("must be one of %s.") % ", ".join(VENDORS)})
        if not self.api_base:
            return
        try:
            self.api_base = check_base_url(self.api_base, allow_private=settings.LLM_ALLOW_PRIVATE_HOSTS)
        except AddressForbidden as error:
            raise ValidationError({"api_base": f"{error.fault.rule}. {error.fault.remedy}"}) from error
