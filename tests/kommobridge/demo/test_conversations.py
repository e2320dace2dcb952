"""Prepared conversations: what an owner finds in the admin before anybody wrote."""

import pytest

from bots.deliveries import LAST_TRY_BEFORE_END_S
from bots.models import Account, Attempt, Conversation, Exchange, Message
from bots.states import Outcome, State
from kommobridge.demo import content, rows
from llm.language import language_of

ORIGIN = "http://127.0.0.1:8010"
LANGUAGES = {"shop": "en", "clinic": "es", "school": "ru"}


@pytest.fixture(autouse=True)
def _prepared(settings, transactional_db):
    settings.KOMMO_EXTRA_ORIGINS = frozenset({ORIGIN})
    rows.prepare(8010, sandbox_origin=ORIGIN)


@pytest.fixture(params=LANGUAGES)
def slug(request):
    return request.param


def exchanges_of(slug):
    return Exchange.objects.filter(bot__slug=slug)


def test_each_account_has_an_answer_a_handoff_and_a_reply_that_never_arrived(slug):
    found = set(exchanges_of(slug).values_list("state", "outcome"))
    assert found == {
        (State.DELIVERED.value, Outcome.SUCCESS.value),
        (State.DELIVERED.value, Outcome.HANDOFF.value),
        (State.FAILED.value, Outcome.SUCCESS.value),
    }


def test_replies_are_in_the_business_own_language(slug):
    for reply in exchanges_of(slug).values_list("reply_text", flat=True):
        assert language_of(reply) == LANGUAGES[slug], reply


@pytest.mark.parametrize(
    ("slug", "before", "chosen"),
    [("shop", "3", "Delivery"), ("school", "Пробный урок", "Пробный урок")],
    indirect=["slug"],
    ids=["by its number", "by a tap"],
)
def test_an_offered_answer_was_chosen_and_answered(slug, before, chosen):
    offering = exchanges_of(slug).exclude(offered=[]).earliest("pk")
    choosing = exchanges_of(slug).get(text=before)
    assert chosen in offering.offered
    assert offering.body["execute_handlers"][0]["params"]["buttons"] == offering.offered
    assert offering.body["data"]["show"] == "0"
    assert choosing.conversation_id == offering.conversation_id
    assert choosing.meaning == chosen
    assert choosing.outcome == Outcome.SUCCESS
    assert chosen.split()[0] in choosing.reply_text


def test_a_link_stands_under_a_text_that_is_too_long_for_a_button():
    replies = exchanges_of("clinic").values_list("reply_text", flat=True)
    assert [text for text in replies if text.endswith("\n\nReservar hora: https://clinica.example.com/cita")]


def test_every_question_found_its_passage(slug):
    business = next(business for business in content.BUSINESSES if business.slug == slug)
    quoted = [text for text in exchanges_of(slug).values_list("reply_text", flat=True) if "\n" in text]
    assert len(quoted) >= 3
    for text in quoted:
        assert text.split("\n")[1] in business.knowledge


def test_each_exchange_tells_the_calls_that_were_made(slug):
    for exchange in exchanges_of(slug):
        calls = exchange.attempts.filter(kind=Attempt.Kind.CONTINUE)
        assert exchange.attempts.filter(kind=Attempt.Kind.LLM, ok=True).count() == 1
        assert calls.count() == exchange.posts
        assert calls.last().ok is (exchange.state == State.DELIVERED)


def test_what_failed_says_why_in_plain_words_and_reached_nobody(slug):
    failed = exchanges_of(slug).get(state=State.FAILED)
    assert failed.reason == "unreachable"
    assert failed.reason_text.startswith("Kommo could not be reached")
    assert failed.posts > 3
    assert (failed.end_due - failed.settled_at).total_seconds() == LAST_TRY_BEFORE_END_S
    assert list(failed.messages.values_list("role", flat=True)) == [Message.Role.CUSTOMER]


def test_an_account_is_older_than_what_was_said_in_it(slug):
    account = Account.objects.get(bots__slug=slug)
    assert account.created_at < account.conversations.earliest("created_at").created_at


def test_times_run_forward_and_end_within_the_bounds(slug):
    for exchange in exchanges_of(slug):
        moments = [entry["at"] for entry in exchange.timeline]
        assert moments == sorted(moments)
        assert exchange.received_at < exchange.settled_at <= exchange.end_due


def test_an_account_with_conversations_of_its_own_gets_none():
    account = Account.objects.get(subdomain="demo")
    Exchange.objects.filter(account=account).delete()
    account.conversations.all().delete()
    Conversation.objects.create(account=account, entity_type=2, entity_id="7")
    rows.prepare(8010, sandbox_origin=ORIGIN)
    assert account.conversations.count() == 1
