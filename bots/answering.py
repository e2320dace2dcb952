"""What an exchange is answered with: the model's reply, or one of our own.

`load` reads everything from the database, `decide` says without a model what can be said without one, `ask` asks the
model, `store` writes the reply. Only `ask` is asynchronous; nothing here knows how a reply reaches Kommo.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

import llm
from bots.kommo import LinkButton, Plan, may_be_choice, meaning_of, neutralise, plan_delivery
from bots.models import Attempt, Bot, Exchange, Message
from bots.states import Outcome, State, move

SEND_RESERVE_S = 1.5  # kept from the answer deadline for storing the reply and for a place in the pace
CLAIMS_MAX = 3  # a claim without a reply is a worker that died over it; the third gets the fallback


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A reply before it is stored.

    Args:
        text: as the model or we wrote it.
        reason: code of why it is not the model's own reply, "" when it is.
        reason_text: the same in plain words for the owner.
        meaning: which of the answers offered before the customer's message chooses, "" when none.
    """

    text: str
    outcome: Outcome
    outputs: Mapping[str, llm.OutputValue]
    buttons: tuple[str, ...] = ()
    links: tuple[llm.Link, ...] = ()
    reason: str = ""
    reason_text: str = ""
    calls: tuple[llm.Call, ...] = ()
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """What the model is asked, in plain data.

    Args:
        message: what the customer wrote, or the answer that a tap or number chooses.
        meaning: that answer; "" when the message is none.
    """

    config: llm.BotConfig
    history: tuple[llm.Line, ...]
    message: str
    instruction: str
    meaning: str = ""


def decide(exchange: Exchange, *, now: datetime) -> Draft | None:
    """Say what can be said without a model; None when the model is to be asked."""
    bot = exchange.bot
    if not exchange.account.enabled:
        return silent("account_off", _("The account is switched off."))
    if bot is None:
        return fallback(bot, "no_bot", _("The account has no default bot. Create one and mark it as default."))
    if not bot.enabled:
        return silent("bot_off", _("The bot is switched off."))
    if not exchange.text.strip():
        text = bot.empty_text or _("I can only read text so far. Could you write it in words, please?")
        return Draft(text=text, outcome=Outcome.SUCCESS, outputs={}, reason="no_text")
    if exchange.answer_claims > CLAIMS_MAX - 1:
        return fallback(bot, "interrupted", _("Workers stopped repeatedly while they answered this message."))
    if time_left_s(exchange, now=now) <= 0:
        return fallback(bot, "too_late", _("The answer deadline had passed before a worker was free."))
    return None


def load(exchange: Exchange) -> Briefing:
    """Read models, keys and the conversation so far.

    Raises:
        SecretUnreadable: the key ring does not open a provider's key.
    """
    bot = cast(Bot, exchange.bot)  # without one `decide` has an answer of its own
    lines = (
        Message.objects.filter(
            Q(exchange__isnull=True) | Q(exchange__lt=exchange.pk), conversation=exchange.conversation_id
        )
        .exclude(text="")
        .select_related("exchange")
        .only("role", "text", "exchange__meaning")
        .order_by("-pk")[: bot.history_messages]
    )
    meaning = meaning_of(exchange.text, offered_before(exchange))
    return Briefing(
        config=bot_config(bot),
        history=tuple(llm.Line(role=_role(line), text=_said(line)) for line in reversed(lines)),
        message=meaning or exchange.text,
        instruction=exchange.instruction,
        meaning=meaning,
    )


def offered_before(exchange: Exchange) -> list[str]:
    """Give the answers that the customer had before them: those of the last reply that reached them, or may have.

    A message that is too long to be one of them costs no query.
    """
    if not may_be_choice(exchange.text):
        return []
    seen = Exchange.objects.filter(
        conversation=exchange.conversation_id, pk__lt=exchange.pk, state__in=(State.DELIVERED, State.UNKNOWN)
    )
    return seen.order_by("-pk").values_list("offered", flat=True).first() or []


def bot_config(bot: Bot) -> llm.BotConfig:
    """Give a bot as plain data.

    Raises:
        SecretUnreadable: the key ring does not open a provider's key.
    """
    choices = bot.model_choices.select_related("provider__account").filter(provider__archived_at__isnull=True)
    return llm.BotConfig(
        prompt=bot.prompt,
        knowledge=bot.knowledge,
        choices=tuple(
            llm.ModelChoice(
                provider=choice.provider.name,
                vendor=choice.provider.provider,
                model=choice.model,
                api_key=choice.provider.api_key,
                api_base=choice.provider.api_base,
                input_price=choice.input_price,
                output_price=choice.output_price,
            )
            for choice in choices
        ),
        temperature=bot.temperature,
        max_tokens=bot.max_tokens,
        outputs=tuple(
            llm.Output(
                name=output["name"],
                type=output.get("type", "text"),
                description=output.get("description", ""),
                choices=tuple(output.get("choices", ())),
            )
            for output in bot.outputs
        ),
        offers_buttons=bot.offers_buttons,
        links=tuple(
            llm.Link(text=link["text"], url=link["url"], description=link.get("description", "")) for link in bot.links
        ),
    )


