"""Which account an entry names, and how its keys and secrets change."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bots.models.accounts import GRACE, KEY_PATTERN
from kommobridge.base.keyring import SecretUnreadable
from tests.bots.provisioning.documents import ACCOUNT, KEY, NOON, a_document, acme, apply, refusal

pytestmark = pytest.mark.django_db

# which account it is


def test_a_key_is_made_when_none_is_given_and_told():
    keyless = {name: value for name, value in ACCOUNT.items() if name != "key"}
    summary = apply(a_document(keyless))

    assert KEY_PATTERN.fullmatch(acme().key)
    assert len(acme().key) >= 22  # 128 bits of base64
    assert acme().key in summary.accounts[0].hook_url
    assert summary.accounts[0].key_was_made


def test_without_a_key_an_account_is_found_by_its_ids_at_kommo_and_keeps_its_key():
    apply(a_document())
    keyless = {name: value for name, value in ACCOUNT.items() if name != "key"}

    summary = apply(a_document({**keyless, "name": "Acme Tea"}))

    assert (acme().name, acme().key) == ("Acme Tea", KEY)
    assert not summary.accounts[0].key_was_made


def test_an_account_is_found_by_its_previous_key_and_keeps_the_current_one():
    apply(a_document())
    acme().set_key("the-key-that-came-later", now=NOON)

    summary = apply(a_document(name="Acme Tea"))

    assert (acme().name, acme().key) == ("Acme Tea", "the-key-that-came-later")
    assert "previous key" in summary.warnings[0]


def test_a_key_is_changed_by_giving_the_new_one_and_the_previous_one():
    apply(a_document())

    apply(a_document(key="the-key-that-came-later", previous_key=KEY))

    account = acme()
    assert account.key == "the-key-that-came-later"
    previous = account.hook_keys.get(expires_at__isnull=False)
    assert (previous.value, previous.expires_at) == (KEY, NOON + GRACE)


def test_the_end_of_a_previous_key_can_be_given_and_changed():
    end, later = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    apply(a_document(previous_key="an-older-key-of-acme", previous_key_until=end.isoformat()))
    assert acme().hook_keys.get(value="an-older-key-of-acme").expires_at == end

    apply(a_document(previous_key_until=later.isoformat()))
    assert acme().hook_keys.get(value="an-older-key-of-acme").expires_at == later


def test_an_empty_previous_key_takes_it_away():
    apply(a_document(previous_key="an-older-key-of-acme"))
    apply(a_document(previous_key=""))
    assert [key.value for key in acme().hook_keys.all()] == [KEY]


def test_a_short_key_is_taken_with_a_warning():
    summary = apply(a_document(key="acme-key"))

    assert acme().key == "acme-key"
    assert "accounts[0].key" in summary.warnings[0]
    assert "acme-key" not in summary.warnings[0]


def test_a_key_of_another_account_names_that_account():
    apply(a_document())
    rival = {**ACCOUNT, "key": "the-key-of-the-rival", "kommo_id": 4, "subdomain": "rival", "bots": []}
    apply(a_document(rival))

    said = refusal(a_document({**rival, "previous_key": KEY}))

    assert "accounts[0].previous_key: is in use" in said
    assert acme().key == KEY


# secrets that change


def test_a_changed_client_secret_leaves_the_old_one_honoured_for_three_days():
    apply(a_document())

    apply(a_document({"key": KEY, "integration": {"client_secret": "second"}}))

    account = acme()
    assert (account.client_secret, account.previous_client_secret) == ("second", "first client secret")
    assert account.previous_client_secret_until == NOON + timedelta(hours=72)


def test_applied_again_a_changed_client_secret_does_not_prolong_the_old_one():
    apply(a_document())
    change = a_document({"key": KEY, "client_secret": "second", "previous_client_secret": "first client secret"})
    apply(change)
    apply(change, now=NOON + timedelta(hours=5))

    assert acme().previous_client_secret_until == NOON + GRACE
    assert acme().token_secrets(NOON) == ["second", "first client secret"]


def test_a_previous_client_secret_that_is_given_wins_over_the_old_one():
    apply(a_document())
    end = NOON + timedelta(minutes=5)
    apply(
        a_document(
            {
                "key": KEY,
                "integration": {
                    "client_secret": "second",
                    "previous_client_secret": "given",
                    "previous_client_secret_until": end.isoformat(),
                },
            }
        )
    )

    account = acme()
    assert (account.previous_client_secret, account.previous_client_secret_until) == ("given", end)


def test_another_previous_client_secret_gets_a_grace_time_of_its_own():
    apply(a_document(previous_client_secret="older"))
    later = NOON + timedelta(days=30)

    apply(a_document(previous_client_secret="not so old"), now=later)

    assert acme().previous_client_secret_until == later + GRACE


def test_an_empty_previous_client_secret_ends_its_grace():
    apply(a_document(previous_client_secret="older"))
    apply(a_document(previous_client_secret=""))

    assert (acme().previous_client_secret, acme().previous_client_secret_until) == ("", None)


def test_a_client_secret_that_can_not_be_decrypted_is_replaced_with_a_warning(settings: Any):
    apply(a_document())
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]

    summary = apply(a_document({"key": KEY, "client_secret": "entered anew"}))

    assert acme().client_secret == "entered anew"
    assert "can't be decrypted" in summary.warnings[0]
    with pytest.raises(SecretUnreadable):
        _ = acme().access_token
