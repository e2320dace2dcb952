"""What an account is told to need."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bots.account_widgets import widget_of
from bots.admin.attention import findings, with_what_matters
from bots.admin.explained import REFUSALS
from bots.models import Account
from bots.refusals import OF_SETTINGS
from tests.bots.admin.conftest import queries_of
from tests.bots.door import Door
from tests.cast import NOON, Cast, a_bot, a_member, a_model_choice, a_provider, an_account, an_exchange
from tests.promises.pages import list_page, row_pages


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


def test_a_missing_integration_id_is_told(owner: Client, people: Cast, page: str):
    Account.objects.filter(pk=people.acme.pk).update(client_id="")
    assert "The integration id is missing" in text_of(owner, page)


def test_a_wrong_secret_is_told_everywhere_until_a_request_is_taken(owner: Client, people: Cast, page: str):
    a_model_choice(a_bot(people.acme), a_provider(people.acme))
    door = Door(people.acme)
    sentence = "it is not signed with the secret key that is entered here"
    pages = (page, list_page(Account), reverse("admin:index"))
    forged = door.body(token=door.token(secret="a secret that nobody entered, long enough"))
    assert door.knock(forged).status_code == 401
    assert all(sentence in text_of(owner, address) for address in pages)
    assert door.knock().status_code == 200
    assert not any(sentence in text_of(owner, address) for address in pages)


@pytest.mark.parametrize("code", sorted(OF_SETTINGS))
def test_every_refusal_is_bad_and_has_its_time(people: Cast, code: str):
    Account.objects.filter(pk=people.acme.pk).update(refused_at=NOON, refused_code=code)
    account = with_what_matters(Account.objects.all()).get(pk=people.acme.pk)
    found = next(one for one in findings(account) if one.text == str(REFUSALS[code]))
    assert (found.level, found.at) == ("bad", NOON)


def test_a_short_key_is_told(owner: Client, people: Cast, page: str):
    people.acme.set_key("acme-key", now=timezone.now())
    assert "might be guessed" in text_of(owner, page)


# ---- the widget


def after_build(account: Account, *, version: str = "1.0.10") -> None:
    widget_of(account, version=version)


@pytest.mark.parametrize("running", ["1.0.9", "1.0.2", "0.9.0"])
def test_a_salesbot_with_an_older_widget_is_told_with_what_to_do(owner: Client, people: Cast, page: str, running: str):
    after_build(people.acme)
    an_exchange(people.acme, widget_version=running, salesbot_id="71")
    told = text_of(owner, page)
    assert f"The Salesbot 71 still runs widget {running}; 1.0.10 is the newest: upload it, then open each" in told
    assert "still runs" in text_of(owner, reverse("admin:index"))


@pytest.mark.parametrize("running", ["1.0.10", "1.0.11", "1.1.0", "10.0.0", "sandbox", "1.0"])
def test_a_salesbot_that_runs_no_older_widget_is_not_told(owner: Client, people: Cast, page: str, running: str):
    after_build(people.acme)
    an_exchange(people.acme, widget_version=running)
    assert "still runs" not in text_of(owner, page)


def test_the_latest_request_decides(owner: Client, people: Cast, page: str):
    after_build(people.acme)
    an_exchange(people.acme, widget_version="1.0.10", received_at=NOON)
    an_exchange(people.acme, widget_version="1.0.1", received_at=NOON - timedelta(hours=1))
    an_exchange(people.rival, widget_version="1.0.1", received_at=NOON + timedelta(hours=1))
    assert "still runs" not in text_of(owner, page)


def test_an_account_that_built_no_widget_compares_nothing(owner: Client, people: Cast, page: str):
    an_exchange(people.acme, widget_version="1.0.1")
    assert "still runs" not in text_of(owner, page)


def test_requests_without_a_version_are_told_as_a_flow_of_ones_own(owner: Client, people: Cast, page: str):
    assert "Requests come without a widget version" not in text_of(owner, page)
    an_exchange(people.acme, widget_version="")
    assert "Requests come without a widget version" in text_of(owner, page)
    assert "Requests come without" not in text_of(owner, reverse("admin:index"))


def test_an_address_that_changed_after_the_widget_was_built_is_told(owner: Client, people: Cast, page: str):
    after_build(people.acme)
    sentence = "The address for Kommo changed after widget 1.0.10 was built: download the widget again and upload it"
    assert sentence not in text_of(owner, page)
    people.acme.set_key("a-newer-hook-key-of-acme", now=timezone.now())
    assert sentence in text_of(owner, page)
    assert "changed after widget" in text_of(owner, reverse("admin:index"))
    widget_of(again(people.acme))
    assert sentence not in text_of(owner, page)


def test_other_content_is_no_more_than_a_note(owner: Client, people: Cast, page: str):
    after_build(people.acme)
    sentence = "The widget holds something else today than when 1.0.10 was built"
    assert sentence not in text_of(owner, page)
    Account.objects.filter(pk=people.acme.pk).update(name="Acme Bikes")
    assert sentence in text_of(owner, page)
    assert sentence not in text_of(owner, reverse("admin:index"))


def test_a_widget_that_cant_be_built_breaks_no_page(owner: Client, people: Cast, page: str, settings: Any):
    after_build(people.acme)
    settings.PUBLIC_URL = "nowhere"
    assert owner.get(page).status_code == owner.get(list_page(Account)).status_code == 200


def test_widgets_cost_the_lists_the_same_number_of_queries_for_more_accounts(operator: Client, people: Cast):
    def busy(account: Account) -> None:
        after_build(account)
        a_member(account)
        an_exchange(account, widget_version="1.0.1")

    busy(people.acme)
    before = [queries_of(operator, address) for address in (list_page(Account), reverse("admin:index"))]
    for _ in range(6):
        busy(an_account())
    assert [queries_of(operator, address) for address in (list_page(Account), reverse("admin:index"))] == before


def test_while_the_newest_widget_has_an_old_address_nobody_is_told_to_upload_it(owner: Client, people: Cast, page: str):
    after_build(people.acme)
    an_exchange(people.acme, widget_version="1.0.1")
    assert "1.0.10 is the newest" in text_of(owner, page)
    people.acme.set_key("a-newer-hook-key-of-acme", now=timezone.now())
    assert "1.0.10 is the newest" not in text_of(owner, page)
