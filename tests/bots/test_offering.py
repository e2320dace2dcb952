"""Answers and links beside a reply, what the customer's next message chooses, and where an outcome leaves."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

import llm
from bots.answering import ask, bot_config, decide, load, store
from bots.deliveries import begin, settle
from bots.models import Bot, Conversation, Exchange, Message
from bots.states import Outcome, State
from tests.bots.continues import answered, answered_exchange
from tests.bots.test_answering import NOON, a_call, a_draft, claimed
from tests.cast import a_bot, a_conversation, an_exchange

DAYS = ("Today", "Tomorrow")
PRICES = llm.Link(text="Prices", url="https://shop.example/prices")
LONG = "We deliver to every part of the town, on working days and on Saturday until noon. "

pytestmark = pytest.mark.django_db


def stored() -> Exchange:
    return Exchange.objects.order_by("-pk")[0]


def body_of(exchange: Exchange) -> dict[str, Any]:
    return dict(exchange.body or {})


# what a bot may offer


def test_a_bot_tells_the_model_what_it_may_offer():
    bot = a_bot(
        offers_buttons=True, links=[{"text": "Prices", "url": "https://a.example/p", "description": "if asked"}]
    )
    config = bot_config(bot)
    assert config.offers_buttons
    assert config.links == (llm.Link(text="Prices", url="https://a.example/p", description="if asked"),)


def test_a_bot_offers_nothing_by_itself():
    config = bot_config(a_bot())
    assert (config.offers_buttons, config.links) == (False, ())


def test_what_the_model_offers_is_in_the_draft(monkeypatch: pytest.MonkeyPatch):
    async def answer(*_arguments: Any, **_options: Any) -> llm.Reply:
        return llm.Reply(
            text="Which day?", outcome="success", outputs={}, calls=(a_call(),), buttons=DAYS, links=(PRICES,)
        )

    monkeypatch.setattr(llm, "answer", answer)
    exchange = claimed()
    draft = asyncio.run(ask(exchange, load(exchange), now=NOON))
    assert (draft.buttons, draft.links) == (DAYS, (PRICES,))


# how it is stored


def test_answers_on_buttons_are_stored_with_the_reply():
    assert store(claimed(origin="telegram"), a_draft("Which day?", buttons=DAYS), now=NOON)
    assert (stored().reply_text, stored().offered, stored().was_cut) == ("Which day?", ["Today", "Tomorrow"], False)
    assert body_of(stored())["data"]["show"] == "0"
    assert body_of(stored())["execute_handlers"][0]["params"]["buttons"] == ["Today", "Tomorrow"]


def test_answers_in_the_text_are_stored_as_the_customer_reads_them():
    store(claimed(origin=""), a_draft("Which day?", buttons=DAYS, links=(PRICES,)), now=NOON)
    text = "Which day?\n\n1. Today\n2. Tomorrow\nPrices: https://shop.example/prices"
    assert (stored().reply_text, stored().offered) == (text, ["Today", "Tomorrow"])
    assert body_of(stored()) == {"data": {"status": "success", "message": text, "show": "1"}}


def test_a_bot_in_pieces_has_them_shown():
    store(claimed(a_bot(delivery=Bot.Delivery.CHUNKS)), a_draft(LONG * 2), now=NOON)
    shown = [handler["params"]["value"] for handler in body_of(stored())["execute_handlers"]]
    assert " ".join(shown) == stored().reply_text == (LONG * 2).strip()
    assert (body_of(stored())["data"]["show"], stored().was_cut) == ("0", False)


def test_pieces_over_their_number_are_told_as_cut():
    store(claimed(a_bot(delivery=Bot.Delivery.CHUNKS)), a_draft(LONG * 20), now=NOON)
    assert (len(body_of(stored())["execute_handlers"]), stored().was_cut) == (10, True)
    assert stored().reply_text.endswith("…")


@pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.HANDOFF, Outcome.FAIL, Outcome.SILENT])
def test_an_outcome_leaves_by_its_route_and_no_other_does(outcome: Outcome):
    exit_of_another = {other.value: {"exit": "success"} for other in Outcome if other is not outcome}
    bot = a_bot(routes=exit_of_another | {outcome.value: {"exit": "fail"}})
    store(claimed(bot), a_draft(outcome=outcome), now=NOON)
    data = body_of(stored())["data"]
    assert (data["status"], data["exit"], stored().outcome) == (outcome, "fail", outcome)


@pytest.mark.parametrize("routes", [{}, {"fail": {"goto": {"type": "question", "step": 4}}}], ids=["none", "a jump"])
def test_a_bot_that_changes_no_exit_tells_none(routes: dict[str, object]):
    store(claimed(a_bot(routes=routes)), a_draft(), now=NOON)
    assert "exit" not in body_of(stored())["data"]


def test_a_bot_that_changes_some_exit_tells_every_one_so_that_none_of_an_earlier_answer_decides():
    store(claimed(a_bot(routes={"fail": {"exit": "success"}})), a_draft(outcome=Outcome.HANDOFF), now=NOON)
    assert body_of(stored())["data"]["exit"] == Outcome.HANDOFF


def test_a_jump_is_the_last_handler():
    bot = a_bot(routes={"handoff": {"goto": {"type": "question", "step": 4}}})
    store(claimed(bot), a_draft(outcome=Outcome.HANDOFF), now=NOON)
    assert body_of(stored())["execute_handlers"] == [{"handler": "goto", "params": {"type": "question", "step": 4}}]


def test_a_bot_that_is_switched_off_leaves_by_the_route_of_its_silence():
    exchange = claimed(a_bot(enabled=False, routes={"silent": {"exit": "handoff"}}))
    draft = decide(exchange, now=NOON)
    assert draft is not None
    store(exchange, draft, now=NOON)
    assert body_of(stored())["data"] == {"status": "silent", "message": "", "show": "0", "exit": "handoff"}


def test_one_that_is_switched_off_before_it_is_sent_does_too_and_offers_nothing():
    bot = a_bot(routes={"silent": {"exit": "handoff"}})
    exchange = answered_exchange(account=bot.account, bot=bot, offered=["Today"], was_cut=True)
    Bot.objects.update(enabled=False)

    assert begin(exchange, now=NOON + timedelta(seconds=3))

    assert body_of(stored())["data"] == {"status": "silent", "message": "", "show": "0", "exit": "handoff"}
    assert (stored().offered, stored().was_cut, stored().reply_text) == ([], False, "")


# what Kommo finds too long


def refused(draft: Any, **fields: Any) -> Exchange:
    """Store a draft, send it, and have it refused for its length."""
    exchange = claimed(lease_until=NOON + timedelta(seconds=12), **fields)
    assert store(exchange, draft, now=NOON)
    assert begin(exchange, now=NOON)
    assert settle(exchange, answered(400, codes=("TooLong",)), started_at=NOON, now=NOON)
    return stored()


def test_buttons_that_are_refused_become_text_and_still_stand_for_choices():
    exchange = refused(a_draft("Which day?", buttons=DAYS), origin="telegram")
    assert (exchange.state, exchange.shortened) == (State.SENDING, True)
    assert exchange.reply_text == body_of(exchange)["data"]["message"] == "Which day?\n\n1. Today\n2. Tomorrow"
    assert exchange.offered == ["Today", "Tomorrow"]


def test_pieces_that_are_refused_become_shorter_and_the_reply_is_what_they_say():
    exchange = refused(a_draft(LONG * 8), bot=a_bot(delivery=Bot.Delivery.CHUNKS))
    shown = [handler["params"]["value"] for handler in body_of(exchange)["execute_handlers"]]
    assert max(map(len, shown)) <= 40
    assert exchange.reply_text == " ".join(shown)


def test_a_list_that_is_lost_offers_nothing_any_more():
    buttons = tuple(f"Answer number {number}" for number in range(20))
    exchange = refused(a_draft("Which of these?", buttons=buttons), origin="")
    assert exchange.offered == []


# what the next message means


@pytest.fixture
def talk() -> Conversation:
    bot = a_bot()
    conversation = a_conversation(bot.account)
    an_exchange(
        conversation=conversation,
        bot=bot,
        state=State.DELIVERED,
        text="Hi",
        reply_text="Which day?",
        offered=["Today", "Tomorrow"],
    )
    return conversation


def next_one(talk: Conversation, text: str = "2", **fields: Any) -> Exchange:
    bot = talk.account.bots.get()
    return claimed(bot, conversation=talk, text=text, **fields)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("2", "Tomorrow"), ("Tomorrow", "Tomorrow"), ("today!", "Today"), ("٢", "Tomorrow"), ("3", ""), ("Neither.", "")],
)
def test_a_number_or_tap_is_asked_as_the_answer_that_it_chooses(talk: Conversation, text: str, meaning: str):
    briefing = load(next_one(talk, text))
    assert (briefing.meaning, briefing.message) == (meaning, meaning or text)


@pytest.mark.parametrize("state", [State.DELIVERED, State.UNKNOWN])
def test_what_may_have_arrived_counts_as_offered(talk: Conversation, state: State):
    Exchange.objects.update(state=state)
    assert load(next_one(talk)).meaning == "Tomorrow"


@pytest.mark.parametrize("state", [State.GONE, State.REJECTED, State.FAILED])
def test_what_did_not_arrive_was_not_offered(talk: Conversation, state: State):
    Exchange.objects.update(state=state)
    assert load(next_one(talk)).meaning == ""


def test_a_later_reply_takes_the_offer_away(talk: Conversation):
    an_exchange(conversation=talk, state=State.DELIVERED, reply_text="As you like.")
    assert load(next_one(talk)).meaning == ""


def test_a_message_that_got_no_reply_leaves_the_offer_standing(talk: Conversation):
    an_exchange(conversation=talk, state=State.GONE, text="Hm")
    assert load(next_one(talk)).meaning == "Tomorrow"


def test_what_comes_later_or_elsewhere_is_no_offer(talk: Conversation):
    exchange = claimed(talk.account.bots.get(), text="2")
    assert load(exchange).meaning == ""
    earlier = next_one(talk)
    an_exchange(conversation=talk, state=State.DELIVERED, offered=["Red", "Blue"])
    assert load(earlier).meaning == "Tomorrow"


def test_the_meaning_is_kept_beside_what_was_typed(talk: Conversation, monkeypatch: pytest.MonkeyPatch):
    told: list[str] = []

    async def answer(_config: Any, _history: Any, message: str, **_options: Any) -> llm.Reply:
        told.append(message)
        return llm.Reply(text="Fine.", outcome="success", outputs={}, calls=(a_call(),))

    monkeypatch.setattr(llm, "answer", answer)
    exchange = next_one(talk)
    draft = asyncio.run(ask(exchange, load(exchange), now=NOON))
    store(exchange, draft, now=NOON)

    assert told == ["Tomorrow"]
    assert (stored().text, stored().meaning) == ("2", "Tomorrow")
    assert Message.objects.get(exchange=stored(), role=Message.Role.CUSTOMER).text == "2"


def test_a_fallback_keeps_the_meaning_too(talk: Conversation):
    exchange = next_one(talk)  # its bot has no model
    store(exchange, asyncio.run(ask(exchange, load(exchange), now=NOON)), now=NOON)
    assert (stored().outcome, stored().meaning) == (Outcome.FAIL, "Tomorrow")


def test_later_messages_know_of_a_number_what_it_chose(talk: Conversation):
    an_exchange(conversation=talk, state=State.DELIVERED, text="2", meaning="Tomorrow", reply_text="Fine.")
    history = load(next_one(talk, "Thanks")).history
    assert [line.text for line in history] == ["Hi", "Which day?", "Tomorrow", "Fine."]


def test_a_choice_costs_one_query_and_a_long_message_none(talk: Conversation, django_assert_num_queries: Any):
    short, long = next_one(talk), next_one(talk, "word " * 200)
    with django_assert_num_queries(3):  # the history, the models, and what was offered
        load(short)
    with django_assert_num_queries(2):
        load(long)
