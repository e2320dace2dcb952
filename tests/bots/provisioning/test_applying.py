"""What becomes of a document: rows, again and again."""

from decimal import Decimal
from typing import Any

import pytest

from bots.models import Account, Bot, HookKey, Membership, Provider, User
from tests.bots.provisioning.documents import ACCOUNT, KEY, NOON, a_document, acme, apply

pytestmark = pytest.mark.django_db

# what becomes of a document


def test_a_document_makes_the_account_with_all_that_belongs_to_it():
    summary = apply(a_document())

    account = acme()
    assert (account.name, account.subdomain, account.key) == ("Acme", "acme", KEY)
    assert account.origin == "https://acme.kommo.com"
    assert (account.client_id, account.client_secret) == ("11111111-2222", "first client secret")
    assert account.access_token == "long-lived token"
    assert [(m.user.email, m.role) for m in account.memberships.all()] == [("owner@acme.test", "owner")]
    provider = account.providers.get()
    assert (provider.provider, provider.api_key, provider.api_base) == ("openai", "sk-main", "https://llm.acme.com/v1")
    bot = account.bots.get()
    assert (bot.slug, bot.prompt, bot.knowledge) == ("sales", "You sell tea.", "Tea is 5 euros.")
    assert [(choice.provider, choice.model) for choice in bot.model_choices.all()] == [(provider, "gpt-4o-mini")]
    assert summary.accounts[0].hook_url.endswith(f"/kommo/{KEY}/widget-request/")


def test_the_same_document_twice_changes_nothing_the_second_time():
    apply(a_document())
    before = list(Account.objects.values_list("client_secret", "access_token")), list(Bot.objects.values())

    summary = apply(a_document())

    assert {fate for _, fate in summary.counts} == {"unchanged"}
    assert [len(model.objects.all()) for model in (Account, HookKey, User, Membership, Provider, Bot)] == [1] * 6
    after = list(Account.objects.values_list("client_secret", "access_token")), list(Bot.objects.values())
    assert before == after


def test_what_is_left_out_keeps_its_value_and_nothing_is_deleted():
    apply(a_document())

    apply(a_document({"key": KEY, "name": "Acme Tea", "bots": [{"slug": "sales", "temperature": 0.5}]}))

    account = acme()
    assert (account.name, account.client_secret, account.access_token) == (
        "Acme Tea",
        "first client secret",
        "long-lived token",
    )
    bot = account.bots.get()
    assert (bot.temperature, bot.prompt) == (0.5, "You sell tea.")
    assert bot.model_choices.count() == account.providers.count() == account.memberships.count() == 1


def test_the_counts_tell_what_was_created_updated_and_left():
    apply(a_document())
    more = [{"slug": "sales", "name": "Sales 2"}, {"slug": "support", "prompt": "You help."}]

    summary = apply(a_document(bots=more))

    assert summary.counts == {
        ("accounts", "unchanged"): 1,
        ("members", "unchanged"): 1,
        ("providers", "unchanged"): 1,
        ("bots", "updated"): 1,
        ("bots", "created"): 1,
    }
    assert summary.told("created") == "bots 1"


@pytest.mark.parametrize(
    ("values", "field", "stored"),
    [
        ({"enabled": False}, "enabled", False),
        ({"time_zone": "Europe/Madrid"}, "time_zone", "Europe/Madrid"),
        ({"origin": "https://acme.amocrm.ru"}, "origin", "https://acme.amocrm.ru"),
        ({"previous_client_secret": "older"}, "previous_client_secret", "older"),
    ],
    ids=["switched off", "time zone", "another domain", "previous secret"],
)
def test_other_fields_of_an_account_go_by_their_names(values: dict[str, Any], field: str, stored: object):
    apply(a_document(**values))

    assert getattr(acme(), field) == stored


