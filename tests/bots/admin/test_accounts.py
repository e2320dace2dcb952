"""The page of an account."""

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from bots.models import Account
from bots.states import State
from tests.bots.admin.conftest import queries_of
from tests.cast import Cast, a_bot, a_model_choice, a_provider, an_account, an_exchange
from tests.promises.pages import add_page, errors_of, list_page, row_pages, submit


@pytest.fixture
def page(people: Cast) -> str:
    return row_pages(people.acme)["change"]


def again(account: Account) -> Account:
    return Account.objects.get(pk=account.pk)


def text_of(client: Client, address: str) -> str:
    return client.get(address).content.decode()


# ---- connection


def test_an_operator_adds_an_account_with_its_secrets(operator: Client):
    response = submit(
        operator,
        add_page(Account),
        name="New",
        subdomain="newshop",
        kommo_id="4242",
        client_id="5e0ba60f",
        new_client_secret="the-client-secret",
        new_access_token="the-access-token",
    )
    assert response.status_code == 302, errors_of(response)
    account = Account.objects.get(kommo_id=4242)
    assert (account.client_secret, account.access_token) == ("the-client-secret", "the-access-token")
    assert account.origin == "https://newshop.kommo.com"
    assert account.key


@pytest.mark.parametrize("who", ["owner", "editor", "viewer"])
def test_members_add_no_account(request: pytest.FixtureRequest, who: str):
    assert request.getfixturevalue(who).get(add_page(Account)).status_code == 403


def test_an_owner_changes_the_connection(owner: Client, people: Cast, page: str):
    response = submit(owner, page, name="Acme Bicycles", kommo_id="77", time_zone="Europe/Madrid")
    assert response.status_code == 302, errors_of(response)
    account = again(people.acme)
    assert (account.name, account.kommo_id, account.time_zone) == ("Acme Bicycles", 77, "Europe/Madrid")


def test_the_origin_follows_a_new_subdomain(owner: Client, people: Cast, page: str):
    submit(owner, page, subdomain="moved")
    assert again(people.acme).origin == "https://moved.kommo.com"


def test_an_origin_that_was_set_by_hand_stays(owner: Client, people: Cast, page: str):
    Account.objects.filter(pk=people.acme.pk).update(origin="https://acme.amocrm.com")
    submit(owner, page, subdomain="moved")
    assert again(people.acme).origin == "https://acme.amocrm.com"


def test_an_origin_outside_of_kommo_is_refused_with_the_rule(owner: Client, people: Cast, page: str):
    response = submit(owner, page, origin="https://evil.example.com")
    assert "must be https://SUBDOMAIN.kommo.com" in errors_of(response)
    assert again(people.acme).origin == people.acme.origin


def test_a_zone_that_is_no_place_stays_once_stored(owner: Client, people: Cast, page: str):
    Account.objects.filter(pk=people.acme.pk).update(time_zone="Etc/GMT+3")
    assert submit(owner, page, name="Other").status_code == 302
    assert again(people.acme).time_zone == "Etc/GMT+3"


def test_zones_are_suggested_and_an_unknown_one_is_refused(owner: Client, people: Cast, page: str):
    assert '<option value="America/Sao_Paulo">' in text_of(owner, page)
    assert "is not a time zone such as Europe/Madrid" in errors_of(submit(owner, page, time_zone="Mars/Base"))
    assert again(people.acme).time_zone == "UTC"


# ---- the address


def test_the_owner_reads_the_address_for_kommo(owner: Client, people: Cast, page: str):
    assert people.acme.hook_url in text_of(owner, page)


def test_a_new_address_replaces_the_old_one_and_honours_it(owner: Client, people: Cast):
    old = people.acme.key
    response = owner.post(row_pages(people.acme)["new-key"], {"key": ""}, follow=True)
    account = again(people.acme)
    assert account.key not in ("", old)
    assert account.hook_keys.get(value=old).is_honoured(timezone.now())
    assert "The address is new" in response.content.decode()
    assert LogEntry.objects.get().get_change_message() == "New address"


def test_a_key_of_ones_own_is_taken(owner: Client, people: Cast):
    owner.post(row_pages(people.acme)["new-key"], {"key": "our-own-key-of-acme"})
    assert again(people.acme).key == "our-own-key-of-acme"


@pytest.mark.parametrize("key", ["short", "with space in it", "ümläute-ümläute", "x" * 65], ids=lambda key: key[:8])
def test_a_key_of_the_wrong_form_is_refused(owner: Client, people: Cast, key: str):
    response = owner.post(row_pages(people.acme)["new-key"], {"key": key})
    assert response.status_code == 200
    assert again(people.acme).key == people.acme.key


def test_a_key_that_another_account_has_is_refused_in_a_sentence(owner: Client, people: Cast):
    response = owner.post(row_pages(people.acme)["new-key"], {"key": people.rival.key})
    assert "is taken. Choose another." in response.content.decode()
    assert again(people.acme).key == people.acme.key


