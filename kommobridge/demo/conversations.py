"""Prepared conversations, so that the admin has something to show before anybody wrote.

Customers' lines come from the business's folder. Replies are not written down anywhere: the offline model gives them
from the bot's own prompt and knowledge; how they travel is planned, and what a call to Kommo means is judged, as in
earnest. The rows are settled from the start and lie in the past, so that no worker ever takes them up.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from bots.answering import Draft, bot_config, plan_for
from bots.deliveries import BACKOFF_S, LAST_TRY_BEFORE_END_S, Verdict, judge
from bots.intake import END_AFTER
from bots.kommo import KommoAnswer, NotConnected, Plan, meaning_of
from bots.models import Account, Attempt, Bot, Conversation, Exchange, Message
from bots.states import Outcome, State, timeline_entry
from kommobridge.demo.content import Business
from llm.config import BotConfig, Line
from llm.offline import OfflineAnswer, answer_offline
from llm.prompts import Prompt, build_prompt
from llm.structured import reply_schema

ENTITY_ID_BASE = 104_210_000  # below every id that a sandbox gives: those count on from a clock that is past them
CONTINUE_ID_BASE = 1_767_000_000_000
LEAD = 2
PROMPT_TOKENS = 6_000
BETWEEN_MESSAGES = timedelta(seconds=95)
ANSWER_AFTER = timedelta(seconds=1)
SEND_AFTER = timedelta(seconds=2)
CALL_MS = 180
ACCEPTED = KommoAnswer(status=202)
REFUSED = NotConnected("refused", "connection refused")


@dataclass(slots=True, kw_only=True)
class _Told:
    """One conversation while it is being written: who, when, what was said so far, and what was offered last."""

    account: Account
    business: Business
    bot: Bot
    salesbot_id: int
    conversation: Conversation
    kommo_is_down: bool
    history: list[Line] = field(default_factory=list)
    offered: tuple[str, ...] = ()

    def exchange(self, text: str, *, at: datetime) -> None:
        """Write one message of the customer's with everything that it led to."""
        meaning = meaning_of(text, self.offered)
        config = bot_config(self.bot)
        prompt, answer, took_ms = _answer(config, self.history, meaning or text)
        draft = _draft(answer, config, meaning=meaning)
        calls = _calls(at + SEND_AFTER, is_down=self.kommo_is_down)
        exchange = self._row(text, draft, at=at, calls=calls)
        self._model_attempt(exchange, prompt, answer, took_ms=took_ms)
        Attempt.objects.bulk_create(_continue_attempt(exchange, moment, verdict) for moment, verdict in calls)
        self._say(exchange, Message.Role.CUSTOMER, text, at=at)
        if exchange.state == State.DELIVERED:
            self._delivered(exchange, at=calls[-1][0])

    def _delivered(self, exchange: Exchange, *, at: datetime) -> None:
        self.offered = tuple(exchange.offered)
        if exchange.reply_text:
            self._say(exchange, Message.Role.BOT, exchange.reply_text, at=at)

    def _row(self, text: str, draft: Draft, *, at: datetime, calls: Sequence[tuple[datetime, Verdict]]) -> Exchange:
        ended, last = calls[-1]
        state = State.FAILED if self.kommo_is_down else State.DELIVERED
        number = Exchange.objects.filter(account=self.account).count()
        plan = self._plan(draft)
        return Exchange.objects.create(
            account=self.account,
            conversation=self.conversation,
            bot=self.bot,
            bot_type="salesbot",
            salesbot_id=str(self.salesbot_id),
            continue_id=str(CONTINUE_ID_BASE + number),
            text=text,
            origin=self.business.channel,
            asked_bot=self.business.slug,
            encoding=self.business.encoding,
            token_algorithm=self.business.algorithm,
            received_at=at,
            answer_due=at + timedelta(seconds=self.bot.deadline_s),
            end_due=at + END_AFTER,
            state=state,
            state_since=ended,
            settled_at=ended,
            timeline=_timeline(at, calls, state),
            outcome=draft.outcome.value,
            meaning=draft.meaning,
            reply_text=plan.text,
            body=plan.body,
            offered=list(plan.offered),
            was_cut=plan.was_cut,
            posts=len(calls),
            answer_claims=1,
            claim=1,
            reason=last.reason,
            reason_text=last.reason_text,
        )

    def _plan(self, draft: Draft) -> Plan:
        return plan_for(Exchange(bot=self.bot, origin=self.business.channel), draft)

    def _model_attempt(self, exchange: Exchange, prompt: Prompt, answer: OfflineAnswer, *, took_ms: int) -> None:
        Attempt.objects.create(
            account=self.account,
            exchange=exchange,
            kind=Attempt.Kind.LLM,
            started_at=exchange.received_at + ANSWER_AFTER,
            latency_ms=took_ms,
            ok=True,
            sent=list(prompt.messages),
            received=answer.text,
            provider=self.account.providers.get(provider="demo"),
            model="demo/offline",
            knowledge=prompt.knowledge,
        )

    def _say(self, exchange: Exchange, role: Message.Role, text: str, *, at: datetime) -> None:
        Message.objects.create(conversation=self.conversation, exchange=exchange, role=role, text=text, created_at=at)
        self.history.append(Line("bot" if role == Message.Role.BOT else "customer", text))