def test_every_field_of_a_bot_goes_by_its_name():
    values = {
        "slug": "sales",
        "name": "Sales",
        "is_default": True,
        "enabled": False,
        "prompt": " spaces stay \n",
        "knowledge": "k",
        "temperature": 0,
        "max_tokens": 300,
        "history_messages": 7,
        "deadline_s": 55,
        "fallback_text": "f",
        "empty_text": "e",
        "outputs": [{"name": "city", "type": "text", "description": "where", "choices": ["Madrid"]}],
        "delivery": "chunks",
        "offers_buttons": True,
        "links": [{"text": "Prices", "url": "https://acme.test/prices", "description": "when asked for prices"}],
        "routes": {"handoff": {"exit": "success"}, "fail": {"goto": {"type": "question", "step": 4}}},
    }
    apply(a_document(bots=[values]))

    bot = acme().bots.get()
    assert {name: getattr(bot, name) for name in values} == values


def test_what_a_bot_offers_is_taken_back_by_empty_values():
    links = [{"text": "Prices", "url": "https://acme.test/prices"}]
    given = {**ACCOUNT["bots"][0], "links": links, "routes": {"fail": {"exit": "silent"}}, "offers_buttons": True}
    apply(a_document(bots=[given]))
    apply(a_document(bots=[{"slug": "sales", "links": [], "routes": {}}]))
    bot = acme().bots.get()
    assert (bot.links, bot.routes, bot.offers_buttons) == ([], {}, True)


def test_the_fields_of_an_integration_may_stand_beside_the_others():
    flat = {name: value for name, value in ACCOUNT.items() if name != "integration"}
    apply(a_document({**flat, "client_id": "flat", "client_secret": "beside"}))

    assert (acme().client_id, acme().client_secret) == ("flat", "beside")


def test_a_new_account_and_a_new_bot_without_a_name_are_named_after_what_they_have():
    nameless = {name: value for name, value in ACCOUNT.items() if name != "name"}
    apply(a_document({**nameless, "bots": [{"slug": "sales", "prompt": "You sell."}]}))

    assert (acme().name, acme().bots.get().name) == ("acme", "sales")


@pytest.mark.parametrize(
    "secret",
    ["  spaces  ", "çñ漢字🙂", "x" * 5000, "-----BEGIN CERTIFICATE-----\nA\n", "\ud800", "a\x00b", "0"],
    ids=["spaces", "other scripts", "long", "like a certificate", "lone surrogate", "NUL", "short"],
)
def test_secrets_of_any_form_are_kept_character_for_character(secret: str):
    apply(
        a_document(
            integration={"client_id": "c", "client_secret": secret},
            access_token=secret,
            providers=[{"name": "main", "provider": "openai", "api_key": secret}],
        )
    )

    assert acme().client_secret == acme().access_token == acme().providers.get().api_key == secret


def test_an_account_whose_subdomain_changes_takes_its_usual_origin_along():
    apply(a_document())
    apply(a_document({"key": KEY, "subdomain": "acme-two"}))
    assert acme().origin == "https://acme-two.kommo.com"


def test_an_origin_of_its_own_stays_when_the_subdomain_changes():
    apply(a_document(origin="https://acme.amocrm.com"))
    apply(a_document({"key": KEY, "subdomain": "acme-two"}))
    assert acme().origin == "https://acme.amocrm.com"


# members, providers, bots


def test_a_password_is_set_only_when_its_user_is_created():
    apply(a_document())
    apply(a_document(members=[{"email": "owner@acme.test", "password": "another long password"}]))

    user = User.objects.get()
    assert user.check_password("a good long password")
    assert not user.check_password("another long password")


def test_a_member_is_found_by_address_whatever_its_case_and_keeps_the_role():
    apply(a_document())
    apply(a_document(members=[{"email": "OWNER@Acme.Test"}]))

    assert [(m.user.email, m.role) for m in acme().memberships.all()] == [("owner@acme.test", "owner")]