def test_looking_at_the_question_makes_no_new_address(owner: Client, people: Cast):
    assert owner.get(row_pages(people.acme)["new-key"]).status_code == 200
    assert again(people.acme).key == people.acme.key


@pytest.mark.parametrize("who", ["editor", "viewer"])
def test_readers_make_no_new_address(request: pytest.FixtureRequest, people: Cast, page: str, who: str):
    client: Client = request.getfixturevalue(who)
    assert client.post(row_pages(people.acme)["new-key"], {"key": ""}).status_code == 403
    assert "new-key" not in text_of(client, page)


def test_the_end_of_the_previous_address_can_be_moved(owner: Client, people: Cast, page: str):
    old = people.acme.key
    people.acme.set_key("a-newer-key-of-acme", now=timezone.now())
    response = submit(owner, page, previous_key_until_0="2026-12-24", previous_key_until_1="18:00:00")
    assert response.status_code == 302, errors_of(response)
    assert people.acme.hook_keys.get(value=old).expires_at == datetime(2026, 12, 24, 18, tzinfo=UTC)
    assert again(people.acme).key == "a-newer-key-of-acme"


def test_a_hidden_end_that_is_posted_changes_nothing(owner: Client, people: Cast, page: str):
    submit(owner, page, previous_key_until_0="2026-12-24", previous_key_until_1="18:00:00")
    assert people.acme.hook_keys.get().expires_at is None


# ---- switching, deleting


def test_accounts_are_switched_off_and_on_in_the_list(owner: Client, people: Cast):
    picked = {"_selected_action": [people.acme.pk], "index": "0"}
    owner.post(list_page(Account), picked | {"action": "switch_off"})
    assert again(people.acme).enabled is False
    owner.post(list_page(Account), picked | {"action": "switch_on"})
    assert again(people.acme).enabled is True
    assert [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")] == ["Switched off", "Switched on"]


def test_a_viewer_switches_nothing_off(viewer: Client, people: Cast):
    viewer.post(list_page(Account), {"_selected_action": [people.acme.pk], "index": "0", "action": "switch_off"})
    assert again(people.acme).enabled is True


def test_an_operator_deletes_an_account_with_all_that_belongs_to_it(operator: Client, people: Cast):
    an_exchange(people.acme, state=State.DELIVERED, bot=a_bot(people.acme))
    a_bot(people.acme)
    address = row_pages(people.acme)["delete"]
    told = text_of(operator, address).lower()
    assert all(count in told for count in ("members: 3", "bots: 2", "exchanges: 1"))
    assert operator.post(address, {"post": "yes"}).status_code == 302
    assert not Account.objects.filter(pk=people.acme.pk).exists()


def test_an_account_with_an_open_exchange_is_not_deleted_and_says_why(operator: Client, people: Cast):
    an_exchange(people.acme, state=State.ANSWERING)
    address = row_pages(people.acme)["delete"]
    assert "an exchange that is still open" in text_of(operator, address)
    operator.post(address, {"post": "yes"})
    assert Account.objects.filter(pk=people.acme.pk).exists()


def test_an_exchange_that_comes_at_the_last_moment_saves_the_account(
    operator: Client, people: Cast, monkeypatch: pytest.MonkeyPatch
):
    an_exchange(people.acme, state=State.ANSWERING)
    answers = iter([False, True])  # none when the page looked, one when the account was to go
    monkeypatch.setattr(Account, "has_open_exchanges", lambda _account: next(answers))
    response = operator.post(row_pages(people.acme)["delete"], {"post": "yes"}, follow=True)
    assert "still open" in response.content.decode()
    assert Account.objects.filter(pk=people.acme.pk).exists()


@pytest.mark.parametrize("who", ["owner", "editor", "viewer"])
def test_members_delete_no_account(request: pytest.FixtureRequest, people: Cast, who: str):
    assert request.getfixturevalue(who).post(row_pages(people.acme)["delete"], {"post": "yes"}).status_code == 403
    assert Account.objects.filter(pk=people.acme.pk).exists()


def test_the_list_costs_the_same_number_of_queries_for_more_accounts(operator: Client, people: Cast):
    a_model_choice(a_bot(people.acme), a_provider(people.acme))
    before = queries_of(operator, list_page(Account))
    for _ in range(8):
        account = an_account()
        a_model_choice(a_bot(account), a_provider(account))
    assert queries_of(operator, list_page(Account)) == before


@pytest.mark.parametrize("term", ["Acme", "31331", "x" * 300, "9" * 40, "'; --", "%"], ids=lambda term: term[:6])
def test_any_search_is_answered(operator: Client, people: Cast, term: str):
    assert operator.get(list_page(Account), {"q": term}).status_code == 200