def prepare_conversations(account: Account, business: Business, *, salesbot_id: int) -> None:
    """Write the business's conversations, unless the account has one already.

    Args:
        account: the demo's; it has the bot and the offline provider.
        business: whose folder tells what customers wrote.
        salesbot_id: the Salesbot that asked.
    """
    with transaction.atomic():
        if account.conversations.exists():
            return
        _backdate(account, business)
        bot = account.bots.get(slug=business.slug)
        for number, told in enumerate(business.conversations):
            _write(told, number, account=account, business=business, bot=bot, salesbot_id=salesbot_id)


def _backdate(account: Account, business: Business) -> None:
    """Let the account be older than its first conversation."""
    oldest = max(told["hours_ago"] for told in business.conversations)
    account.created_at = timezone.now() - timedelta(hours=oldest + 1)
    account.save(update_fields=["created_at"])


def _write(
    told: Mapping[str, Any], number: int, *, account: Account, business: Business, bot: Bot, salesbot_id: int
) -> None:
    began = timezone.now() - timedelta(hours=told["hours_ago"])
    moments = [began + BETWEEN_MESSAGES * turn for turn in range(len(told["messages"]))]
    conversation = Conversation.objects.create(
        account=account,
        entity_type=LEAD,
        entity_id=str(ENTITY_ID_BASE + 7 * number),
        contact_id=str(ENTITY_ID_BASE + 7 * number + 1),
        origin=business.channel,
        created_at=began,
        last_message_at=moments[-1],
    )
    writing = _Told(
        account=account,
        business=business,
        bot=bot,
        salesbot_id=salesbot_id,
        conversation=conversation,
        kommo_is_down=told.get("kommo_is_down", False),
    )
    for moment, text in zip(moments, told["messages"], strict=True):
        writing.exchange(text, at=moment)


def _answer(config: BotConfig, history: Sequence[Line], text: str) -> tuple[Prompt, OfflineAnswer, int]:
    """Ask the offline model; also give what it was sent and the milliseconds that it took."""
    prompt = build_prompt(config, history, text, instruction="", shape="schema", tokens=PROMPT_TOKENS)
    began = time.perf_counter()
    answer = answer_offline(prompt.messages, reply_schema(config))
    return prompt, answer, round((time.perf_counter() - began) * 1000)


def _draft(answer: OfflineAnswer, config: BotConfig, *, meaning: str) -> Draft:
    return Draft(
        text=answer.text,
        outcome=Outcome(answer.outcome),
        outputs={name: value for name, value in answer.outputs.items() if value is not None},
        buttons=answer.buttons,
        links=tuple(link for link in config.links if link.text in answer.links),
        meaning=meaning,
    )


def _calls(first: datetime, *, is_down: bool) -> list[tuple[datetime, Verdict]]:
    """Give the calls to Kommo: one that it took, or tries until the time for the message was over."""
    if not is_down:
        return [(first, judge(ACCEPTED, probing=False, shortened=False, posts=1))]
    last_try = first - SEND_AFTER + END_AFTER - timedelta(seconds=LAST_TRY_BEFORE_END_S)
    moments = [first]
    while moments[-1] < last_try:
        pause = timedelta(seconds=BACKOFF_S[min(len(moments), len(BACKOFF_S)) - 1])
        moments.append(min(moments[-1] + pause, last_try))
    return [
        (moment, judge(REFUSED, probing=False, shortened=False, posts=posts))
        for posts, moment in enumerate(moments, start=1)
    ]


def _continue_attempt(exchange: Exchange, moment: datetime, verdict: Verdict) -> Attempt:
    is_taken = verdict.state is State.DELIVERED
    return Attempt(
        account=exchange.account,
        exchange=exchange,
        kind=Attempt.Kind.CONTINUE,
        started_at=moment,
        latency_ms=CALL_MS if is_taken else 1,
        ok=is_taken,
        error=verdict.reason,
        error_text=verdict.reason_text,
        sent=exchange.body,
        http_status=ACCEPTED.status if is_taken else None,
    )


def _timeline(at: datetime, calls: Sequence[tuple[datetime, Verdict]], end: State) -> list[dict[str, str]]:
    entries = [
        timeline_entry(State.RECEIVED, now=at),
        timeline_entry(State.ANSWERING, now=at + ANSWER_AFTER),
        timeline_entry(State.ANSWERED, now=at + ANSWER_AFTER),
    ]
    for moment, verdict in calls:
        entries.append(timeline_entry(State.SENDING, now=moment))
        entries.append(timeline_entry(end if moment == calls[-1][0] else State.SENDING, now=moment, why=verdict.reason))
    return entries
