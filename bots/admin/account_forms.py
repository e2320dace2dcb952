"""The forms of an account: its connection to Kommo, its secrets and the address that Kommo calls."""

import re
import zoneinfo
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin.secrets import SecretField, SecretsForm
from bots.admin.theme import ThemeTextInput, split_datetime, text_input
from bots.models import Account, HookKey
from bots.models.accounts import KEY_PATTERN

CONNECTION = ("name", "enabled", "subdomain", "kommo_id", "client_id", "origin", "time_zone")

# Zones by place, as people know them; the rest of the database is old names and fixed offsets.
PLACES = re.compile(r"(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific)/.+")
ZONES_LIST = "kb-zones"


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """Give the zones to choose from, UTC first."""
    return ("UTC", *sorted(name for name in zoneinfo.available_timezones() if PLACES.fullmatch(name)))


@lru_cache(maxsize=1)
def zones_list() -> SafeString:
    """Draw the zones as suggestions for an input; drawn once, because there are 400 of them."""
    options = format_html_join("", '<option value="{}">', ((name,) for name in time_zones()))
    return format_html('<datalist id="{}">{}</datalist>', ZONES_LIST, options)


class TimeZoneInput(ThemeTextInput):
    """A line that suggests time zones while somebody types a part of their names."""

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        """Draw the line and its suggestions."""
        return format_html("{}{}", super().render(*args, **kwargs), zones_list())


class AccountForm(SecretsForm):
    """An account as operators and owners change it."""

    new_client_secret = SecretField(
        "client_secret",
        help_text=gettext_lazy(
            "From the integration's Keys and scopes tab. The one before it is honoured for 72 hours more."
        ),
    )
    new_previous_client_secret = SecretField("previous_client_secret")
    new_access_token = SecretField(
        "access_token",
        help_text=gettext_lazy("A long-lived token of an administrator, from the integration's Keys and scopes tab."),
    )
    previous_key_until = forms.SplitDateTimeField(
        label=gettext_lazy("Previous one honoured until"), required=False, widget=split_datetime()
    )

    class Meta:
        model = Account
        fields = (*CONNECTION, "previous_client_secret_until")
        widgets = {"time_zone": TimeZoneInput(attrs={"list": ZONES_LIST, "autocomplete": "off"})}
        help_texts = {
            "time_zone": gettext_lazy("In which the times of this account are shown. Type a city, such as Madrid.")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stored_origin_default = default_origin(self.instance.subdomain)
        for name in ("previous_key_until", "previous_client_secret_until"):
            if name in self.fields:
                self.fields[name].help_text = _("Time zone: %s") % self.instance.time_zone
        if "client_id" in self.fields and not self.instance.client_id:
            self.fields["client_id"].required = False
            self.fields["client_id"].help_text = _("You may leave it empty for now: the setup guide leads to it.")
        if "previous_key_until" in self.fields:
            self.initial["previous_key_until"] = previous_key_end(self.instance)

    def clean(self) -> dict[str, Any]:
        """Let the origin follow a subdomain that was changed, unless it was set to something else."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "subdomain" in self.changed_data and cleaned.get("origin") == self._stored_origin_default:
            cleaned["origin"] = default_origin(cleaned.get("subdomain", ""))
        return cleaned

    def clean_client_id(self) -> str:
        """Let it be missing for a while, in one row of a Kommo account: Django checks no more what may be empty.

        Raises:
            ValidationError: another row of this Kommo account misses it too.
        """
        client_id: str = self.cleaned_data["client_id"]
        same = Account.objects.filter(kommo_id=self.cleaned_data.get("kommo_id") or 0, client_id="")
        if not client_id and same.exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("This Kommo account is entered already, without its integration id."))
        return client_id

    def set_secret(self, field_name: str, text: str) -> None:
        """Put one secret into the account; a client secret that is replaced is honoured for a while."""
        match field_name:
            case "client_secret" if text:
                self._replace_client_secret(text)
            case "previous_client_secret":
                self._set_previous_client_secret(text)
            case _:
                super().set_secret(field_name, text)

    def _replace_client_secret(self, text: str) -> None:
        account: Account = self.instance
        chosen_end = account.previous_client_secret_until
        account.set_client_secret(text, now=timezone.now())
        if "previous_client_secret_until" in self.changed_data:
            account.previous_client_secret_until = chosen_end

    def _set_previous_client_secret(self, text: str) -> None:
        if self.new_secret("new_client_secret"):
            return  # what was current until now has just become the previous one
        account: Account = self.instance
        account.previous_client_secret = text
        if not text:
            account.previous_client_secret_until = None


class NewKeyForm(forms.Form):
    """A new last part for the address; usually left empty."""

    key = forms.CharField(
        label=gettext_lazy("Your own key"),
        required=False,
        max_length=64,
        widget=text_input(autocomplete="off"),
        help_text=gettext_lazy("8 to 64 letters, digits, _ or -. Left empty, a random one is made: the safe choice."),
    )

    def clean_key(self) -> str:
        """Refuse a key of the wrong form.

        Raises:
            ValidationError: naming the rule.
        """
        key: str = self.cleaned_data["key"]
        if key and not KEY_PATTERN.fullmatch(key):
            raise ValidationError(_("must be 8 to 64 letters, digits, _ or -."))
        return key


def default_origin(subdomain: str) -> str:
    """Give the origin that an account has when nothing else is said."""
    return f"https://{subdomain}.kommo.com"


def previous_keys(account: Account) -> Iterable[HookKey]:
    """Give the hook key that was replaced, if there is one."""
    return [key for key in account.hook_keys.all() if not key.is_current] if account.pk else []


def previous_key_end(account: Account) -> datetime | None:
    """Give the time until which the replaced hook key is honoured."""
    return next((key.expires_at for key in previous_keys(account)), None)
