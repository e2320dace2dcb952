"""What an account is told to need."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bots.models import Account
from tests.cast import Cast, a_bot, a_model_choice, a_provider
from tests.promises.pages import row_pages


@pytest.fixture
def page(people: Cast) -> str:
    return row_pages(people.acme)["change"]


def again(account: Account) -> Account:
    return Account.objects.get(pk=account.pk)


def text_of(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_an_account_that_lacks_nothing_shows_no_notice(owner: Client, people: Cast, page: str):
    a_model_choice(a_bot(people.acme), a_provider(people.acme))
    assert "kb-banner" not in text_of(owner, page)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"client_secret": ""}, "secret key is missing"),
        ({"access_token": ""}, "long-lived token is missing"),
        ({"enabled": False}, "The account is switched off"),
    ],
    ids=["no client secret", "no token", "switched off"],
)
def test_what_an_account_lacks_is_told(owner: Client, people: Cast, page: str, change: dict[str, Any], sentence: str):
    Account.objects.filter(pk=people.acme.pk).update(**change)
    assert sentence in text_of(owner, page)


def test_an_account_without_a_bot_is_told_so(owner: Client, page: str):
    assert "There is no default bot" in text_of(owner, page)


def test_a_bot_without_a_model_is_told(owner: Client, people: Cast, page: str):
    a_bot(people.acme, name="Sales")
    assert "The bot Sales has no model" in text_of(owner, page)


def test_a_provider_without_a_key_is_told(owner: Client, people: Cast, page: str):
    a_model_choice(a_bot(people.acme), a_provider(people.acme, name="main", api_key=""))
    assert "The provider main has no API key" in text_of(owner, page)


def test_a_demo_provider_needs_no_key(owner: Client, people: Cast, page: str):
    a_model_choice(a_bot(people.acme), a_provider(people.acme, provider="demo", api_key=""))
    assert "no API key" not in text_of(owner, page)


def test_a_short_key_is_told(owner: Client, people: Cast, page: str):
    people.acme.set_key("acme-key", now=timezone.now())
    assert "might be guessed" in text_of(owner, page)
