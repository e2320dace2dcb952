"""Secrets in forms: they go in and never come out.

A page shows of a secret that it is set and its last characters. The input is always empty; left empty it keeps what is
stored, a ticked box clears it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import Model
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from bots.admin.theme import checkbox, password_input
from kommobridge.base.fields import EncryptedField, hint
from kommobridge.base.keyring import SecretUnreadable

SECRET_MAX_CHARS = 8_000  # Kommo's long-lived tokens have about a thousand


def secret_hint(row: Model, field_name: str) -> str:
    """Tell of a row's secret what a person may see; a secret that can't be opened says so."""
    try:
        return hint(getattr(row, field_name))
    except SecretUnreadable:
        return _("can't be decrypted: the operator checks FIELD_KEYS, or you set it anew")


class SecretWidget(forms.Widget):
    """What is stored in words, an empty input, and a box that clears."""

    hint = ""
    can_clear = False

    def __init__(self) -> None:
        super().__init__()
        self.input = password_input(autocomplete="new-password", spellcheck="false")
        self.box = checkbox()

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> tuple[str, bool]:
        """Give what was typed and whether the box was ticked."""
        typed = self.input.value_from_datadict(data, files, name) or ""
        return typed, bool(self.box.value_from_datadict(data, files, f"{name}-clear"))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data and f"{name}-clear" not in data

    def render(
        self,
        name: str,
        value: object,
        attrs: Mapping[str, Any] | None = None,
        renderer: object = None,
    ) -> SafeString:
        """Draw it without the value, whatever it is."""
        box_id = f"id_{name}-clear"
        context = {
            "hint": self.hint,
            "input": self.input.render(name, None, dict(attrs or {})),
            "box": self.box.render(f"{name}-clear", None, {"id": box_id}) if self.can_clear else "",
            "box_id": box_id,
        }
        return render_to_string("admin/bots/secret_input.html", context)


class SecretField(forms.Field):
    """A write-only field for one secret of the form's row; cleans to None (keep), "" (clear) or the new text."""

    widget = SecretWidget

    def __init__(self, secret: str, **kwargs: Any) -> None:
        """Name the model's field; the form's field has another name, or a page for readers would show the secret."""
        super().__init__(required=False, **kwargs)
        self.secret = secret

    def clean(self, value: tuple[str, bool]) -> str | None:
        """Say what becomes of the secret.

        Raises:
            ValidationError: both a new text and the wish to clear, or a text that no secret can be.
        """
        typed, cleared = value[0].strip(), value[1]
        if typed and cleared:
            raise ValidationError(_("Enter a new one or clear the old one, not both."))
        if len(typed) > SECRET_MAX_CHARS:
            raise ValidationError(_("At most %d characters.") % SECRET_MAX_CHARS)
        ProhibitNullCharactersValidator()(typed)
        return typed or ("" if cleared else None)

    def has_changed(self, initial: object, data: Any) -> bool:
        return bool(data[0].strip() or data[1])


class SecretsForm(forms.ModelForm[Any]):
    """A form with secrets: it shows their state, and hands new ones to the row before it is saved."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self._secret_fields():
            label = type(self.instance)._meta.get_field(field.secret).verbose_name
            field.label = field.label or str(label)[:1].upper() + str(label)[1:]
            widget = field.widget
            widget.hint = secret_hint(self.instance, field.secret)
            widget.can_clear = bool(self.instance.pk and widget.hint != hint(""))

    def _secret_fields(self) -> Iterable[SecretField]:
        return [field for field in self.fields.values() if isinstance(field, SecretField)]

    def new_secret(self, name: str) -> str | None:
        """Give what a secret field cleaned to; None when it isn't in this form, or to be kept."""
        found: str | None = self.cleaned_data.get(name)
        return found

    def set_secrets(self) -> None:
        """Put the new secrets into the row."""
        for name, field in self.fields.items():
            if isinstance(field, SecretField) and (new := self.new_secret(name)) is not None:
                self.set_secret(field.secret, new)

    def set_secret(self, field_name: str, text: str) -> None:
        """Put one secret into the row; "" clears it."""
        setattr(self.instance, field_name, text)

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002  Django's own
        self.set_secrets()
        return super().save(commit)


def is_secret_set(row: Model, field_name: str) -> bool:
    """Say whether a row holds a secret, without opening it."""
    field = row._meta.get_field(field_name)
    return isinstance(field, EncryptedField) and bool(field.sealed_text(row))
