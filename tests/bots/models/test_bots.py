"""The bot: its declared outputs, its limits, the one default, its list of models."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import RestrictedError

from bots.models import Bot, ModelChoice, Provider
from bots.models.bot_settings import OUTPUTS_MAX, check_outputs
from tests.cast import a_bot, a_provider, an_account, an_attempt, an_exchange

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

# declared outputs


@pytest.mark.parametrize(
    "outputs",
    [
        [],
        [{"name": "city"}],
        [{"name": "Is_big_2", "type": "boolean", "description": "…"}, {"name": "price", "type": "number"}],
        [{"name": "city", "type": "text", "choices": ["Madrid", "Lima"]}],
        [{"name": f"n{number}"} for number in range(OUTPUTS_MAX)],
        [{"name": "x" * 40}],
    ],
    ids=["none", "only a name", "two", "choices", "as many as allowed", "the longest name"],
)
def test_outputs_that_a_salesbot_can_branch_on_pass(outputs: object):
    check_outputs(outputs)


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ({}, "must be a list"),
        ("city", "must be a list"),
        (None, "must be a list"),
        ([{"name": f"n{number}"} for number in range(OUTPUTS_MAX + 1)], "at most 20"),
        (["city"], "output 1: must be an object"),
        ([{"name": "a"}, {"name": "b", "typ": "text"}], "output 2: must be an object"),
        ([{}], "output 1: name must be"),
        ([{"name": 5}], "output 1: name must be"),
        ([{"name": "9a"}], "output 1: name must be"),
        ([{"name": "a-b"}], "output 1: name must be"),
        ([{"name": "ciudad_é"}], "output 1: name must be"),
        ([{"name": "x" * 41}], "output 1: name must be"),
        ([{"name": "a\n"}], "output 1: name must be"),
        ([{"name": "message"}], "output 1: name must be"),
        ([{"name": "status"}], "output 1: name must be"),
        ([{"name": "show"}], "output 1: name must be"),
        ([{"name": "a", "type": "date"}], "output 1: type must be one of text, number, boolean"),
        ([{"name": "a", "type": ["text"]}], "output 1: type must be"),
        ([{"name": "a", "choices": "Madrid"}], "choices a list of texts"),
        ([{"name": "a", "choices": [1]}], "choices a list of texts"),
        ([{"name": "a", "description": 5}], "description must be text"),
        ([{"name": "a"}, {"name": "a"}], "a name of its own"),
    ],
    ids=str,
)
def test_outputs_that_a_salesbot_could_not_use_are_refused_with_the_entry(outputs: object, told: str):
    with pytest.raises(ValidationError, match=told):
        check_outputs(outputs)


# in the database


@pytest.mark.django_db
@pytest.mark.parametrize("deadline_s", [4, 56], ids=["4 s", "56 s"])
def test_a_deadline_outside_5_to_55_seconds_is_refused(deadline_s: int):
    bot = a_bot()
    bot.deadline_s = deadline_s
    with pytest.raises(ValidationError, match="deadline_s"):
        bot.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        Bot.objects.filter(pk=bot.pk).update(deadline_s=deadline_s)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [("temperature", -0.1), ("temperature", 2.1), ("max_tokens", 15), ("history_messages", 201), ("slug", "a b")],
)
def test_a_value_outside_its_limits_is_refused(field: str, value: Any):
    bot = a_bot()
    setattr(bot, field, value)
    with pytest.raises(ValidationError) as caught:
        bot.full_clean()
    assert field in caught.value.message_dict


@pytest.mark.django_db
def test_a_slug_is_unique_within_its_account_only():
    account = an_account()
    a_bot(account, slug="sales")
    a_bot(an_account(), slug="sales")
    with pytest.raises(IntegrityError), transaction.atomic():
        a_bot(account, slug="sales")


@pytest.mark.django_db
def test_an_account_has_at_most_one_default_bot():
    account = an_account()
    a_bot(account, is_default=True)
    a_bot(an_account(), is_default=True)
    other = a_bot(account, is_default=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        Bot.objects.filter(pk=other.pk).update(is_default=True)


@pytest.mark.django_db
def test_an_archived_bot_is_no_default_any_more_and_makes_room_for_one():
    account = an_account()
    bot = a_bot(account, is_default=True)

    bot.archive(NOON)

    found = Bot.objects.get(pk=bot.pk)
    assert (found.archived_at, found.is_default) == (NOON, False)
    assert a_bot(account, is_default=True).is_default


@pytest.mark.django_db
def test_a_bot_that_answered_something_can_not_be_deleted():
    bot = a_bot()
    an_exchange(account=bot.account, bot=bot)
    with pytest.raises(RestrictedError):
        bot.delete()


@pytest.mark.django_db
def test_the_models_of_a_bot_come_in_their_order():
    account = an_account()
    bot, provider = a_bot(account), a_provider(account)
    for position in (2, 0, 1):
        ModelChoice.objects.create(bot=bot, provider=provider, model=f"m{position}", position=position)
    assert [choice.model for choice in bot.model_choices.all()] == ["m0", "m1", "m2"]


@pytest.mark.django_db
def test_a_choice_of_models_takes_the_account_of_its_bot():
    account = an_account()
    choice = ModelChoice.objects.create(bot=a_bot(account), provider=a_provider(account), model="m")
    assert choice.account == account


# providers


@pytest.mark.django_db
def test_a_provider_name_is_unique_within_its_account_only():
    account = an_account()
    a_provider(account, name="main")
    a_provider(an_account(), name="main")
    with pytest.raises(IntegrityError), transaction.atomic():
        a_provider(account, name="main")


@pytest.mark.django_db
def test_a_provider_that_something_points_at_can_not_be_deleted_and_is_archived_instead():
    account = an_account()
    asked, chosen = a_provider(account), a_provider(account)
    an_attempt(exchange=an_exchange(account=account), provider=asked)
    ModelChoice.objects.create(bot=a_bot(account), provider=chosen, model="m")
    for provider in (asked, chosen):
        with pytest.raises(RestrictedError):
            provider.delete()
        provider.archive(NOON)
    assert set(Provider.objects.values_list("archived_at", flat=True)) == {NOON}


@pytest.mark.django_db
def test_a_vendor_that_is_not_on_the_list_is_refused_with_the_list():
    provider = a_provider()
    provider.provider = "ollama"
    with pytest.raises(ValidationError, match="must be one of openai, anthropic"):
        provider.full_clean(exclude={"api_key"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "allow_private", "stored"),
    [
        ("", False, ""),
        ("https://LLM.example.com:443/v1/", False, "https://llm.example.com/v1"),
        ("http://127.0.0.1:9102/v1", True, "http://127.0.0.1:9102/v1"),
    ],
    ids=["the vendor's own", "put into its normal form", "private, allowed"],
)
def test_a_good_base_address_is_kept_in_its_normal_form(*, settings: Any, typed: str, allow_private: bool, stored: str):
    settings.LLM_ALLOW_PRIVATE_HOSTS = allow_private
    provider = a_provider(api_base=typed)
    provider.full_clean(exclude={"api_key"})
    assert provider.api_base == stored


@pytest.mark.django_db
@pytest.mark.parametrize("api_base", ["http://127.0.0.1:9102/v1", "https://10.0.0.1/v1", "http://llm.example.com/v1"])
def test_a_base_address_of_a_private_network_is_refused_without_the_switch(settings: Any, api_base: str):
    settings.LLM_ALLOW_PRIVATE_HOSTS = False
    provider = a_provider(api_base=api_base)
    with pytest.raises(ValidationError, match="LLM_ALLOW_PRIVATE_HOSTS=1"):
        provider.full_clean(exclude={"api_key"})
