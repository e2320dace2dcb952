"""The page of a provider."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from bots.models import Provider
from tests.cast import Cast, a_bot, a_model_choice, a_provider, an_attempt, an_exchange
from tests.promises.pages import add_page, errors_of, list_page, row_pages, submit


@pytest.fixture
def provider(people: Cast) -> Provider:
    return a_provider(people.acme, name="main", api_key="sk-the-present-key-of-acme")


def again(provider: Provider) -> Provider:
    return Provider.objects.get(pk=provider.pk)


def test_an_owner_adds_a_provider(owner: Client, people: Cast):
    response = submit(owner, add_page(Provider), name="main", provider="openai", new_api_key="sk-brand-new-key")
    assert response.status_code == 302, errors_of(response)
    provider = Provider.objects.get()
    assert (provider.account, provider.name, provider.provider) == (people.acme, "main", "openai")
    assert provider.api_key == "sk-brand-new-key"


def test_the_key_is_shown_by_its_end_alone_on_the_page_and_in_the_list(owner: Client, provider: Provider):
    for address in (row_pages(provider)["change"], list_page(Provider)):
        shown = owner.get(address).content.decode()
        assert "set, ends in …acme" in shown
        assert "sk-the-present-key" not in shown


def test_an_empty_input_keeps_the_key(owner: Client, provider: Provider):
    assert submit(owner, row_pages(provider)["change"], name="renamed").status_code == 302
    assert (again(provider).name, again(provider).api_key) == ("renamed", "sk-the-present-key-of-acme")


def test_a_new_key_replaces_the_old_one_and_the_history_holds_neither(owner: Client, provider: Provider):
    submit(owner, row_pages(provider)["change"], new_api_key="sk-the-next-key-of-acme")
    assert again(provider).api_key == "sk-the-next-key-of-acme"
    entry = LogEntry.objects.get()
    assert entry.get_change_message() == "Changed API key."
    assert "sk-" not in str(vars(entry))


def test_a_key_is_cleared(owner: Client, provider: Provider):
    submit(owner, row_pages(provider)["change"], **{"new_api_key-clear": "on"})
    assert again(provider).api_key == ""


def test_an_unknown_vendor_is_refused(owner: Client, provider: Provider):
    response = submit(owner, row_pages(provider)["change"], provider="ollama")
    assert "Select a valid choice" in errors_of(response)


def test_a_vendor_that_is_no_longer_offered_is_shown_and_refused_with_the_list(owner: Client, provider: Provider):
    Provider.objects.filter(pk=provider.pk).update(provider="bygone")
    assert "bygone (no longer offered)" in owner.get(row_pages(provider)["change"]).content.decode()
    assert "must be one of openai" in errors_of(submit(owner, row_pages(provider)["change"]))


def test_a_private_base_address_is_refused_with_the_rule(owner: Client, provider: Provider, settings):
    settings.LLM_ALLOW_PRIVATE_HOSTS = False
    response = submit(owner, row_pages(provider)["change"], api_base="http://127.0.0.1:9102/v1")
    assert "api_base" in errors_of(response)
    assert again(provider).api_base == ""


def test_a_name_that_the_account_has_already_is_refused(owner: Client, people: Cast, provider: Provider):
    a_provider(people.acme, name="second")
    response = submit(owner, row_pages(provider)["change"], name="second")
    assert "already has a provider of this name" in errors_of(response)


def test_the_same_name_in_another_account_is_free(owner: Client, people: Cast, provider: Provider):
    a_provider(people.rival, name="theirs")
    assert submit(owner, row_pages(provider)["change"], name="theirs").status_code == 302


@pytest.mark.parametrize("who", ["editor", "viewer"])
def test_readers_change_no_provider(request: pytest.FixtureRequest, provider: Provider, who: str):
    client: Client = request.getfixturevalue(who)
    assert client.get(add_page(Provider)).status_code == 403
    assert client.post(row_pages(provider)["change"], {"name": "x"}).status_code == 403
    shown = client.get(row_pages(provider)["change"]).content.decode()
    assert "set, ends in …acme" in shown
    assert 'type="password"' not in shown


# ---- archiving


def test_a_provider_that_bots_use_is_archived_and_not_deleted(owner: Client, people: Cast, provider: Provider):
    a_model_choice(a_bot(people.acme, name="Sales"), provider)
    assert "1 models of bots use it. Archive it instead." in owner.get(row_pages(provider)["delete"]).content.decode()
    owner.post(row_pages(provider)["delete"], {"post": "yes"})
    assert again(provider).archived_at is None
    assert "skip its models from then on: Sales" in owner.get(row_pages(provider)["archive"]).content.decode()
    owner.post(row_pages(provider)["archive"])
    assert again(provider).archived_at is not None
    assert LogEntry.objects.get().get_change_message() == "Archive"


def test_a_provider_that_past_exchanges_name_is_not_deleted(owner: Client, people: Cast, provider: Provider):
    an_attempt(an_exchange(people.acme), provider=provider)
    owner.post(row_pages(provider)["delete"], {"post": "yes"})
    assert Provider.objects.filter(pk=provider.pk).exists()
    assert "Delete" not in owner.get(row_pages(provider)["change"]).content.decode()


def test_a_provider_without_a_past_is_deleted(owner: Client, provider: Provider):
    assert "/delete/" in owner.get(row_pages(provider)["change"]).content.decode()
    owner.post(row_pages(provider)["delete"], {"post": "yes"})
    assert not Provider.objects.filter(pk=provider.pk).exists()


def test_an_archived_provider_leaves_the_list_until_it_is_asked_for_and_comes_back(owner: Client, provider: Provider):
    owner.post(row_pages(provider)["archive"])
    listed = {
        query: list(owner.get(list_page(Provider) + query).context["cl"].result_list) for query in ("", "?archived=yes")
    }
    assert listed == {"": [], "?archived=yes": [provider]}
    owner.post(row_pages(provider)["restore"])
    assert again(provider).archived_at is None


def test_only_the_step_that_fits_is_offered(owner: Client, provider: Provider):
    assert owner.post(row_pages(provider)["restore"]).status_code == 403
    owner.post(row_pages(provider)["archive"])
    assert owner.post(row_pages(provider)["archive"]).status_code == 403
    shown = owner.get(row_pages(provider)["change"]).content.decode()
    assert ("/restore/" in shown, "/archive/" in shown) == (True, False)
