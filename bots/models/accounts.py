"""The account: a Kommo account that uses us, its hook keys and its members."""

import re
import secrets
import uuid
import zoneinfo
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bots.kommo import BadOrigin, check_origin
from bots.models.scoped import AccountScoped
from kommobridge.base.fields import EncryptedField

KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{8,64}")
SHORT_KEY = 20
GRACE = timedelta(hours=72)  # how long the previous secret and key are honoured unless the owner says otherwise


def new_key() -> str:
    """Make a hook key of 128 random bits; one that begins with a hyphen would be taken for a command's option."""
    return next(key for key in iter(lambda: secrets.token_urlsafe(16), "") if not key.startswith("-"))


def check_time_zone(name: str) -> None:
    """Refuse a time zone that this machine does not know.

    Raises:
        ValidationError: naming an example.
    """
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("is not a time zone such as Europe/Madrid."))


class Account(models.Model):
    """A Kommo account that uses us: the tenant."""

    ACCOUNT_PATH: ClassVar[str] = "pk"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120)
    enabled = models.BooleanField(
        _("switched on"),
        default=True,
        help_text=_("Switched off, its Salesbots go on at once, as silent and without a message."),
    )
    subdomain = models.CharField(
        _("subdomain"),
        max_length=63,
        validators=[RegexValidator(r"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z", _("must be what stands before .kommo.com."))],
        help_text=_("What stands before .kommo.com in the address of your Kommo."),
    )
    kommo_id = models.PositiveBigIntegerField(
        _("Kommo account id"), help_text=_("A number: the id that /api/v4/account answers with.")
    )
    origin = models.CharField(
        _("origin"),
        max_length=255,
        blank=True,
        help_text=_("Where Kommo's API lives. Left empty: https://SUBDOMAIN.kommo.com"),
    )
    client_id = models.CharField(
        _("integration id"), max_length=64, help_text=_("From the integration's Keys and scopes tab.")
    )
    client_secret = EncryptedField(_("secret key"), blank=True)
    previous_client_secret = EncryptedField(_("previous secret key"), blank=True)
    previous_client_secret_until = models.DateTimeField(_("previous secret honoured until"), null=True, blank=True)
    access_token = EncryptedField(_("long-lived token"), blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_time_zone])
    trouble = models.CharField(_("trouble"), max_length=500, blank=True, editable=False)
    trouble_at = models.DateTimeField(_("trouble since"), null=True, blank=True, editable=False)
    refused_at = models.DateTimeField(_("request refused"), null=True, blank=True, editable=False)
    refused_code = models.CharField(max_length=16, blank=True, editable=False)
    widget_version = models.CharField(_("version of the last widget"), max_length=24, blank=True, editable=False)
    widget_digest = models.CharField(max_length=64, blank=True, editable=False)
    widget_built_at = models.DateTimeField(_("widget built"), null=True, blank=True, editable=False)
    guide_ticks = models.JSONField(_("steps ticked by hand"), default=list, blank=True, editable=False)
    is_demo = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kommo_id", "client_id"],
                name="account_kommo_id_and_client",
                violation_error_message=_("This Kommo account is already connected by this integration."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Fill in the origin, and make a hook key for a new account."""
        if not self.origin:
            self.origin = f"https://{self.subdomain}.kommo.com"
        super().save(*args, **kwargs)
        if not self.hook_keys.exists():
            HookKey.objects.create(account=self, value=new_key())

    def owner_account_id(self) -> int | None:
        """Give its own primary key: an account belongs to itself."""
        return self.pk

    def secret_binding(self, field_name: str) -> str:
        """Name what a secret of this row is bound to: this account and the field."""
        return f"account:{self.uuid}:{field_name}"

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The account's time zone, for showing times."""
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def key(self) -> str:
        """The current hook key, "" before the first save."""
        return next((key.value for key in self.hook_keys.all() if key.is_current), "") if self.pk else ""

    @property
    def hook_url(self) -> str:
        """The address that Kommo's Widget step calls."""
        return f"{settings.PUBLIC_URL}/kommo/{self.key}/widget-request/"

    def token_secrets(self, now: datetime) -> list[str]:
        """Give the client secrets that may have signed a token: the current one, then the previous while honoured.

        Raises:
            SecretUnreadable: the key ring does not open one of them.
        """
        honoured = self.previous_client_secret_until is not None and now < self.previous_client_secret_until
        found = [self.client_secret, self.previous_client_secret if honoured else ""]
        return [secret for secret in found if secret]

    def set_client_secret(self, secret: str, *, now: datetime) -> None:
        """Make `secret` the current one; what was current is honoured for the grace time."""
        if secret == self.client_secret:
            return
        if self.client_secret:
            self.previous_client_secret = self.client_secret
            self.previous_client_secret_until = now + GRACE
        self.client_secret = secret

    def set_key(self, value: str, *, now: datetime) -> None:
        """Make `value` the current hook key; what was current is honoured for the grace time.

        Raises:
            ValidationError: the form is wrong, or another account has it or had it.
        """
        if value == self.key:
            return
        fresh = HookKey(account=self, value=value)
        fresh.check_form()
        fresh.check_free()
        self.hook_keys.filter(Q(expires_at__isnull=False) | Q(value=value)).delete()
        self.hook_keys.filter(expires_at__isnull=True).update(expires_at=now + GRACE)
        fresh.save()
        getattr(self, "_prefetched_objects_cache", {}).pop("hook_keys", None)

    def has_open_exchanges(self) -> bool:
        """Say whether a Salesbot of this account still waits for us."""
        return self.exchanges.open().exists()

    def clean(self) -> None:
        """Fill in and check the origin."""
        super().clean()
        if not self.origin and self.subdomain:
            self.origin = f"https://{self.subdomain}.kommo.com"
        try:
            check_origin(self.origin, extra=settings.KOMMO_EXTRA_ORIGINS)
        except BadOrigin as error:
            raise ValidationError({"origin": f"{error.fault.rule}. {error.fault.remedy}"}) from error

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the account with everything in it.

        Raises:
            ValidationError: a Salesbot still waits for an answer.
        """
        if self.has_open_exchanges():
            raise ValidationError(_("An exchange of this account is still open. Switch the account off and try again."))
        return super().delete(*args, **kwargs)


class HookKey(AccountScoped):
    """The part of an account's hook address that names the account: one current, at most one previous.

    A table of its own, so that the database keeps a key unique over current and previous ones of all accounts.
    """

    value = models.CharField(_("hook key"), max_length=64, unique=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="hook_keys")
    expires_at = models.DateTimeField(_("honoured until"), null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("hook key")
        verbose_name_plural = _("hook keys")
        ordering = ["account", "expires_at"]
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(expires_at__isnull=True), name="one_current_key"),
            models.UniqueConstraint(fields=["account"], condition=Q(expires_at__isnull=False), name="one_previous_key"),
        ]

    def __str__(self) -> str:
        return f"{self.value[:4]}…"

    @property
    def is_current(self) -> bool:
        """Whether this is the key that new widgets get."""
        return self.expires_at is None

    def is_honoured(self, now: datetime) -> bool:
        """Say whether a request may still use this key."""
        return self.expires_at is None or now < self.expires_at

    def check_form(self) -> None:
        """Refuse a key of the wrong form.

        Raises:
            ValidationError: naming the rule.
        """
        if not KEY_PATTERN.fullmatch(self.value):
            raise ValidationError({"key": _("must be 8 to 64 letters, digits, _ or -.")})

    def check_free(self) -> None:
        """Refuse a key that another account has or had.

        Raises:
            ValidationError: without saying whose it is.
        """
        if HookKey.objects.filter(value=self.value).exclude(account=self.account).exists():
            raise ValidationError({"key": _("is taken. Choose another.")})


class Membership(AccountScoped):
    """A user's role in an account."""

    class Role(models.TextChoices):
        """What a member may do."""

        OWNER = "owner", _("owner")
        EDITOR = "editor", _("editor")
        VIEWER = "viewer", _("viewer")

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("account")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.VIEWER)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "user"],
                name="one_membership_per_user_and_account",
                violation_error_message=_("This user is already a member."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"