async def ask(exchange: Exchange, briefing: Briefing, *, now: datetime) -> Draft:
    """Ask the bot's models; a failure of all of them gives the fallback."""
    return replace(await _draft(exchange, briefing, now=now), meaning=briefing.meaning)


async def _draft(exchange: Exchange, briefing: Briefing, *, now: datetime) -> Draft:
    try:
        reply = await llm.answer(
            briefing.config,
            briefing.history,
            briefing.message,
            instruction=briefing.instruction,
            deadline_s=time_left_s(exchange, now=now),
            allow_private_hosts=settings.LLM_ALLOW_PRIVATE_HOSTS,
        )
    except llm.NoReply as failure:
        return fallback(exchange.bot, "no_reply", failure.reason, failure.calls)
    return Draft(
        text=reply.text,
        outcome=Outcome(reply.outcome),
        outputs=reply.outputs,
        buttons=reply.buttons,
        links=reply.links,
        calls=reply.calls,
    )


def time_left_s(exchange: Exchange, *, now: datetime) -> float:
    """Say how many seconds the model has."""
    return (exchange.answer_due - now).total_seconds() - SEND_RESERVE_S


def fallback(bot: Bot | None, reason: str, reason_text: str, calls: tuple[llm.Call, ...] = ()) -> Draft:
    """Give the bot's fallback text, or a sentence of ours, with the outcome fail."""
    text = (bot.fallback_text if bot else "") or _("Thank you for your message. We will get back to you soon.")
    return Draft(text=text, outcome=Outcome.FAIL, outputs={}, reason=reason, reason_text=reason_text, calls=calls)


def silent(reason: str, reason_text: str) -> Draft:
    """Let the Salesbot go on without a message."""
    return Draft(text="", outcome=Outcome.SILENT, outputs={}, reason=reason, reason_text=reason_text)


def unreadable_secret(exchange: Exchange) -> Draft:
    """Give the fallback when a key can't be opened."""
    return fallback(
        exchange.bot, "secret", _("A provider's key can't be decrypted. Check FIELD_KEYS, or set the key anew.")
    )


def store(exchange: Exchange, draft: Draft, *, now: datetime) -> bool:
    """Store the reply as it will be sent, and every call that led to it.

    Returns:
        False when another worker holds the exchange by now; then nothing is written.
    """
    plan = plan_for(exchange, draft)
    with transaction.atomic(savepoint=False):
        moved = move(
            exchange,
            State.ANSWERED,
            now=now,
            why=draft.reason,
            outcome=draft.outcome.value,
            reply_text=plan.text,
            body=plan.body,
            offered=list(plan.offered),
            meaning=draft.meaning,
            was_cut=plan.was_cut,
            reason=draft.reason,
            reason_text=draft.reason_text[:1000],
        )
        if moved and draft.calls:
            Attempt.objects.bulk_create(_attempts(exchange, draft.calls))
    return moved


def plan_for(exchange: Exchange, draft: Draft) -> Plan:
    """Plan how a draft is sent, by what its bot says and its channel takes."""
    bot = exchange.bot
    return plan_delivery(
        draft.text,
        status=draft.outcome.value,
        outputs=draft.outputs,
        origin=exchange.origin,
        buttons=draft.buttons,
        links=[LinkButton(link.text, link.url) for link in draft.links],
        chunks=bot is not None and bot.delivery == Bot.Delivery.CHUNKS,
        route=bot.route_for(draft.outcome.value) if bot else None,
    )


def _attempts(exchange: Exchange, calls: tuple[llm.Call, ...]) -> list[Attempt]:
    providers = exchange.account.providers.filter(name__in={call.provider for call in calls})
    by_name = {provider.name: provider for provider in providers.only("name", "account_id")}
    return [
        Attempt(
            account_id=exchange.account_id,
            exchange=exchange,
            kind=Attempt.Kind.LLM,
            started_at=call.started_at,
            latency_ms=call.latency_ms,
            ok=call.ok,
            error=call.error.value,
            error_text=neutralise(call.error_text)[:1000],
            sent=[dict(message) for message in call.messages],
            received=neutralise(call.answer_text),
            provider=by_name.get(call.provider),
            model=f"{call.vendor}/{call.model}"[:160],
            knowledge=call.knowledge,
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            cost=call.cost,
        )
        for call in calls
    ]


def _said(line: Message) -> str:
    """Give what a line says to the model: of a number the answer that it chose."""
    chose = line.exchange.meaning if line.exchange and line.role == Message.Role.CUSTOMER else ""
    return chose or line.text


def _role(line: Message) -> llm.Role:
    match line.role:
        case Message.Role.CUSTOMER:
            return "customer"
        case Message.Role.BOT:
            return "bot"
        case Message.Role.HUMAN:
            return "human"
        case _:
            return "system"
