"""Taking a widget_request: store the exchange and its queue row in one transaction, once."""

import logging
import threading
import uuid
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from bots import queue
from bots.kommo import ReturnUrl, TokenFacts, WidgetData
from bots.models import Account, Bot, Conversation, Exchange, Message
from bots.models.bots import DEADLINE_DEFAULT_S
from bots.states import State, timeline_entry

END_AFTER = timedelta(seconds=120)  # contract: every exchange is in an end state by then

_line = threading.Lock()

log = logging.getLogger(__name__)


def take(
    account: Account, *, facts: TokenFacts, data: WidgetData, return_url: ReturnUrl, encoding: str, now: datetime
) -> bool:
    """Store a verified request, unless its continue id is already known.

    Returns:
        True when it was stored, False for a second copy, which changes nothing.
    """
    bot = choose_bot(account, data.bot)
    try:
        with _turn_to_write(), transaction.atomic(durable=True):
            exchange = _store(account, bot, facts=facts, data=data, return_url=return_url, encoding=encoding, now=now)
    except IntegrityError:
        if _is_known(account, return_url):
            return False
        raise
    log.info("exchange taken", extra=log_fields(exchange) | {"message_chars": len(data.message), "encoding": encoding})
    return True


def _turn_to_write() -> AbstractContextManager[object]:
    """Let the threads of this process write one after the other where the database has one writer.

    SQLite lets those who wait ask again and again, in no order; in a line of our own nobody is passed over.
    """
    return _line if connection.vendor == "sqlite" else nullcontext()


def choose_bot(account: Account, slug: str) -> Bot | None:
    """Find the bot that a Widget step names, or the account's default; None when the account has no default."""
    found = list(Bot.objects.filter(Q(slug=slug) | Q(is_default=True), account=account, archived_at__isnull=True))
    return next((bot for bot in found if bot.slug == slug), found[0] if found else None)


def log_fields(exchange: Exchange) -> dict[str, int]:
    """Give what every log line about an exchange carries."""
    return {"exchange_id": exchange.pk, "account": exchange.account_id}


def _is_known(account: Account, return_url: ReturnUrl) -> bool:
    return Exchange.objects.filter(
        account=account,
        bot_type=return_url.bot_type,
        salesbot_id=return_url.salesbot_id,
        continue_id=return_url.continue_id,
    ).exists()


def _store(
    account: Account,
    bot: Bot | None,
    *,
    facts: TokenFacts,
    data: WidgetData,
    return_url: ReturnUrl,
    encoding: str,
    now: datetime,
) -> Exchange:
    conversation = _conversation(account, facts, data, now=now)
    deadline_s = bot.deadline_s if bot else DEADLINE_DEFAULT_S
    exchange = Exchange.objects.create(
        account=account,
        conversation=conversation,
        bot=bot,
        bot_type=return_url.bot_type,
        salesbot_id=return_url.salesbot_id,
        continue_id=return_url.continue_id,
        text=data.message,
        instruction=data.instruction,
        origin=data.origin[:64],
        widget_version=data.widget[:64],
        asked_bot=data.bot[:64],
        data=_other_data(data),
        encoding=encoding,
        token_algorithm=facts.algorithm,
        token_facts=_facts_kept(facts),
        received_at=now,
        answer_due=now + timedelta(seconds=deadline_s),
        end_due=now + END_AFTER,
        state_since=now,
        timeline=[timeline_entry(State.RECEIVED, now=now)],
        queue_row=queue.enqueue_wake(),
    )
    Message.objects.create(
        conversation=conversation, exchange=exchange, role=Message.Role.CUSTOMER, text=data.message, created_at=now
    )
    return exchange


def _conversation(account: Account, facts: TokenFacts, data: WidgetData, *, now: datetime) -> Conversation:
    """Find or make the conversation and hold its row, so that exchanges of one conversation are numbered in order.

    Without a usable entity in the token the exchange gets a conversation of its own: nothing may be mixed by guess.
    """
    entity_type, entity_id = facts.entity_type, facts.entity_id
    if entity_type is None or entity_id is None:
        entity_type, entity_id = 0, f"request-{uuid.uuid4()}"
    known = {
        "talk_id": data.talk_id[:64],
        "contact_id": data.contact_id[:64],
        "origin": data.origin[:64],
        "last_message_at": now,
    }
    [conversation] = Conversation.objects.bulk_create(
        [Conversation(account=account, entity_type=entity_type, entity_id=entity_id, created_at=now, **known)],
        update_conflicts=True,
        unique_fields=["account", "entity_type", "entity_id"],
        update_fields=[name for name, value in known.items() if value],
    )
    return conversation


def _other_data(data: WidgetData) -> dict[str, object]:
    ids = {"lead_id": data.lead_id, "contact_id": data.contact_id, "talk_id": data.talk_id}
    return {name: value for name, value in ids.items() if value} | dict(data.extra)


def _facts_kept(facts: TokenFacts) -> dict[str, object]:
    """Keep what the token said, never the token itself."""
    return {
        "jti": facts.jti[:200],
        "aud": facts.aud[:200],
        "bot_type": facts.bot_type[:40],
        "previous_secret": facts.secret_index > 0,
    }
