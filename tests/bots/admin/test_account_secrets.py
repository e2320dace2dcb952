"""Secrets on the page of an account: they go in and never come out."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from bots.models import Account
from bots.models.accounts import GRACE
from tests.cast import NOON, Cast
from tests.promises.pages import errors_of, row_pages, submit


@pytest.fixture
def page(people: Cast) -> str:
    return row_pages(people.acme)["change"]


def again(account: Account) -> Account:
    return Account.objects.get(pk=account.pk)


def text_of(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_a_secret_is_shown_by_its_end_alone(owner: Client, people: Cast, page: str):
    shown = text_of(owner, page)
    assert "set, ends in …" + people.acme.client_secret[-4:] in shown
    assert people.acme.client_secret not in shown
    assert people.acme.access_token not in shown


def test_an_empty_input_keeps_every_secret(owner: Client, people: Cast, page: str):
    assert submit(owner, page, name="Other").status_code == 302
    account = again(people.acme)
    assert (account.client_secret, account.access_token) == (people.acme.client_secret, people.acme.access_token)
    assert not account.previous_client_secret


def test_a_new_client_secret_leaves_the_old_one_honoured_for_72_hours(owner: Client, people: Cast, page: str):
    assert submit(owner, page, new_client_secret=" the-new-secret \n").status_code == 302
    account = again(people.acme)
    assert (account.client_secret, account.previous_client_secret) == ("the-new-secret", people.acme.client_secret)
    assert account.previous_client_secret_until is not None
    assert abs(account.previous_client_secret_until - (timezone.now() + GRACE)) < timedelta(minutes=1)
    assert account.token_secrets(timezone.now()) == ["the-new-secret", people.acme.client_secret]


def test_the_end_of_the_previous_secret_is_typed_in_the_accounts_zone(owner: Client, people: Cast, page: str):
    Account.objects.filter(pk=people.acme.pk).update(time_zone="Asia/Tokyo")
    account = again(people.acme)
    account.set_client_secret("the-new-secret", now=NOON)
    account.save()
    assert 'value="21:00:00"' in text_of(owner, page)  # noon and 72 hours, in Tokyo
    submit(owner, page, previous_client_secret_until_0="2026-12-01", previous_client_secret_until_1="09:30:00")
    assert again(people.acme).previous_client_secret_until == datetime(2026, 12, 1, 0, 30, tzinfo=UTC)


def test_a_previous_secret_is_cleared_with_its_end(owner: Client, people: Cast, page: str):
    account = again(people.acme)
    account.set_client_secret("the-new-secret", now=timezone.now())
    account.save()
    response = submit(owner, page, **{"new_previous_client_secret-clear": "on"})
    assert response.status_code == 302, errors_of(response)
    account = again(people.acme)
    assert (account.previous_client_secret, account.previous_client_secret_until) == ("", None)


def test_a_ticked_box_clears_a_secret(owner: Client, people: Cast, page: str):
    assert submit(owner, page, **{"new_access_token-clear": "on"}).status_code == 302
    assert again(people.acme).access_token == ""
    assert "not set" in text_of(owner, page)


def test_a_new_secret_and_the_wish_to_clear_are_refused_together(owner: Client, people: Cast, page: str):
    response = submit(owner, page, new_access_token="new", **{"new_access_token-clear": "on"})
    assert "not both" in errors_of(response)
    assert again(people.acme).access_token == people.acme.access_token


def test_a_refused_form_does_not_show_what_was_typed(owner: Client, page: str):
    response = submit(owner, page, new_access_token="typed-just-now", kommo_id="none")
    assert response.status_code == 200
    assert "typed-just-now" not in response.content.decode()


def test_the_history_names_the_field_and_not_the_secret(owner: Client, people: Cast, page: str):
    submit(owner, page, new_access_token="a-new-access-token", new_client_secret="a-new-client-secret")
    entry = LogEntry.objects.get()
    assert "Long-lived token" in entry.get_change_message()
    assert "Secret key" in entry.get_change_message()
    assert "a-new" not in str(vars(entry))
    assert "a-new" not in text_of(owner, row_pages(people.acme)["history"])


def test_a_secret_that_cannot_be_decrypted_is_told_and_can_be_set_anew(owner: Client, people: Cast, page: str):
    Account.objects.filter(pk=people.acme.pk).update(uuid="00000000-0000-4000-8000-000000000000")
    assert "can&#x27;t be decrypted" in text_of(owner, page)
    assert submit(owner, page, new_access_token="again").status_code == 302
    assert again(people.acme).access_token == "again"


def test_a_new_token_ends_the_trouble_that_the_old_one_made(owner: Client, people: Cast, page: str):
    Account.objects.filter(pk=people.acme.pk).update(trouble="Kommo does not accept the token.", trouble_at=NOON)
    shown = text_of(owner, page)
    assert "Kommo does not accept the token." in shown
    assert "since 24 Nov 2026, 12:00" in shown
    submit(owner, page, new_access_token="a-new-token")
    assert "Kommo does not accept the token." not in text_of(owner, page)


@pytest.mark.parametrize("who", ["editor", "viewer"])
def test_readers_see_that_a_secret_is_set_and_no_input(
    request: pytest.FixtureRequest, people: Cast, page: str, who: str
):
    shown = text_of(request.getfixturevalue(who), page)
    assert "set, ends in …" in shown
    assert 'type="password"' not in shown
    assert people.acme.client_secret not in shown
    assert people.acme.key not in shown


def test_readers_are_told_how_long_the_previous_secret_is_honoured(viewer: Client, people: Cast, page: str):
    Account.objects.filter(pk=people.acme.pk).update(time_zone="Asia/Tokyo")
    account = again(people.acme)
    account.set_client_secret("the-new-secret", now=NOON)
    account.save()
    assert "27 Nov 2026, 21:00 JST" in text_of(viewer, page)


def test_the_history_tells_its_time_zone(owner: Client, people: Cast, page: str):
    submit(owner, page, name="Other", time_zone="Asia/Tokyo")
    assert "Times: Asia/Tokyo" in text_of(owner, row_pages(people.acme)["history"])


def test_a_previous_secret_that_the_page_does_not_offer_is_not_taken(owner: Client, people: Cast, page: str):
    assert submit(owner, page, new_previous_client_secret="smuggled-in").status_code == 302
    assert again(people.acme).previous_client_secret == ""
