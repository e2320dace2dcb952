"""The account: its hook keys, its secrets, and when it may be deleted."""

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from bots.models import Account, Attempt, Bot, Conversation, Exchange, HookKey, Membership, Message, Provider, User
from bots.models.accounts import GRACE, KEY_PATTERN
from bots.states import OPEN, SETTLED, State
from kommobridge.base.fields import Sealed
from kommobridge.base.keyring import SecretUnreadable
from tests.cast import a_bot, a_conversation, a_provider, an_account, an_attempt, an_exchange

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ciphertext(account: Account, name: str) -> str:
    """Give what the database holds in a column of an account."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM bots_account WHERE id = %s", [account.pk])  # noqa: S608
        return str(cursor.fetchone()[0])


# hook keys


def test_a_new_account_has_a_current_key_of_128_bits_that_nobody_else_has():
    keys = {an_account().key for _ in range(5)}

    assert len(keys) == 5
    assert all(KEY_PATTERN.fullmatch(key) and len(key) >= 22 for key in keys)


def test_the_address_for_kommo_holds_the_current_key(settings: Any):
    settings.PUBLIC_URL = "https://bridge.example.com"
    account = an_account()
    assert account.hook_url == f"https://bridge.example.com/kommo/{account.key}/widget-request/"


def test_saving_an_account_again_keeps_its_key():
    account = an_account()
    before = account.key
    account.name = "Other"
    account.save()
    assert account.key == before
    assert account.hook_keys.count() == 1


def test_a_changed_key_leaves_the_old_one_honoured_for_three_days():
    account = an_account()
    old = account.key

    account.set_key("a-key-of-my-own-choice", now=NOON)

    assert account.key == "a-key-of-my-own-choice"
    previous = account.hook_keys.get(value=old)
    assert previous.expires_at == NOON + timedelta(hours=72) == NOON + GRACE
    assert previous.is_honoured(NOON + GRACE - timedelta(seconds=1))
    assert not previous.is_honoured(NOON + GRACE)


def test_a_key_that_changes_twice_leaves_one_previous_key():
    account = an_account()
    first = account.key
    account.set_key("the-second-key-of-acme", now=NOON)
    account.set_key("the-third-key-of-acme", now=NOON)

    assert not HookKey.objects.filter(value=first).exists()
    assert [(key.value, key.is_current) for key in account.hook_keys.order_by("-value")] == [
        ("the-third-key-of-acme", True),
        ("the-second-key-of-acme", False),
    ]


def test_a_previous_key_can_become_the_current_one_again():
    account = an_account()
    first = account.key
    account.set_key("the-second-key-of-acme", now=NOON)
    account.set_key(first, now=NOON)

    assert account.key == first
    assert account.hook_keys.get(expires_at__isnull=False).value == "the-second-key-of-acme"


def test_setting_the_key_that_is_current_changes_nothing():
    account = an_account()
    account.set_key(account.key, now=NOON)
    assert [key.expires_at for key in account.hook_keys.all()] == [None]


@pytest.mark.parametrize(
    "key",
    ["short", "x" * 65, "with a space", "schlüssel-lang", "slash/slash", "a-good-key\n", ""],
    ids=["7 characters", "65 characters", "a space", "not ASCII", "a slash", "a line feed", "nothing"],
)
def test_a_key_of_the_wrong_form_is_refused_and_nothing_changes(key: str):
    account = an_account()
    before = account.key
    with pytest.raises(ValidationError, match="8 to 64"):
        account.set_key(key, now=NOON)
    assert Account.objects.get(pk=account.pk).key == before


@pytest.mark.parametrize("is_previous", [False, True], ids=["current", "previous"])
def test_a_key_that_another_account_has_or_had_is_refused(*, is_previous: bool):
    rival, account = an_account(), an_account()
    taken = rival.key
    if is_previous:
        rival.set_key("the-new-key-of-the-rival", now=NOON)

    with pytest.raises(ValidationError, match="is taken") as caught:
        account.set_key(taken, now=NOON)

    assert rival.name not in str(caught.value)


def test_the_database_keeps_a_key_unique_over_current_and_previous_ones_of_all_accounts():
    rival, account = an_account(), an_account()
    for expires_at in (None, NOON):
        with pytest.raises(IntegrityError), transaction.atomic():
            HookKey.objects.create(account=account, value=rival.key, expires_at=expires_at)


@pytest.mark.parametrize("expires_at", [None, NOON], ids=["current", "previous"])
def test_the_database_allows_one_current_and_one_previous_key_per_account(expires_at: datetime | None):
    account = an_account()
    account.set_key("the-second-key-of-acme", now=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        HookKey.objects.create(account=account, value="one-key-too-many", expires_at=expires_at)


def test_a_key_is_not_shown_whole_where_it_is_named():
    assert an_account().key not in str(HookKey.objects.get())


# secrets


def test_the_database_holds_no_secret_in_the_clear():
    account = an_account(
        client_secret="planted-secret", access_token="planted-token", previous_client_secret="planted-old"
    )
    provider = a_provider(account, api_key="planted-key")
    with connection.cursor() as cursor:
        for table in ("bots_account", "bots_provider"):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
            assert "planted" not in repr(cursor.fetchall())
    assert Account.objects.get().client_secret == "planted-secret"
    assert Provider.objects.get(pk=provider.pk).api_key == "planted-key"


@pytest.mark.parametrize("name", ["client_secret", "previous_client_secret", "access_token"])
def test_a_ciphertext_that_is_moved_to_another_account_does_not_open(name: str):
    acme, rival = an_account(**{name: "secret of Acme"}), an_account()
    Account.objects.filter(pk=rival.pk).update(**{name: Sealed(ciphertext(acme, name))})

    with pytest.raises(SecretUnreadable):
        getattr(Account.objects.get(pk=rival.pk), name)
    assert getattr(Account.objects.get(pk=acme.pk), name) == "secret of Acme"


def test_a_ciphertext_that_is_moved_to_another_field_does_not_open():
    account = an_account(client_secret="secret of Acme", access_token="token of Acme")
    Account.objects.update(access_token=Sealed(ciphertext(account, "client_secret")))

    with pytest.raises(SecretUnreadable):
        _ = Account.objects.get().access_token


def test_a_provider_that_is_moved_to_another_account_does_not_open():
    provider, rival = a_provider(api_key="sk-acme"), an_account()
    Provider.objects.filter(pk=provider.pk).update(account=rival)

    with pytest.raises(SecretUnreadable):
        _ = Provider.objects.get(pk=provider.pk).api_key


def test_a_wrong_key_fails_closed(settings: Any):
    an_account(client_secret="secret of Acme")
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    account = Account.objects.get()

    with pytest.raises(SecretUnreadable):
        _ = account.client_secret
    with pytest.raises(SecretUnreadable):
        account.token_secrets(NOON)


def test_a_text_that_was_never_sealed_is_not_given_out():
    an_account()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE bots_account SET access_token = 'plain text'")
    with pytest.raises(SecretUnreadable):
        _ = Account.objects.get().access_token


def test_a_stored_account_can_be_pickled_without_its_secrets():
    an_account(client_secret="planted-secret")
    assert b"planted-secret" not in pickle.dumps(Account.objects.get())


def test_a_changed_client_secret_leaves_the_old_one_honoured_for_three_days():
    account = an_account(client_secret="first")

    account.set_client_secret("second", now=NOON)

    assert account.token_secrets(NOON) == ["second", "first"]
    assert account.token_secrets(NOON + GRACE - timedelta(seconds=1)) == ["second", "first"]
    assert account.token_secrets(NOON + GRACE) == ["second"]


def test_setting_the_client_secret_that_is_current_prolongs_nothing():
    account = an_account(client_secret="first")
    account.set_client_secret("second", now=NOON)
    account.set_client_secret("second", now=NOON + timedelta(days=1))
    assert account.previous_client_secret_until == NOON + GRACE


def test_a_first_client_secret_has_no_predecessor():
    account = an_account(client_secret="")
    account.set_client_secret("first", now=NOON)
    assert account.token_secrets(NOON) == ["first"]
    assert account.previous_client_secret_until is None


def test_a_previous_secret_without_an_end_is_not_honoured():
    account = an_account(client_secret="now", previous_client_secret="before", previous_client_secret_until=None)
    assert account.token_secrets(NOON) == ["now"]


# its own rules


def test_two_accounts_can_not_have_the_same_ids_at_kommo():
    an_account(kommo_id=5, client_id="c")
    with pytest.raises(IntegrityError), transaction.atomic():
        an_account(kommo_id=5, client_id="c")
    twin = Account(name="x", subdomain="x", kommo_id=5, client_id="c")
    with pytest.raises(ValidationError, match="already connected"):
        twin.full_clean()


def test_one_kommo_account_may_be_connected_by_two_integrations():
    an_account(kommo_id=5, client_id="c")
    an_account(kommo_id=5, client_id="d")
    assert Account.objects.count() == 2


def test_an_account_without_an_origin_lives_at_its_subdomain():
    assert an_account(subdomain="teahouse").origin == "https://teahouse.kommo.com"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"subdomain": "UPPER"}, "subdomain"),
        ({"subdomain": "a.b"}, "subdomain"),
        ({"subdomain": "-a"}, "subdomain"),
        ({"subdomain": "a/b"}, "subdomain"),
        ({"subdomain": "acme\n"}, "subdomain"),
        ({"origin": "http://acme.kommo.com"}, "origin"),
        ({"origin": "https://acme.kommo.com.evil.com"}, "origin"),
        ({"origin": "https://acme.kommo.com/"}, "origin"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ],
    ids=str,
)
def test_a_wrong_value_is_refused_by_its_field(values: dict[str, str], field: str):
    account = Account(**{"name": "x", "subdomain": "acme", "kommo_id": 5, "client_id": "c"} | values)
    with pytest.raises(ValidationError) as caught:
        account.full_clean(exclude={"client_secret", "previous_client_secret", "access_token"})
    assert field in caught.value.message_dict


def test_a_membership_is_unique_per_user_and_account():
    account, user = an_account(), User.objects.create_user("owner@acme.test")
    Membership.objects.create(account=account, user=user, role=Membership.Role.OWNER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(account=account, user=user, role=Membership.Role.VIEWER)


# deleting


@pytest.mark.parametrize("state", sorted(OPEN))
def test_an_account_with_an_open_exchange_is_not_deleted(state: State):
    exchange = an_exchange(state=state)
    with pytest.raises(ValidationError, match="still open"):
        exchange.account.delete()
    assert Exchange.objects.filter(pk=exchange.pk).exists()


@pytest.mark.parametrize("state", sorted(SETTLED))
def test_an_account_whose_exchanges_are_settled_goes_with_everything_in_it(state: State):
    account = an_account()
    bot, provider = a_bot(account), a_provider(account)
    bot.model_choices.create(account=account, provider=provider, model="m")
    exchange = an_exchange(state=state, account=account, bot=bot)
    Message.objects.create(conversation=exchange.conversation, exchange=exchange, role="customer", text="hi")
    an_attempt(exchange=exchange, provider=provider)
    user = User.objects.create_user("owner@acme.test")
    Membership.objects.create(account=account, user=user)

    account.delete()

    for model in (Account, HookKey, Membership, Provider, Bot, Conversation, Message, Exchange, Attempt):
        assert not model.objects.exists(), model
    assert User.objects.exists()


def test_deleting_an_account_leaves_the_others_alone():
    account, rival = an_account(), a_conversation().account
    account.delete()
    assert list(Account.objects.all()) == [rival]
    assert Conversation.objects.count() == 1
