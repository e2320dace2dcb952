"""Refusals: what a wrong setting caused is remembered for the owner, until a request is taken again."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from bots import refusals
from bots.admin.explained import REFUSALS
from bots.kommo import TokenRefused
from bots.models import Account, Exchange
from bots.refusals import AGAIN, OF_SETTINGS, remember
from tests.bots.door import Door
from tests.cast import a_bot, an_account

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WRONG = TokenRefused("signature", "must be signed with the account's client secret")


@pytest.fixture
def door(db: None) -> Door:
    """Give the door of an account with a bot."""
    account = an_account()
    a_bot(account)
    return Door(account)


def refusal(account: Account) -> str:
    account.refresh_from_db()
    return account.refused_code


def test_a_wrong_secret_is_remembered_until_a_request_is_taken(door: Door):
    right, door.account.client_secret = door.account.client_secret, "another secret of thirty-two letters"
    door.account.save()
    assert door.knock(door.body(token=door.token(secret=right))).status_code == 401
    assert refusal(door.account) == "signature"

    door.account.client_secret = right
    door.account.save()
    assert door.knock().status_code == 200
    assert refusal(door.account) == ""


def test_a_request_that_is_stored_is_taken_also_when_the_hint_can_not_be_written(
    door: Door, monkeypatch: pytest.MonkeyPatch
):
    def fails(**_: object) -> None:
        raise OperationalError("the database has gone")

    Account.objects.update(refused_code="signature")
    monkeypatch.setattr(refusals, "Account", SimpleNamespace(objects=SimpleNamespace(filter=fails)))

    assert door.knock().status_code == 200
    assert Exchange.objects.count() == 1


def test_an_answer_address_of_elsewhere_is_remembered(door: Door):
    elsewhere = "https://elsewhere.example/api/v4/salesbot/1/continue/2"
    assert door.knock(door.body(return_url=elsewhere)).status_code == 400
    assert refusal(door.account) == "return_url"


def test_a_call_without_a_token_is_a_strangers_and_remembered_by_nobody(door: Door):
    assert door.knock(door.body(token="")).status_code == 401
    assert refusal(door.account) == ""


@pytest.mark.django_db
def test_a_flood_of_refusals_writes_once_in_a_while():
    account = an_account()
    for second in range(int(AGAIN.total_seconds())):
        remember(Account.objects.get(pk=account.pk), WRONG, now=NOON + timedelta(seconds=second))
    account.refresh_from_db()
    assert account.refused_at == NOON

    remember(account, WRONG, now=NOON + AGAIN)
    account.refresh_from_db()
    assert account.refused_at == NOON + AGAIN


def test_every_refusal_that_is_remembered_has_a_sentence_with_its_remedy():
    assert set(REFUSALS) == OF_SETTINGS
