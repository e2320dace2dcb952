"""Exchanges and conversations: what the database keeps unique, and what a row says of itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from bots.models import Exchange
from bots.states import OPEN, State
from tests.cast import a_conversation, an_account, an_exchange

pytestmark = pytest.mark.django_db

IDS: dict[str, Any] = {"bot_type": "salesbot", "salesbot_id": "7", "continue_id": "9"}


def test_a_continue_is_unique_within_an_account():
    account = an_account()
    an_exchange(account=account, **IDS)
    with pytest.raises(IntegrityError), transaction.atomic():
        an_exchange(account=account, **IDS)


@pytest.mark.parametrize(
    "difference",
    [{"bot_type": "marketingbot"}, {"salesbot_id": "8"}, {"continue_id": "09"}],
    ids=["another kind of bot", "another Salesbot", "the same number with a zero before it"],
)
def test_a_continue_of_another_bot_or_id_is_another_exchange(difference: dict[str, str]):
    account = an_account()
    an_exchange(account=account, **IDS)
    an_exchange(account=account, **{**IDS, **difference})
    assert Exchange.objects.count() == 2


def test_two_accounts_may_have_the_same_continue():
    an_exchange(account=an_account(), **IDS)
    an_exchange(account=an_account(), **IDS)
    assert Exchange.objects.count() == 2


def test_a_conversation_is_unique_by_account_and_entity():
    account = an_account()
    a_conversation(account, entity_type=2, entity_id="5")
    a_conversation(account, entity_type=12, entity_id="5")
    a_conversation(an_account(), entity_type=2, entity_id="5")
    with pytest.raises(IntegrityError), transaction.atomic():
        a_conversation(account, entity_type=2, entity_id="5")


def test_the_database_refuses_a_state_that_the_table_does_not_have():
    an_exchange()
    with pytest.raises(IntegrityError), transaction.atomic():
        Exchange.objects.update(state="lost")


@pytest.mark.parametrize("state", list(State))
def test_an_exchange_is_open_exactly_in_the_open_states(state: State):
    exchange = an_exchange(state=state)
    assert exchange.is_open == (state in OPEN)
    assert Exchange.objects.open().exists() == (state in OPEN)
    assert exchange.account.has_open_exchanges() == (state in OPEN)


def test_an_exchange_is_overdue_from_its_end_deadline_on():
    exchange = an_exchange()
    assert not exchange.is_overdue(exchange.end_due - timedelta(milliseconds=1))
    assert exchange.is_overdue(exchange.end_due)


def test_an_exchange_has_its_reply_once_the_body_is_stored():
    assert not an_exchange().has_reply
    assert an_exchange(body={"data": {}}).has_reply
