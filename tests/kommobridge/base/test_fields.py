"""A secret is plain where it is read, and nowhere else."""

import copy
import json
import pickle
import uuid
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from cryptography.fernet import Fernet
from django.apps.registry import Apps
from django.core import checks, serializers
from django.core.exceptions import FieldError
from django.db import connection, models
from django.db.migrations.writer import MigrationWriter
from django.forms import modelform_factory
from django.forms.models import model_to_dict
from pytest_django import DjangoDbBlocker, Settings

from kommobridge.base.fields import EncryptedField, Sealed, SecretAttribute, encrypted_fields, hint, key_ring
from kommobridge.base.keyring import BadKey, SecretUnreadable

SECRET = "client-secret-of-acme-9f31"
OTHER = "another-secret-altogether"
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))

pytestmark = pytest.mark.django_db


class Safe(models.Model):
    """A record with two secrets."""

    uid = models.UUIDField(default=uuid.uuid4)
    name = models.CharField(max_length=20, default="")
    secret = EncryptedField(blank=True, default="")
    spare = EncryptedField(blank=True, default="")

    objects: ClassVar[models.Manager["Safe"]] = models.Manager()

    class Meta:
        app_label = "field_tests"
        apps = Apps()

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        # Django's own looks the model up among the installed apps, where this one isn't; the state is Django's
        return (_an_unfilled_safe, (), super().__reduce__()[2])

    def secret_binding(self, field_name: str) -> str:
        return f"safe:{self.uid}:{field_name}"


def _an_unfilled_safe() -> Safe:
    return Safe.__new__(Safe)


@pytest.fixture(scope="module", autouse=True)
def table(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Give the record its table."""
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            editor.create_model(Safe)
        yield
        with connection.schema_editor() as editor:
            editor.delete_model(Safe)


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.FIELD_KEYS = [OLD]


def stored(safe: Safe, column: str = "secret") -> Any:
    """Look at the database itself."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM field_tests_safe WHERE id = %s", [safe.pk])  # noqa: S608 our own name
        return cursor.fetchone()[0]


def again(safe: Safe) -> Safe:
    return Safe.objects.get(pk=safe.pk)


# Reading and writing


def test_a_secret_is_sealed_in_the_database_and_plain_on_the_record():
    safe = Safe.objects.create(secret=SECRET)
    assert stored(safe).startswith("enc1:")
    assert SECRET not in stored(safe)
    assert type(safe.secret) is str
    assert safe.secret == again(safe).secret == SECRET


def test_a_secret_is_plain_before_the_first_save_too():
    safe = Safe(secret=SECRET)
    assert safe.secret == SECRET
    safe.secret = OTHER
    assert safe.secret == OTHER


def test_empty_stays_empty():
    safe = Safe.objects.create()
    assert stored(safe) == stored(safe, "spare") == ""
    assert again(safe).secret == ""


def test_a_secret_can_be_taken_away():
    safe = Safe.objects.create(secret=SECRET)
    safe.secret = ""
    safe.save(update_fields=["secret"])
    assert stored(safe) == ""


def test_a_secret_can_be_replaced():
    safe = Safe.objects.create(secret=SECRET)
    found = again(safe)
    found.secret = OTHER
    found.save(update_fields=["secret"])
    assert again(safe).secret == OTHER


def test_text_like_ciphertext_is_a_secret_like_any_other():
    imitation = key_ring().seal("x", binding="y")
    assert again(Safe.objects.create(secret=imitation)).secret == imitation


def test_a_record_that_was_only_loaded_is_written_back_unchanged():
    safe = Safe.objects.create(secret=SECRET)
    before = stored(safe)
    found = again(safe)
    found.name = "new"
    found.save()
    assert stored(safe) == before


def test_a_record_whose_secret_was_only_read_is_written_back_unchanged():
    safe = Safe.objects.create(secret=SECRET)
    before = stored(safe)
    found = again(safe)
    assert found.secret == SECRET
    found.save()
    assert stored(safe) == before


def test_an_unreadable_secret_survives_a_save_of_the_record(settings: Settings):
    safe = Safe.objects.create(secret=SECRET)
    settings.FIELD_KEYS = [NEW]
    found = again(safe)
    found.save()
    settings.FIELD_KEYS = [OLD]
    assert again(safe).secret == SECRET


def test_a_deferred_secret_is_loaded_when_it_is_read():
    safe = Safe.objects.create(secret=SECRET)
    assert Safe.objects.defer("secret").get(pk=safe.pk).secret == SECRET
    assert Safe.objects.only("name").get(pk=safe.pk).secret == SECRET


