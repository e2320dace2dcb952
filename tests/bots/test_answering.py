"""What an exchange is answered with: the model's reply or one of our own, and how it is stored."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet

import llm
from bots import answering
from bots.answering import CLAIMS_MAX, SEND_RESERVE_S, Draft, ask, bot_config, decide, load, store, time_left_s
from bots.models import Attempt, Bot, Exchange, Message
from bots.states import Outcome, State
from kommobridge.base.keyring import SecretUnreadable
from tests.cast import a_bot, a_conversation, a_message, a_model_choice, a_provider, an_account, an_exchange

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def claimed(bot: Bot | None = None, **fields: Any) -> Exchange:
    """Give an exchange that a worker has just claimed to answer it; by default its bot is an ordinary one."""
    has_bot = fields.pop("has_bot", True)
    bot = bot or (a_bot() if has_bot else None)
    defaults: dict[str, Any] = {"received_at": NOON, "claim": 1, "answer_claims": 1, "bot": bot}
    account = fields.pop("account", None) or (bot.account if bot else None)
    return an_exchange(account, state=fields.pop("state", State.ANSWERING), **defaults | fields)


def data_of(exchange: Exchange) -> dict[str, Any]:
    """Give what a stored continue body says."""
    return dict(dict(exchange.body or {})["data"])


def a_call(**fields: Any) -> llm.Call:
    """Give one good call of a model."""
    defaults: dict[str, Any] = {
        "provider": "main",
        "vendor": "openai",
        "model": "gpt-4o-mini",
        "started_at": NOON,
        "latency_ms": 812,
        "ok": True,
        "messages": ({"role": "user", "content": "Do you have it in blue?"},),
        "knowledge": "We have blue.",
        "answer_text": '{"text": "Yes."}',
        "input_tokens": 210,
        "output_tokens": 18,
        "cost": Decimal("0.00012"),
    }
    return llm.Call(**defaults | fields)


def a_draft(text: str = "Yes.", outcome: Outcome = Outcome.SUCCESS, **fields: Any) -> Draft:
    return Draft(**{"text": text, "outcome": outcome, "outputs": {}} | fields)


# what needs no model


def test_an_ordinary_message_is_for_the_model():
    assert decide(claimed(), now=NOON) is None


@pytest.mark.parametrize("off", ["account", "bot"])
def test_what_is_switched_off_answers_with_silence(off: str):
    exchange = claimed()
    owner: Any = exchange.account if off == "account" else exchange.bot
    owner.enabled = False

    draft = decide(exchange, now=NOON)

    assert draft is not None
    assert (draft.text, draft.outcome, draft.reason) == ("", Outcome.SILENT, f"{off}_off")


def test_without_a_bot_the_built_in_sentence_goes_out_and_the_owner_reads_why():
    draft = decide(claimed(has_bot=False), now=NOON)
    assert draft is not None
    assert (draft.outcome, draft.reason) == (Outcome.FAIL, "no_bot")
    assert draft.text
    assert "mark it as default" in draft.reason_text


@pytest.mark.parametrize("text", ["", "  \n\t "], ids=["nothing", "blanks"])
@pytest.mark.parametrize("empty_text", ["", "Please write."], ids=["our own sentence", "the bot's"])
def test_a_message_without_words_is_asked_for_words(text: str, empty_text: str):
    draft = decide(claimed(a_bot(empty_text=empty_text), text=text), now=NOON)
    assert draft is not None
    assert (draft.outcome, draft.reason) == (Outcome.SUCCESS, "no_text")
    assert draft.text == empty_text or (not empty_text and len(draft.text) > 10)


@pytest.mark.parametrize(
    ("claims", "is_fallback"),
    [(1, False), (CLAIMS_MAX - 1, False), (CLAIMS_MAX, True), (CLAIMS_MAX + 1, True)],
    ids=["first claim", "one before the last", "the last", "beyond"],
)
def test_a_message_over_which_workers_keep_dying_gets_the_fallback(*, claims: int, is_fallback: bool):
    draft = decide(claimed(a_bot(fallback_text="Later."), answer_claims=claims), now=NOON)
    assert (draft is not None) == is_fallback
    assert draft is None or (draft.text, draft.reason) == ("Later.", "interrupted")


@pytest.mark.parametrize(
    ("after_s", "is_late"),
    [(0, False), (30 - SEND_RESERVE_S - 0.1, False), (30 - SEND_RESERVE_S, True), (3600, True)],
    ids=["at once", "just in time", "no time left", "an hour later"],
)
def test_a_message_that_is_too_late_for_the_model_gets_the_fallback(*, after_s: float, is_late: bool):
    draft = decide(claimed(a_bot(fallback_text="Later.")), now=NOON + timedelta(seconds=after_s))
    assert (draft is not None) == is_late
    assert draft is None or (draft.text, draft.outcome, draft.reason) == ("Later.", Outcome.FAIL, "too_late")


def test_the_model_has_the_time_to_the_deadline_less_what_sending_needs():
    assert time_left_s(claimed(), now=NOON + timedelta(seconds=10)) == pytest.approx(20 - SEND_RESERVE_S)


def test_a_fallback_without_a_text_of_the_bot_is_a_sentence_of_ours():
    assert answering.fallback(a_bot(fallback_text="Later."), "x", "y").text == "Later."
    assert len(answering.fallback(a_bot(fallback_text=""), "x", "y").text) > 10
    assert len(answering.fallback(None, "x", "y").text) > 10


# what the model is told


def test_the_conversation_so_far_comes_in_order_with_who_said_it():
    bot = a_bot()
    conversation = a_conversation(bot.account)
    before = an_exchange(conversation=conversation, state=State.DELIVERED, text="Hi", reply_text="Hello!")
    a_message(conversation, "I am Ann, a colleague.", role=Message.Role.HUMAN)
    a_message(conversation, "The customer is new.", role=Message.Role.SYSTEM)
    exchange = claimed(bot, conversation=conversation, text="Blue?", instruction="Be brief.")

    briefing = load(exchange)

    assert [(line.role, line.text) for line in briefing.history] == [
        ("customer", "Hi"),
        ("bot", "Hello!"),
        ("human", "I am Ann, a colleague."),
        ("system", "The customer is new."),
    ]
    assert (briefing.message, briefing.instruction) == ("Blue?", "Be brief.")
    assert before.pk < exchange.pk


def test_later_messages_and_other_conversations_are_not_history():
    bot = a_bot()
    conversation = a_conversation(bot.account)
    exchange = claimed(bot, conversation=conversation, text="first")
    claimed(bot, conversation=conversation, text="second", state=State.RECEIVED)
    an_exchange(bot.account, text="of another customer")
    an_exchange(an_account(), text="of another account")

    assert load(exchange).history == ()


def test_of_the_history_only_the_newest_lines_are_told():
    bot = a_bot(history_messages=3)
    conversation = a_conversation(bot.account)
    for number in range(10):
        a_message(conversation, f"line {number}")
    exchange = claimed(bot, conversation=conversation)

    assert [line.text for line in load(exchange).history] == ["line 7", "line 8", "line 9"]


def test_a_bot_that_remembers_nothing_is_told_nothing():
    bot = a_bot(history_messages=0)
    conversation = a_conversation(bot.account)
    a_message(conversation, "before")
    assert load(claimed(bot, conversation=conversation)).history == ()


def test_lines_without_words_are_not_told():
    bot = a_bot()
    conversation = a_conversation(bot.account)
    a_message(conversation, "")
    assert load(claimed(bot, conversation=conversation)).history == ()


def test_a_bot_is_told_as_plain_data_with_its_models_in_order():
    account = an_account()
    outputs = [{"name": "city", "type": "text", "description": "where", "choices": ["Lima"]}, {"name": "vip"}]
    bot = a_bot(account, prompt="P", knowledge="K", temperature=0.3, max_tokens=99, outputs=outputs)
    spare = a_provider(account, name="spare", provider="anthropic", api_key="sk-spare")
    main = a_provider(account, name="main", provider="openai", api_key="sk-main", api_base="https://llm.example.com/v1")
    a_model_choice(bot, spare, model="claude", position=1)
    a_model_choice(bot, main, model="gpt", position=0, input_price=Decimal("0.15"), output_price=Decimal("0.6"))

    config = bot_config(bot)

    assert (config.prompt, config.knowledge, config.temperature, config.max_tokens) == ("P", "K", 0.3, 99)
    assert config.choices == (
        llm.ModelChoice(
            provider="main",
            vendor="openai",
            model="gpt",
            api_key="sk-main",
            api_base="https://llm.example.com/v1",
            input_price=Decimal("0.15"),
            output_price=Decimal("0.6"),
        ),
        llm.ModelChoice(provider="spare", vendor="anthropic", model="claude", api_key="sk-spare"),
    )
    assert config.outputs == (
        llm.Output(name="city", type="text", description="where", choices=("Lima",)),
        llm.Output(name="vip"),
    )


def test_an_archived_provider_is_not_asked():
    bot = a_bot()
    a_model_choice(bot).provider.archive(NOON)
    assert bot_config(bot).choices == ()


def test_a_key_that_can_not_be_decrypted_gives_the_fallback(settings: Any):
    bot = a_bot(fallback_text="Later.")
    a_model_choice(bot)
    exchange = claimed(bot)
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(SecretUnreadable):
        load(exchange)
    draft = answering.unreadable_secret(exchange)
    assert (draft.text, draft.outcome, draft.reason) == ("Later.", Outcome.FAIL, "secret")
    assert "FIELD_KEYS" in draft.reason_text


# asking


def asked(exchange: Exchange, *, now: datetime = NOON) -> Draft:
    return asyncio.run(ask(exchange, load(exchange), now=now))


def test_a_bot_without_models_gives_the_fallback_with_a_reason_in_words():
    draft = asked(claimed(a_bot(fallback_text="Later.")))
    assert (draft.text, draft.outcome, draft.reason, draft.calls) == ("Later.", Outcome.FAIL, "no_reply", ())
    assert "no model" in draft.reason_text


def test_a_provider_without_a_key_makes_no_call_and_says_so():
    bot = a_bot()
    a_model_choice(bot, a_provider(bot.account, api_key="", api_base="http://127.0.0.1:1/v1"))
    draft = asked(claimed(bot))
    assert draft.outcome is Outcome.FAIL
    assert [call.error for call in draft.calls] == [llm.CallError.NO_KEY]


def test_the_model_gets_the_briefing_and_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch, settings: Any):
    given: dict[str, Any] = {}

    async def answer(*arguments: Any, **options: Any) -> llm.Reply:
        given.update(options, arguments=arguments)
        return llm.Reply(text="A colleague comes.", outcome="handoff", outputs={"city": "Lima"}, calls=(a_call(),))

    monkeypatch.setattr(llm, "answer", answer)
    settings.LLM_ALLOW_PRIVATE_HOSTS = False
    exchange = claimed(text="Blue?", instruction="Be brief.")
    briefing = load(exchange)

    draft = asyncio.run(ask(exchange, briefing, now=NOON + timedelta(seconds=5)))

    assert given["arguments"] == (briefing.config, briefing.history, "Blue?")
    assert (given["instruction"], given["allow_private_hosts"]) == ("Be brief.", False)
    assert given["deadline_s"] == pytest.approx(25 - SEND_RESERVE_S)
    assert (draft.text, draft.outcome, draft.outputs) == ("A colleague comes.", Outcome.HANDOFF, {"city": "Lima"})
    assert (draft.reason, len(draft.calls)) == ("", 1)


# storing


def test_a_reply_is_stored_as_it_will_be_sent():
    exchange = claimed()

    assert store(exchange, a_draft("Yes, in blue.", outputs={"city": "Lima", "vip": True}), now=NOON)

    stored = Exchange.objects.get()
    assert (stored.state, stored.outcome, stored.reply_text) == (State.ANSWERED, "success", "Yes, in blue.")
    assert stored.body == {
        "data": {"status": "success", "message": "Yes, in blue.", "show": "1", "city": "Lima", "vip": True}
    }
    assert (stored.was_cut, stored.reason, stored.has_reply) == (False, "", True)


@pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.HANDOFF, Outcome.FAIL])
def test_the_outcome_is_told_truthfully(outcome: Outcome):
    store(claimed(), a_draft(outcome=outcome, reason="no_reply", reason_text="x" * 2000), now=NOON)
    stored = Exchange.objects.get()
    assert stored.outcome == data_of(stored)["status"] == outcome
    assert (stored.reason, stored.reason_text) == ("no_reply", "x" * 1000)


def test_silence_is_stored_without_a_word_even_when_the_model_wrote_some():
    store(claimed(), a_draft("I say nothing.", Outcome.SILENT), now=NOON)
    stored = Exchange.objects.get()
    assert (stored.reply_text, stored.body) == ("", {"data": {"status": "silent", "message": "", "show": "0"}})


def test_double_braces_of_a_model_never_reach_kommo():
    store(claimed(), a_draft("{{{lead.name}}} {{x}}", outputs={"city": "{{y}}"}), now=NOON)
    stored = Exchange.objects.get()
    sent = json.dumps(data_of(stored)) + stored.reply_text
    assert "lead.name" in sent
    assert "{{" not in sent.replace('{"', "")
    assert "}}" not in sent.replace('"}', "")


@pytest.mark.parametrize(("origin", "limit"), [("instagram_business", 1000), ("telegram", 4096)])
def test_a_reply_is_cut_to_what_its_channel_takes_and_says_so(origin: str, limit: int):
    store(claimed(origin=origin), a_draft("One sentence. " * 600), now=NOON)
    stored = Exchange.objects.get()
    assert stored.was_cut
    assert limit * 0.9 < len(stored.reply_text) <= limit
    assert stored.reply_text == data_of(stored)["message"]


def test_a_reply_of_1_200_characters_goes_whole_where_the_channel_takes_it():
    text = ("word " * 240).strip()
    store(claimed(origin="telegram"), a_draft(text), now=NOON)
    assert (Exchange.objects.get().reply_text, Exchange.objects.get().was_cut) == (text, False)


def test_every_call_is_kept_with_what_went_out_and_came_back():
    bot = a_bot()
    provider = a_provider(bot.account, name="main")
    failed = a_call(ok=False, error=llm.CallError.TIMEOUT, error_text="Too slow.", provider="gone", cost=None)

    store(claimed(bot), a_draft(calls=(failed, a_call())), now=NOON)

    first, second = Attempt.objects.order_by("pk")
    assert (first.ok, first.error, first.error_text, first.provider) == (False, "timeout", "Too slow.", None)
    assert (second.ok, second.error, second.provider, second.model) == (True, "", provider, "openai/gpt-4o-mini")
    assert second.sent == [{"role": "user", "content": "Do you have it in blue?"}]
    assert (second.received, second.knowledge) == ('{"text": "Yes."}', "We have blue.")
    assert (second.input_tokens, second.output_tokens, second.cost) == (210, 18, Decimal("0.00012"))
    assert (second.kind, second.started_at, second.latency_ms) == (Attempt.Kind.LLM, NOON, 812)
    assert second.account == bot.account


def test_who_lost_the_exchange_stores_nothing():
    exchange = claimed()
    Exchange.objects.update(claim=2)
    before = Exchange.objects.values().get()

    assert not store(exchange, a_draft(calls=(a_call(),)), now=NOON)

    assert Exchange.objects.values().get() == before
    assert not Attempt.objects.exists()


def test_a_briefing_does_not_show_the_keys_of_its_models():
    bot = a_bot()
    a_model_choice(bot, a_provider(bot.account, api_key="sk-planted"))
    assert "sk-planted" not in repr(load(claimed(bot)))
    assert "sk-planted" not in repr(bot_config(bot))
