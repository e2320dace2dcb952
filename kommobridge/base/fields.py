"""A model field for secrets: sealed in the database, plain only where it is read.

A model that has such a field implements `secret_binding(field_name) -> str`, which names the record and the field by
something that exists before the first save and never changes (a UUID). The instance keeps the ciphertext and opens it
at each read, which costs some microseconds; so copies, pickles and serialised forms of a stored record hold ciphertext
only, and a record whose secret isn't touched is written back as it was. `loaddata` doesn't restore sealed fields:
restore the database's own dump.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

from django.conf import settings
from django.core import checks
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.translation import gettext as _

from kommobridge.base.keyring import KeyRing

REFUSED_OPTIONS = ("editable", "null", "unique", "db_index", "primary_key", "choices")
LOOKUPS = frozenset({"exact", "in", "isnull"})
HINT_CHARS = 4
HINT_MIN_CHARS = 12  # below this, four characters would be too much of the secret

if TYPE_CHECKING:
    TextField = models.TextField[str, str]
else:
    TextField = models.TextField


class HoldsSecrets(Protocol):
    """What a model with an `EncryptedField` implements."""

    def secret_binding(self, field_name: str) -> str:
        """Name this record and field; the same before the first save and for ever."""


def key_ring() -> KeyRing:
    """Give the ring of the settings' FIELD_KEYS, made once for each list of keys.

    Raises:
        BadKey: FIELD_KEYS is empty or holds something else than Fernet keys.
    """
    return _ring_of(tuple(settings.FIELD_KEYS))


@lru_cache(maxsize=4)
def _ring_of(keys: tuple[str, ...]) -> KeyRing:
    return KeyRing(keys)


def hint(secret: str) -> str:
    """Tell of a secret what a person may see: "set, ends in …abcd", "set" for a short one, "not set" for none."""
    if not secret:
        return _("not set")
    if len(secret) < HINT_MIN_CHARS:
        return _("set")
    return _("set, ends in …%(end)s") % {"end": secret[-HINT_CHARS:]}


class Sealed:
    """A ciphertext as the database holds it; neither text nor repr shows it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "<sealed>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


class Unsealed:
    """A text that was assigned and not saved yet; it stays in this process."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "<unsaved secret>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret that isn't saved yet can't be pickled; save the record first")

    def reveal(self) -> str:
        """Give the text."""
        return self._text


class SecretAttribute(DeferredAttribute):
    """Opens on read, hides what is assigned."""

    field: "EncryptedField"

    def __get__(self, instance: Any, cls: type | None = None) -> Any:
        """Give the plain text.

        Raises:
            SecretUnreadable: the stored text can't be opened.
        """
        if instance is None:
            return self
        held = self.field.held(instance)
        if isinstance(held, Unsealed):
            return held.reveal()
        if isinstance(held, Sealed):
            return key_ring().open(held.text, binding=self.field.binding(instance))
        return held

    def __set__(self, instance: Any, value: object) -> None:
        """Keep a text until it is saved; what came from the database stays sealed."""
        if isinstance(value, str) and value:
            value = Unsealed(str(value))
        elif not (value == "" or isinstance(value, Sealed | Unsealed)):
            raise TypeError(f"{self.field.name} takes a text")
        instance.__dict__[self.field.attname] = value


class EncryptedField(TextField):
    """A text that the database holds sealed; empty stays empty.

    Never editable in forms, never searchable: `filter(secret="…")`, `update(secret="…")` and `bulk_update` with a
    plain text raise TypeError. Lookups for empty work.
    """

    descriptor_class = SecretAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for option in REFUSED_OPTIONS:
            if kwargs.get(option):
                raise TypeError(f"an EncryptedField can't have {option}")
        super().__init__(*args, **kwargs | {"editable": False})

    def deconstruct(self) -> Any:
        """Leave out `editable`, which is always off."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Add: the model must say to what its secrets are bound."""
        found = super().check(**kwargs)
        if not callable(getattr(self.model, "secret_binding", None)):
            hint_text = "Add secret_binding(self, field_name: str) -> str, made from a UUID."
            found.append(checks.Error("The model has no secret_binding method.", hint=hint_text, obj=self))
        return found

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: a form would send the secret to the browser.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self.name} is a secret: give the form a write-only field of its own")

    def from_db_value(self, value: str | None, *_unused: object) -> Sealed | str | None:
        """Keep the ciphertext closed; empty passes, and the null of an outer join."""
        return Sealed(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        """Let only sealed and empty values through to the database.

        Raises:
            TypeError: a plain text; it would stand readable in a query, or be compared with ciphertext.
        """
        if isinstance(value, Sealed):
            return value.text
        if value == "" or value is None:
            return value
        raise self._not_searchable()

    def get_lookup(self, lookup_name: str) -> type[models.Lookup[Any]] | None:
        """Let equality, `in` and `isnull` through; patterns and order say nothing of a ciphertext.

        Raises:
            TypeError: any other lookup.
        """
        if lookup_name not in LOOKUPS:
            raise self._not_searchable()
        return super().get_lookup(lookup_name)

    def _not_searchable(self) -> TypeError:
        return TypeError(f"{self.name} is encrypted: it can't be searched or set in a query; assign it and save")

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001
        """Seal what was assigned; what was only loaded is written back unchanged."""
        held = self.held(model_instance)
        if isinstance(held, Unsealed):
            held = Sealed(key_ring().seal(held.reveal(), binding=self.binding(model_instance)))
            model_instance.__dict__[self.attname] = held
        return held

    def value_from_object(self, obj: models.Model) -> Any:
        """Give the ciphertext: this is what model forms and serialisers read."""
        return self.sealed_text(obj)

    def value_to_string(self, obj: models.Model) -> str:
        """Give the ciphertext."""
        return self.sealed_text(obj)

    def sealed_text(self, instance: models.Model) -> str:
        """Give what the database holds or will hold; empty when there is no secret."""
        held = self.pre_save(instance, add=False)
        return held.text if isinstance(held, Sealed) else ""

    def reseal(self, instance: models.Model) -> bool:
        """Seal with the ring's first key when another key did it; the caller saves.

        Returns:
            Whether the field changed.

        Raises:
            SecretUnreadable: the stored text can't be opened.
        """
        sealed = self.sealed_text(instance)
        if not sealed or not key_ring().needs_reseal(sealed):
            return False
        binding = self.binding(instance)
        plain = key_ring().open(sealed, binding=binding)
        instance.__dict__[self.attname] = Sealed(key_ring().seal(plain, binding=binding))
        return True

    def binding(self, instance: Any) -> str:
        """Give the text that the secret of this instance is bound to."""
        return str(instance.secret_binding(self.name))

    def held(self, instance: models.Model) -> Sealed | Unsealed | str:
        """Give what the instance holds, closed; a deferred field is loaded for it."""
        data: dict[str, Any] = instance.__dict__
        if self.attname not in data:
            # refresh_from_db would copy the opened text from one instance to another
            rows = type(instance)._base_manager.using(instance._state.db).filter(pk=instance.pk)
            data[self.attname] = rows.values_list(self.attname, flat=True).get()
        held: Sealed | Unsealed | str = data[self.attname]
        return held


def encrypted_fields(model: type[models.Model]) -> Mapping[str, EncryptedField]:
    """Give a model's encrypted fields by name, for key rotation."""
    return {field.name: field for field in model._meta.concrete_fields if isinstance(field, EncryptedField)}
