"""Every row of an account: it knows its account and refuses a parent of another one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction

from bots.models import Account, AccountScoped, Attempt, Bot, Exchange, Membership, Message, ModelChoice, User
from tests.cast import a_bot, a_conversation, a_provider, an_account, an_attempt, an_exchange

pytestmark = pytest.mark.django_db

OF_THE_DEPLOYMENT = {"user", "heartbeat", "pace"}
ON_POSTGRES = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite can't add a composite foreign key")


def a_model_choice(account: Account) -> ModelChoice:
    return ModelChoice.objects.create(bot=a_bot(account), provider=a_provider(account), model="m")


def a_message(account: Account) -> Message:
    exchange = an_exchange(account=account)
    return Message.objects.create(conversation=exchange.conversation, exchange=exchange, role="customer", text="hi")


# (model, parent) -> a row of an account, a foreign parent
CASES: dict[tuple[str, str], tuple[Callable[[Account], Any], Callable[[Account], Any]]] = {
    ("modelchoice", "bot"): (a_model_choice, a_bot),
    ("modelchoice", "provider"): (a_model_choice, a_provider),
    ("exchange", "conversation"): (lambda account: an_exchange(account=account), a_conversation),
    ("exchange", "bot"): (lambda account: an_exchange(account=account, bot=a_bot(account)), a_bot),
    ("attempt", "exchange"): (
        lambda account: an_attempt(exchange=an_exchange(account=account)),
        lambda account: an_exchange(account=account),
    ),
    ("attempt", "provider"): (
        lambda account: an_attempt(exchange=an_exchange(account=account), provider=a_provider(account)),
        a_provider,
    ),
    ("message", "exchange"): (a_message, lambda account: an_exchange(account=account)),
}
# A choice of models takes the account of its bot, so that the bot is never the stranger: the provider is.
BLAMED = {("modelchoice", "bot"): "provider"}


def scoped_models() -> list[type[models.Model]]:
    return [model for model in apps.get_app_config("bots").get_models() if issubclass(model, AccountScoped)]


def test_every_model_of_ours_belongs_to_an_account_or_openly_to_the_deployment():
    ours = {model._meta.model_name for model in apps.get_app_config("bots").get_models()}
    assert ours - {model._meta.model_name for model in scoped_models()} == OF_THE_DEPLOYMENT | {"account"}


def test_the_cases_below_are_all_parents_that_models_declare():
    declared = {
        (model._meta.model_name, name)
        for model in scoped_models()
        for name in model.SAME_ACCOUNT  # type: ignore[attr-defined]
    }
    assert declared == CASES.keys()


@pytest.mark.parametrize("case", CASES, ids=" of ".join)
def test_a_parent_of_another_account_is_refused_on_save(case: tuple[str, str]):
    make, make_parent = CASES[case]
    row, foreign = make(an_account()), make_parent(an_account())
    setattr(row, case[1], foreign)

    with pytest.raises(ValidationError) as caught:
        row.save()

    assert BLAMED.get(case, case[1]) in caught.value.message_dict


@pytest.mark.parametrize("case", CASES, ids=" of ".join)
def test_a_parent_of_another_account_is_refused_by_a_form(case: tuple[str, str]):
    make, make_parent = CASES[case]
    row, foreign = make(an_account()), make_parent(an_account())
    setattr(row, case[1], foreign)

    with pytest.raises(ValidationError):
        row.clean()


@pytest.mark.parametrize("case", CASES, ids=" of ".join)
def test_a_row_names_its_own_account(case: tuple[str, str]):
    account = an_account()
    row = CASES[case][0](account)
    assert type(row).objects.get(pk=row.pk).owner_account_id() == account.pk


@ON_POSTGRES
@pytest.mark.parametrize("case", CASES, ids=" of ".join)
def test_a_parent_of_another_account_is_refused_by_the_database(case: tuple[str, str]):
    make, make_parent = CASES[case]
    row, foreign = make(an_account()), make_parent(an_account())

    type(row).objects.filter(pk=row.pk).update(**{case[1]: foreign})

    with pytest.raises(IntegrityError, match="same_"):
        connection.check_constraints()
    transaction.set_rollback(True)


@ON_POSTGRES
def test_a_message_of_another_conversation_is_refused_by_the_database():
    message = a_message(an_account())
    Message.objects.filter(pk=message.pk).update(exchange=an_exchange(message.conversation.account))

    with pytest.raises(IntegrityError, match="same_conversation"):
        connection.check_constraints()
    transaction.set_rollback(True)


def test_a_bot_that_moves_to_another_account_takes_no_provider_along():
    choice = a_model_choice(an_account())
    with pytest.raises(ValidationError, match="same account"):
        ModelChoice(bot=a_bot(an_account()), provider=choice.provider, model="m").save()


def test_an_account_belongs_to_itself():
    account = an_account()
    assert account.owner_account_id() == account.pk


def test_the_path_of_every_scoped_model_leads_to_an_account():
    for model in scoped_models():
        rows = model._default_manager.filter(**{f"{model.ACCOUNT_PATH}__pk": 1})  # type: ignore[attr-defined]
        assert not rows.exists()


def test_rows_that_need_no_parent_are_saved_without_one():
    exchange = an_exchange(bot=None)
    message = Message.objects.create(conversation=exchange.conversation, role="system", text="note")
    assert (exchange.bot, message.exchange, an_attempt(exchange=exchange, provider=None).provider) == (None, None, None)
    assert Membership.objects.create(account=exchange.account, user=User.objects.create_user("a@b.test")).pk
    assert {Attempt, Bot, Exchange} <= set(scoped_models())