def test_a_refreshed_record_has_the_stored_secret():
    safe = Safe.objects.create(secret=SECRET)
    changed = again(safe)
    changed.secret = OTHER
    changed.save()
    safe.refresh_from_db()
    assert safe.secret == OTHER
    safe.save()
    assert again(safe).secret == OTHER


def test_bulk_create_seals():
    safe, _ = Safe.objects.bulk_create([Safe(secret=SECRET), Safe(secret=OTHER)])
    assert stored(safe).startswith("enc1:")
    assert again(safe).secret == SECRET


def test_update_or_create_seals():
    safe, _ = Safe.objects.update_or_create(name="a", defaults={"secret": SECRET})
    Safe.objects.update_or_create(name="a", defaults={"secret": OTHER})
    assert again(safe).secret == OTHER
    assert OTHER not in stored(safe)


@pytest.mark.parametrize("value", [5, None, b"bytes", ["x"], models.F("spare")])
def test_only_a_text_can_be_assigned(value: object):
    with pytest.raises(TypeError, match="secret takes a text"):
        Safe(secret=value)


# Keys and places


def test_another_key_fails_closed(settings: Settings):
    safe = Safe.objects.create(secret=SECRET)
    settings.FIELD_KEYS = [NEW]
    with pytest.raises(SecretUnreadable) as refused:
        again(safe).secret  # noqa: B018 reading is the point
    assert refused.value.reason == "key"


def test_no_key_fails_closed(settings: Settings):
    settings.FIELD_KEYS = []
    with pytest.raises(BadKey):
        Safe.objects.create(secret=SECRET)


def test_plain_text_in_the_database_fails_closed():
    safe = Safe.objects.create(secret=SECRET)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE field_tests_safe SET secret = %s WHERE id = %s", [SECRET, safe.pk])
    with pytest.raises(SecretUnreadable) as refused:
        again(safe).secret  # noqa: B018
    assert refused.value.reason == "plain"
    assert SECRET not in str(refused.value)


def test_ciphertext_moved_to_another_record_fails_closed():
    safe, thief = Safe.objects.create(secret=SECRET), Safe.objects.create()
    Safe.objects.filter(pk=thief.pk).update(secret=Sealed(stored(safe)))
    with pytest.raises(SecretUnreadable) as refused:
        again(thief).secret  # noqa: B018
    assert refused.value.reason == "moved"


def test_ciphertext_moved_to_another_field_fails_closed():
    safe = Safe.objects.create(secret=SECRET)
    Safe.objects.filter(pk=safe.pk).update(spare=models.F("secret"))
    with pytest.raises(SecretUnreadable) as refused:
        again(safe).spare  # noqa: B018
    assert refused.value.reason == "moved"


def test_rotation_seals_anew_what_another_key_sealed(settings: Settings):
    safe = Safe.objects.create(secret=SECRET)
    settings.FIELD_KEYS = [NEW, OLD]
    found = again(safe)
    fields = encrypted_fields(Safe)
    assert list(fields) == ["secret", "spare"]
    assert [field.reseal(found) for field in fields.values()] == [True, False]
    found.save(update_fields=["secret"])
    settings.FIELD_KEYS = [NEW]
    assert again(safe).secret == SECRET
    assert not fields["secret"].reseal(again(safe))


def test_the_ring_follows_the_settings(settings: Settings):
    first = key_ring()
    assert key_ring() is first
    settings.FIELD_KEYS = [NEW]
    assert key_ring() is not first


# Queries


@pytest.mark.parametrize(
    "query",
    [
        lambda: Safe.objects.filter(secret=SECRET),
        lambda: Safe.objects.exclude(secret=SECRET),
        lambda: Safe.objects.filter(secret__in=[SECRET]),
        lambda: Safe.objects.filter(secret__contains="acme"),
        lambda: Safe.objects.filter(secret__startswith="c"),
        lambda: Safe.objects.filter(secret__iexact=SECRET),
        lambda: Safe.objects.filter(secret__regex="c.*"),
        lambda: Safe.objects.filter(secret__gt="enc1:a"),
        lambda: Safe.objects.filter(secret__length=5),
        lambda: Safe.objects.update(secret=SECRET),
        lambda: Safe.objects.get_or_create(secret=SECRET),
        lambda: Safe.objects.bulk_update([Safe(pk=1, secret=SECRET)], ["secret"]),
    ],
    ids=[
        "filter",
        "exclude",
        "in",
        "contains",
        "startswith",
        "iexact",
        "regex",
        "gt",
        "length",
        "update",
        "get_or_create",
        "bulk_update",
    ],
)
def test_a_plain_text_in_a_query_is_refused(query: Any):
    with pytest.raises(TypeError, match="secret is encrypted") as refused:
        list(query())
    assert SECRET not in str(refused.value)