def test_one_user_can_be_a_member_of_two_accounts():
    rival = {**ACCOUNT, "key": "the-key-of-the-rival", "kommo_id": 4, "subdomain": "rival"}
    apply(a_document(ACCOUNT, {**rival, "members": [{"email": "owner@acme.test", "role": "viewer"}]}))

    user = User.objects.get()
    assert sorted(user.memberships.values_list("account__subdomain", "role")) == [
        ("acme", "owner"),
        ("rival", "viewer"),
    ]


def test_a_user_without_a_password_can_not_log_in():
    apply(a_document(members=[{"email": "owner@acme.test"}]))
    assert not User.objects.get().has_usable_password()


def test_a_weak_password_is_taken_with_a_warning_that_does_not_hold_it():
    summary = apply(a_document(members=[{"email": "owner@acme.test", "password": "tea"}]))

    assert User.objects.get().check_password("tea")
    assert summary.warnings[0].startswith("accounts[0].members[0].password: is weak.")
    assert "'tea'" not in summary.warnings[0]


def test_the_first_bot_listed_becomes_the_default_of_an_account_that_has_none():
    apply(a_document(bots=[{"slug": "one", "prompt": "1"}, {"slug": "two", "prompt": "2"}]))
    assert acme().bots.get(is_default=True).slug == "one"

    apply(a_document(bots=[{"slug": "three", "prompt": "3"}]))
    assert acme().bots.get(is_default=True).slug == "one"


def test_a_bot_that_is_to_be_the_default_takes_over_from_the_one_before():
    apply(a_document(bots=[{"slug": "one", "prompt": "1"}]))
    apply(a_document(bots=[{"slug": "two", "prompt": "2", "is_default": True}]))

    assert acme().bots.get(is_default=True).slug == "two"


def test_the_models_of_a_bot_are_replaced_when_they_are_given():
    two = [{"name": "main"}, {"name": "spare", "provider": "anthropic", "api_key": "k"}]
    choices = [
        {"provider": "spare", "model": "claude", "input_price": 3, "output_price": "15.5"},
        {"provider": "main", "model": "gpt-4o"},
    ]
    apply(a_document())
    apply(a_document(providers=two, bots=[{"slug": "sales", "models": choices}]))

    found = acme().bots.get().model_choices.all()
    assert [(c.position, c.provider.name, c.model, c.input_price, c.output_price) for c in found] == [
        (0, "spare", "claude", Decimal(3), Decimal("15.5")),
        (1, "main", "gpt-4o", None, None),
    ]


def test_an_empty_list_of_models_takes_them_all_away():
    apply(a_document())
    apply(a_document(bots=[{"slug": "sales", "models": []}]))
    assert acme().bots.get().model_choices.count() == 0


def test_models_that_stay_the_same_are_not_written_again():
    apply(a_document())
    before = list(acme().bots.get().model_choices.values_list("pk", flat=True))
    apply(a_document())
    assert list(acme().bots.get().model_choices.values_list("pk", flat=True)) == before


def test_an_archived_provider_or_bot_that_is_named_is_in_use_again():
    apply(a_document())
    acme().providers.get().archive(NOON)
    acme().bots.get().archive(NOON)

    apply(a_document())

    assert acme().providers.get().archived_at is None
    assert (acme().bots.get().archived_at, acme().bots.get().is_default) == (None, True)


# the demo's mark


def test_what_the_demo_creates_is_marked_and_what_was_there_is_not():
    apply(a_document(members=[{"email": "old@acme.test"}]))
    demo = {**ACCOUNT, "key": "the-key-of-the-demo-account", "kommo_id": 1, "subdomain": "demo"}
    members = [{"email": "old@acme.test"}, {"email": "new@demo.test"}]

    apply(a_document(ACCOUNT, {**demo, "members": members}), is_demo=True)

    assert dict(Account.objects.values_list("subdomain", "is_demo")) == {"acme": False, "demo": True}
    assert dict(User.objects.values_list("email", "is_demo")) == {
        "old@acme.test": False,
        "owner@acme.test": True,
        "new@demo.test": True,
    }
