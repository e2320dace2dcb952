"""Taking a widget_request: stored with its queue row, once, in the right conversation, for the right bot."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django_q.models import OrmQ

from bots import intake, queue
from bots.intake import choose_bot, take
from bots.kommo import ReturnUrl, TokenFacts, WidgetData
from bots.models import Account, Conversation, Exchange, Message
from bots.states import State
from tests.cast import a_bot, an_account

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FACTS = TokenFacts(
    algorithm="HS256",
    secret_index=0,
    entity_type=2,
    entity_id="5000001",
    account_id=31337,
    subdomain="acme",
    bot_type="salesbot",
    jti="jti-of-the-token",
    aud="https://bridge.example.com",
    issued_at=None,
    expires_at=NOON + timedelta(minutes=5),
)
DATA = WidgetData(
    message="Do you have it in blue?",
    bot="sales",
    lead_id="5000001",
    contact_id="77",
    talk_id="88",
    origin="waba",
    widget="1.2.0",
    instruction="Be brief.",
    extra={"city": "Lima", "list": ["a", "b"]},
)
URL = ReturnUrl(bot_type="salesbot", salesbot_id="0321", continue_id="9876543210987654321")


def take_it(account: Account, **changes: Any) -> bool:
    """Take a request that differs from the usual one in facts, data or address, at noon."""
    given: dict[str, Any] = {"facts": FACTS, "data": DATA, "return_url": URL, "encoding": "json", "now": NOON}
    return take(account, **given | changes)


def numbered(number: int) -> ReturnUrl:
    return replace(URL, continue_id=str(number))


# what is stored


@pytest.mark.django_db
def test_a_request_is_stored_whole():
    account = an_account()
    bot = a_bot(account, slug="sales")

    assert take_it(account)

    exchange = Exchange.objects.get()
    assert (exchange.account, exchange.bot, exchange.state) == (account, bot, State.RECEIVED)
    assert (exchange.bot_type, exchange.salesbot_id, exchange.continue_id) == (
        "salesbot",
        "0321",
        "9876543210987654321",
    )
    assert (exchange.text, exchange.instruction, exchange.origin) == ("Do you have it in blue?", "Be brief.", "waba")
    assert (exchange.widget_version, exchange.asked_bot, exchange.encoding) == ("1.2.0", "sales", "json")
    assert exchange.data == {
        "city": "Lima",
        "list": ["a", "b"],
        "lead_id": "5000001",
        "contact_id": "77",
        "talk_id": "88",
    }
    assert (exchange.token_algorithm, exchange.received_at, exchange.state_since) == ("HS256", NOON, NOON)
    assert exchange.timeline == [{"state": "received", "at": "2026-03-01T12:00:00.000+00:00"}]


@pytest.mark.django_db
def test_the_customer_s_line_is_in_the_conversation():
    take_it(an_account())
    line = Message.objects.get()
    assert (line.role, line.text, line.created_at) == (Message.Role.CUSTOMER, "Do you have it in blue?", NOON)
    assert line.conversation == Exchange.objects.get().conversation


@pytest.mark.django_db
def test_the_exchange_knows_its_queue_row():
    take_it(an_account())
    row = OrmQ.objects.get()
    assert Exchange.objects.get().queue_row == row.pk
    assert row.func() == "bots.tasks.wake"


@pytest.mark.django_db
def test_of_the_token_only_facts_are_kept():
    facts = replace(FACTS, jti="j" * 255, aud="a" * 255, secret_index=1)
    take_it(an_account(), facts=facts)
    assert Exchange.objects.get().token_facts == {
        "jti": "j" * 200,
        "aud": "a" * 200,
        "bot_type": "salesbot",
        "previous_secret": True,
    }


@pytest.mark.django_db
@pytest.mark.parametrize("deadline_s", [5, 30, 55])
def test_the_answer_is_due_when_the_bot_says_and_the_end_after_two_minutes(deadline_s: int):
    account = an_account()
    a_bot(account, slug="sales", deadline_s=deadline_s)
    take_it(account)
    exchange = Exchange.objects.get()
    assert exchange.answer_due == NOON + timedelta(seconds=deadline_s)
    assert exchange.end_due == NOON + timedelta(seconds=120)


@pytest.mark.django_db
def test_without_any_bot_the_request_is_still_taken_with_the_usual_deadline():
    assert take_it(an_account())
    exchange = Exchange.objects.get()
    assert (exchange.bot, exchange.answer_due) == (None, NOON + timedelta(seconds=30))


@pytest.mark.django_db
def test_long_names_are_cut_to_their_columns():
    take_it(an_account(), data=WidgetData(bot="b" * 100, origin="o" * 100, widget="w" * 100, talk_id="t" * 100))
    exchange = Exchange.objects.get()
    assert (exchange.asked_bot, exchange.origin, exchange.widget_version) == ("b" * 64, "o" * 64, "w" * 64)
    assert exchange.conversation.talk_id == "t" * 64


@pytest.mark.django_db
def test_without_a_queue_row_nothing_is_stored(monkeypatch: pytest.MonkeyPatch):
    def full() -> int:
        raise OSError("no space left")

    monkeypatch.setattr(queue, "enqueue_wake", full)
    with pytest.raises(OSError, match="no space"):
        take_it(an_account())
    assert not Exchange.objects.exists()
    assert not Message.objects.exists()
    assert not Conversation.objects.exists()


@pytest.mark.django_db
def test_the_log_tells_ids_and_lengths_and_no_word_of_the_customer(caplog: pytest.LogCaptureFixture):
    account = an_account()
    with caplog.at_level(logging.DEBUG):
        take_it(account)
    record = next(record for record in caplog.records if record.name == "bots.intake")
    assert record.__dict__["exchange_id"] == Exchange.objects.get().pk
    assert record.__dict__["account"] == account.pk
    assert record.__dict__["message_chars"] == len(DATA.message)
    assert not any("blue" in str(value) for record in caplog.records for value in record.__dict__.values())


# once


@pytest.mark.django_db
def test_a_second_copy_changes_nothing():
    account = an_account()
    assert take_it(account)
    before = Exchange.objects.values().get(), Conversation.objects.values().get()

    assert not take_it(account, now=NOON + timedelta(seconds=9), data=replace(DATA, message="again"))

    assert (Exchange.objects.values().get(), Conversation.objects.values().get()) == before
    assert Message.objects.count() == OrmQ.objects.count() == 1


@pytest.mark.django_db
def test_the_same_ids_of_another_account_are_another_request():
    assert take_it(an_account())
    assert take_it(an_account())
    assert Exchange.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_five_copies_at_once_one_is_stored():
    account = an_account()

    def take_one(_: int) -> bool:
        try:
            return take_it(account)
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        taken = list(pool.map(take_one, range(5)))

    assert sorted(taken) == [False] * 4 + [True]
    assert [model.objects.count() for model in (Exchange, Conversation, Message, OrmQ)] == [1, 1, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_requests_of_one_conversation_at_once_share_it_and_are_all_stored():
    account = an_account()

    def take_one(number: int) -> bool:
        try:
            return take_it(account, return_url=numbered(number))
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        assert all(pool.map(take_one, range(1, 6)))
    assert Conversation.objects.count() == 1
    assert Exchange.objects.count() == OrmQ.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_a_request_of_an_account_that_was_deleted_meanwhile_is_an_error_and_not_a_copy():
    account = an_account()
    Account.objects.filter(pk=account.pk).delete()
    with pytest.raises(IntegrityError):
        take_it(account)
    assert not Exchange.objects.exists()
    assert not OrmQ.objects.exists()


# which conversation


@pytest.mark.django_db
def test_requests_about_the_same_entity_are_one_conversation():
    account = an_account()
    take_it(account)
    take_it(account, return_url=numbered(2))
    conversation = Conversation.objects.get()
    assert (conversation.entity_type, conversation.entity_id) == (2, "5000001")
    assert conversation.exchanges.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [{"entity_type": 12}, {"entity_id": "5000002"}],
    ids=["a customer of the same number", "another lead"],
)
def test_requests_about_another_entity_are_another_conversation(changes: dict[str, Any]):
    account = an_account()
    take_it(account)
    take_it(account, return_url=numbered(2), facts=replace(FACTS, **changes))
    assert Conversation.objects.count() == 2


@pytest.mark.django_db
def test_the_same_entity_number_of_another_account_is_another_conversation():
    take_it(an_account())
    take_it(an_account())
    assert Conversation.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [{"entity_type": None}, {"entity_id": None}, {"entity_type": None, "entity_id": None}],
    ids=["no type", "no id", "neither"],
)
def test_a_request_without_a_usable_entity_gets_a_conversation_of_its_own(changes: dict[str, Any]):
    account = an_account()
    facts = replace(FACTS, **changes)
    for number in (1, 2):
        assert take_it(account, facts=facts, return_url=numbered(number))
    assert Conversation.objects.count() == 2
    assert set(Conversation.objects.values_list("entity_type", flat=True)) == {0}


@pytest.mark.django_db
def test_a_conversation_learns_what_a_later_request_says_and_forgets_nothing():
    account = an_account()
    take_it(account)
    later = NOON + timedelta(hours=1)

    take_it(account, return_url=numbered(2), data=WidgetData(message="x", talk_id="99"), now=later)

    conversation = Conversation.objects.get()
    assert (conversation.talk_id, conversation.contact_id, conversation.origin) == ("99", "77", "waba")
    assert (conversation.created_at, conversation.last_message_at) == (NOON, later)


# which bot


@pytest.mark.django_db
def test_a_step_gets_the_bot_that_it_names_and_otherwise_the_default():
    account, rival = an_account(), an_account()
    default, sales = a_bot(account, slug="help", is_default=True), a_bot(account, slug="sales", is_default=False)
    a_bot(rival, slug="only-rival")

    assert choose_bot(account, "sales") == sales
    assert choose_bot(account, "help") == default
    assert choose_bot(account, "") == default
    assert choose_bot(account, "SALES") == default
    assert choose_bot(account, "only-rival") == default


@pytest.mark.django_db
def test_an_archived_bot_is_not_chosen():
    account = an_account()
    default, sales = a_bot(account, is_default=True), a_bot(account, slug="sales", is_default=False)
    sales.archive(NOON)
    assert choose_bot(account, "sales") == default
    default.archive(NOON)
    assert choose_bot(account, "sales") is None


@pytest.mark.django_db
def test_a_bot_that_is_switched_off_is_chosen_so_that_its_silence_is_told():
    account = an_account()
    a_bot(account, is_default=True)
    sales = a_bot(account, slug="sales", is_default=False, enabled=False)
    assert choose_bot(account, "sales") == sales


@pytest.mark.django_db
def test_without_a_default_an_unknown_slug_finds_no_bot():
    account = an_account()
    a_bot(account, slug="sales", is_default=False)
    assert choose_bot(account, "other") is None
    assert intake.choose_bot(account, "") is None