def test_empty_can_be_asked_for():
    Safe.objects.create(secret=SECRET)
    empty = Safe.objects.create()
    assert list(Safe.objects.filter(secret="")) == [empty]
    assert not Safe.objects.filter(secret__isnull=True).exists()
    assert Safe.objects.exclude(secret="").count() == 1
    assert Safe.objects.filter(name="").update(secret="") == 2


def test_values_of_a_query_are_never_plain():
    Safe.objects.create(secret=SECRET)
    found = [*Safe.objects.values_list("secret", flat=True), *Safe.objects.values("secret")]
    assert SECRET not in repr(found)
    assert "enc1:" not in repr(found)


# Forms, copies, serialised forms


def test_a_form_made_of_the_model_has_no_secret():
    assert set(modelform_factory(Safe, fields="__all__").base_fields) == {"uid", "name"}
    with pytest.raises(FieldError, match="non-editable"):
        modelform_factory(Safe, fields=["secret"])
    with pytest.raises(TypeError, match="write-only"):
        Safe._meta.get_field("secret").formfield()


def test_a_dictionary_of_the_model_has_no_plain_secret():
    safe = Safe.objects.create(secret=SECRET)
    assert SECRET not in repr(model_to_dict(safe))
    assert Safe._meta.get_field("secret").value_from_object(safe) == stored(safe)


def test_a_serialised_record_holds_ciphertext():
    safe = Safe.objects.create(secret=SECRET)
    for form in ("json", "xml", "python"):
        text = str(serializers.serialize(form, [safe]))
        assert SECRET not in text
        assert "enc1:" in text


def test_a_serialised_record_is_not_restored_in_silence():
    text = serializers.serialize("json", [Safe.objects.create(secret=SECRET)])
    restored = [Safe(**row["fields"]) for row in json.loads(text)]
    with pytest.raises(TypeError, match="secret is encrypted"):
        restored[0].save_base(raw=True)


@pytest.mark.parametrize("read_first", [False, True])
def test_copies_and_pickles_of_a_stored_record_hold_ciphertext(*, read_first: bool):
    safe = again(Safe.objects.create(secret=SECRET))
    if read_first:
        assert safe.secret == SECRET
    pickled = pickle.dumps(safe)
    assert SECRET.encode() not in pickled
    assert SECRET not in repr(vars(safe)) + repr(vars(copy.deepcopy(safe)))
    assert pickle.loads(pickled).secret == copy.deepcopy(safe).secret == copy.copy(safe).secret == SECRET  # noqa: S301


def test_an_unsaved_secret_is_copied_but_never_pickled_or_shown():
    safe = Safe(secret=SECRET)
    assert copy.deepcopy(safe).secret == SECRET
    assert SECRET not in repr(vars(safe))
    with pytest.raises(TypeError, match="save the record first"):
        pickle.dumps(safe)


# The field itself


def test_the_field_can_be_written_into_a_migration():
    text, imports = MigrationWriter.serialize(Safe._meta.get_field("secret"))
    assert text == "kommobridge.base.fields.EncryptedField(blank=True, default='')"
    assert imports == {"import kommobridge.base.fields"}
    _, _, args, kwargs = Safe._meta.get_field("spare").deconstruct()
    assert not EncryptedField(*args, **kwargs).editable


def test_ciphertexts_compare_by_what_they_hold():
    assert {Sealed("enc1:a"), Sealed("enc1:a")} == {Sealed("enc1:a")}
    assert Sealed("enc1:a") != Sealed("enc1:b")
    assert Sealed("enc1:a") != "enc1:a"


def test_the_class_shows_the_field_and_no_secret():
    assert isinstance(Safe.__dict__["secret"], SecretAttribute)
    assert type(Safe.secret) is SecretAttribute


@pytest.mark.parametrize("option", ["editable", "null", "unique", "db_index", "primary_key", "choices"])
def test_options_that_make_no_sense_for_a_secret_are_refused(option: str):
    with pytest.raises(TypeError, match=option):
        EncryptedField(**{option: True})


def test_a_model_that_binds_nothing_is_told_so():
    class Loose(models.Model):  # noqa: DJ008 never shown
        secret = EncryptedField()

        class Meta:
            app_label = "field_tests"
            apps = Apps()

    found = Loose._meta.get_field("secret").check()
    assert [type(message) for message in found] == [checks.Error]
    assert "secret_binding" in str(found[0].hint)
    assert Safe._meta.get_field("secret").check() == []


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("", "not set"),
        ("x", "set"),
        ("elevenchars", "set"),
        ("twelve-chars", "set, ends in …hars"),
        ("a-much-longer-secret-1f2e", "set, ends in …1f2e"),
    ],
)
def test_a_person_sees_a_hint_only(secret: str, shown: str):
    assert hint(secret) == shown
