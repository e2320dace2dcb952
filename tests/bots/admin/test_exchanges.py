"""The list of exchanges, and the page of one."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from bots.admin import scoped
from bots.admin.explained import OUTCOMES, STATES
from bots.kommo import LinkButton, plan_delivery
from bots.models import Account, Attempt, Exchange
from bots.states import Outcome, State, timeline_entry
from tests.bots.admin.conftest import queries_of
from tests.cast import NOON, Cast, a_bot, a_conversation, a_provider, an_attempt, an_exchange
from tests.promises.pages import list_page, row_pages


def page_of(client: Client, exchange: Exchange) -> str:
    return client.get(row_pages(exchange)["change"]).content.decode()


def listed(client: Client, **query: str) -> list[Exchange]:
    return list(client.get(list_page(Exchange), query).context["cl"].result_list)


# ---- the list


def test_the_list_says_state_outcome_reason_and_time(viewer: Client, people: Cast):
    Account.objects.filter(pk=people.acme.pk).update(time_zone="Europe/Madrid")
    an_exchange(
        people.acme,
        state=State.GONE,
        received_at=NOON,
        settled_at=NOON + timedelta(seconds=2.5),
        outcome=Outcome.FAIL,
        reason="gone",
        text="Do you\nhave it?",
    )
    shown = viewer.get(list_page(Exchange)).content.decode()
    for words in (
        "too late",
        "fallback",
        "the Salesbot waits no more",
        "24 Nov 2026, 13:00 CET",
        "2.50",
        "Do you have it?",
    ):
        assert words in shown, words


def test_it_is_filtered_by_state_and_by_outcome(viewer: Client, people: Cast):
    done = an_exchange(people.acme, state=State.DELIVERED)
    passed_on = an_exchange(people.acme, state=State.DELIVERED, outcome=Outcome.HANDOFF)
    waiting = an_exchange(people.acme, state=State.ANSWERING)
    assert listed(viewer, state="answering") == [waiting]
    assert listed(viewer, state="delivered", outcome="handoff") == [passed_on]
    assert listed(viewer, state="no such state") == [waiting, passed_on, done]


def test_it_is_filtered_by_bot_and_by_account(operator: Client, people: Cast):
    bot = a_bot(people.acme)
    mine = an_exchange(people.acme, bot=bot)
    foreign = an_exchange(people.rival)
    assert listed(operator, bot=str(bot.pk)) == [mine]
    assert listed(operator, account=str(people.rival.pk)) == [foreign]
    assert listed(operator, account="9" * 30) == []


def test_an_exchange_is_found_by_lead_and_by_continue_id(viewer: Client, people: Cast):
    exchange = an_exchange(conversation=a_conversation(people.acme, entity_id="7001234"), continue_id="424242")
    an_exchange(people.acme)
    assert listed(viewer, q="7001234") == listed(viewer, q="424242") == [exchange]


def test_the_list_costs_the_same_number_of_queries_for_more_exchanges(viewer: Client, people: Cast):
    bot = a_bot(people.acme)
    an_exchange(people.acme, state=State.DELIVERED, bot=bot)
    before = queries_of(viewer, list_page(Exchange))
    for _ in range(20):
        an_exchange(people.acme, state=State.DELIVERED, bot=bot)
    assert queries_of(viewer, list_page(Exchange)) == before


def test_the_list_leaves_long_columns_in_the_database(viewer: Client, people: Cast):
    an_exchange(people.acme, bot=a_bot(people.acme))
    row = listed(viewer)[0]
    assert {"body", "timeline", "data", "reply_text"} <= row.get_deferred_fields()
    assert row.bot
    assert {"prompt", "knowledge"} <= row.bot.get_deferred_fields()


def test_a_long_list_is_counted_up_to_a_limit_only(viewer: Client, people: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scoped, "COUNTED_AT_MOST", 3)
    for _ in range(5):
        an_exchange(people.acme)
    response = viewer.get(list_page(Exchange))
    assert response.context["cl"].result_count == 3
    assert "The pages end after 3 rows." in response.content.decode()


# ---- the page


def test_the_page_tells_the_whole_story_of_a_good_exchange(viewer: Client, people: Cast):
    provider = a_provider(people.acme, name="main")
    exchange = an_exchange(
        people.acme,
        state=State.DELIVERED,
        bot=a_bot(people.acme, name="Bicycle Bob"),
        text="Blue?\nOr green?",
        reply_text="Yes,\nboth.",
        instruction="Answer in one sentence.",
        data={"source": "Instagram"},
        salesbot_id="4711",
        continue_id="99001",
        widget_version="1.2.3",
        token_algorithm="HS256",
    )
    an_attempt(
        exchange,
        provider=provider,
        latency_ms=1780,
        cost=Decimal("0.00012300"),
        sent=[{"role": "system", "content": "You sell bicycles."}, {"role": "user", "content": "Blue?"}],
        knowledge="Colours: blue, green.",
        received='{"reply": "Yes"}',
        input_tokens=321,
        output_tokens=12,
    )
    an_attempt(exchange, kind=Attempt.Kind.CONTINUE, latency_ms=240, http_status=202)
    shown = page_of(viewer, exchange)
    for words in (
        "Blue?\nOr green?", "Yes,\nboth.", "Bicycle Bob", "Answer in one sentence.", "Instagram", "salesbot 4711",
        "99001", "1.2.3", "HS256", "openai/gpt-4o-mini through main", "1.78 s", "321", "US$ 0.000123",
        "You sell bicycles.", "Colours: blue, green.", "&quot;reply&quot;: &quot;Yes&quot;", "Kommo, continue",
        "202", "0.24 s",
        "Kommo took the reply, and the Salesbot went on with it.", "&quot;status&quot;: &quot;success&quot;",
    ):  # fmt: skip
        assert words in shown, words


def test_the_page_tells_why_a_fallback_went_out(viewer: Client, people: Cast):
    exchange = an_exchange(
        people.acme,
        state=State.DELIVERED,
        outcome=Outcome.FAIL,
        reason="no_reply",
        reason_text="main: the key was refused.",
    )
    an_attempt(
        exchange, ok=False, error="refused_key", error_text="the vendor refused the key.", received="no such key"
    )
    shown = page_of(viewer, exchange)
    for words in ("Main: the key was refused.", "The vendor refused the key.", "no such key", "no answer"):
        assert words in shown, words


def test_steps_stand_in_order_in_the_accounts_zone_with_what_passed(viewer: Client, people: Cast):
    Account.objects.filter(pk=people.acme.pk).update(time_zone="Asia/Tokyo")
    moves = [
        (State.RECEIVED, 0, ""),
        (State.ANSWERING, 0.3, ""),
        (State.RECEIVED, 5, "stop"),
        (State.ANSWERED, 7, "no_reply"),
    ]
    timeline = [timeline_entry(state, now=NOON + timedelta(seconds=s), why=why) for state, s, why in moves]
    exchange = an_exchange(people.acme, state=State.ANSWERED, received_at=NOON, timeline=timeline)
    shown = page_of(viewer, exchange)
    assert re.findall(r'kb-step-name"[^>]*>([^<]+)<', shown) == ["received", "answering", "received", "answered"]
    assert re.findall(r"<small>([^<]+)</small>", shown) == ["+0.00 s", "+0.30 s", "+5.00 s", "+7.00 s"]
    assert "21:00:07" in shown
    assert "the worker was stopped; another takes over" in shown
    assert "Asia/Tokyo" in shown


@pytest.mark.parametrize("state", list(State))
def test_every_state_is_explained(viewer: Client, people: Cast, state: State):
    shown = page_of(viewer, an_exchange(people.acme, state=state))
    sentence = str(STATES[state].sentence).replace("'", "&#x27;")
    assert sentence in shown


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_explained(viewer: Client, people: Cast, outcome: Outcome):
    shown = page_of(viewer, an_exchange(people.acme, state=State.DELIVERED, outcome=outcome))
    assert str(OUTCOMES[outcome].sentence).replace("'", "&#x27;") in shown


@pytest.mark.parametrize(
    "sent",
    [None, [], {}, "text", 5, [None], ["text"], [{"role": "user"}], [{"content": [{"type": "text", "text": "x"}]}]],
    ids=str,
)
def test_whatever_was_sent_is_shown_without_an_error(viewer: Client, people: Cast, sent: object):
    exchange = an_exchange(people.acme)
    an_attempt(exchange, sent=sent)
    assert viewer.get(row_pages(exchange)["change"]).status_code == 200


def planned(people: Cast, message: str = "Which day?", **options: Any) -> Exchange:
    """Make an exchange whose reply was planned with these options."""
    plan = plan_delivery(message, **{"status": "success", "outputs": {}, "origin": "telegram"} | options)
    return an_exchange(
        people.acme, state=State.DELIVERED, reply_text=plan.text, body=plan.body, offered=list(plan.offered)
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "whole."),
        ({"buttons": ["Today", "Tomorrow"]}, "in one piece with buttons."),
        ({"links": [LinkButton("Map", "https://a.example/")]}, "in one piece with links on buttons."),
        ({"message": "word " * 60, "chunks": True}, "in 4 pieces."),
        ({"message": "", "status": "silent"}, "without a message."),
        ({"route": {"exit": "fail"}}, "whole; leaves by the fail exit."),
        ({"route": {"goto": {"type": "question", "step": 4}}}, "whole; jumps to question, step 4."),
    ],
    ids=["whole", "buttons", "links", "pieces", "silence", "another exit", "a jump"],
)
def test_how_a_reply_was_sent_is_told(viewer: Client, people: Cast, options: dict[str, Any], told: str):
    assert f"Sent to Kommo: {told}" in page_of(viewer, planned(people, **options))


def test_without_a_reply_nothing_was_sent(viewer: Client, people: Cast):
    assert "Sent to Kommo" not in page_of(viewer, an_exchange(people.acme, state=State.ANSWERING))


def test_what_was_offered_and_what_a_number_meant_is_told(viewer: Client, people: Cast):
    exchange = planned(people, buttons=["Today", "Tomorrow"])
    Exchange.objects.filter(pk=exchange.pk).update(text="3", meaning="Next week")
    shown = page_of(viewer, exchange)
    assert re.findall(r'<li class="kb-offer">([^<]+)</li>', shown) == ["Today", "Tomorrow"]
    assert "3 → Next week" in shown


def test_an_exchange_without_bot_and_calls_says_so(viewer: Client, people: Cast):
    shown = page_of(viewer, an_exchange(people.acme, text=""))
    assert "No model and no Kommo was called." in shown
    assert "no words: a picture" in shown


def test_a_retry_that_is_due_is_told(viewer: Client, people: Cast):
    exchange = an_exchange(people.acme, state=State.SENDING, retry_at=NOON + timedelta(seconds=7))
    assert "Tried again at 12:00:07." in page_of(viewer, exchange)


def test_nobody_changes_an_exchange(operator: Client, people: Cast):
    exchange = an_exchange(people.acme)
    assert operator.post(row_pages(exchange)["change"], {"state": "delivered"}).status_code == 405
    assert operator.post(row_pages(exchange)["delete"], {"post": "yes"}).status_code == 403
    assert Exchange.objects.get(pk=exchange.pk).state == State.RECEIVED


def test_the_page_costs_the_same_number_of_queries_for_more_attempts(viewer: Client, people: Cast):
    exchange, provider = an_exchange(people.acme), a_provider(people.acme)
    an_attempt(exchange, provider=provider)
    before = queries_of(viewer, row_pages(exchange)["change"])
    for _ in range(12):
        an_attempt(exchange, provider=provider)
    assert queries_of(viewer, row_pages(exchange)["change"]) == before


@pytest.mark.parametrize(
    "number", ["0", "9" * 30, "-1", "x", "1e3", "%00"], ids=["zero", "huge", "negative", "text", "float", "nul"]
)
def test_an_address_of_no_exchange_is_not_found(viewer: Client, people: Cast, number: str):
    assert viewer.get(f"{list_page(Exchange)}{number}/change/").status_code == 404
