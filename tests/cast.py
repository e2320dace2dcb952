"""The cast of every test, and rows with defaults that a test changes where it matters.

Acme has an owner, an editor and a viewer; Rival is the stranger's; the operator runs the deployment. Functions named
`a_…` and `an_…` save what they make. Whatever isn't given is made too: an exchange without an account gets one.
"""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bots.kommo import continue_body
from bots.models import (
    Account,
    Attempt,
    Bot,
    Conversation,
    Exchange,
    Membership,
    Message,
    ModelChoice,
    Provider,
    User,
)
from bots.states import OPEN, SETTLED, Outcome, State, timeline_entry

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"

_numbers = itertools.count(1001)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who appears: two accounts and their people."""

    acme: Account
    owner: User
    editor: User
    viewer: User
    rival: Account
    stranger: User
    operator: User


def the_cast() -> Cast:
    """Make both accounts and everybody."""
    acme, rival = an_account("Acme"), an_account("Rival")
    return Cast(
        acme=acme,
        owner=a_member(acme, Membership.Role.OWNER, email="owner@acme.test"),
        editor=a_member(acme, Membership.Role.EDITOR, email="editor@acme.test"),
        viewer=a_member(acme, Membership.Role.VIEWER, email="viewer@acme.test"),
        rival=rival,
        stranger=a_member(rival, Membership.Role.OWNER, email="stranger@rival.test"),
        operator=a_user("operator@bridge.test", is_superuser=True),
    )


def an_account(name: str = "Acme", **fields: Any) -> Account:
    """Make an account that is connected, with a client secret and a token."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "subdomain": f"{name.lower()}{number}",
        "kommo_id": 31_330_000 + number,
        "client_id": f"5e0ba60f-6af3-4c2a-8be8-{number:012d}",
        "client_secret": f"client-secret-of-{name}-{number}",
        "access_token": f"access-token-of-{name}-{number}",
    }
    return Account.objects.create(name=name, **defaults | fields)


def a_user(email: str = "", *, password: str | None = None, **fields: Any) -> User:
    """Make a user; without a password only a forced login gets in, and no time goes into hashing."""
    return User.objects.create_user(email or f"somebody{next(_numbers)}@acme.test", password, **fields)


def a_member(
    account: Account, role: Membership.Role = Membership.Role.OWNER, *, email: str = "", **fields: Any
) -> User:
    """Make a user who belongs to an account."""
    user = a_user(email, **fields)
    Membership.objects.create(account=account, user=user, role=role)
    return user


def a_provider(account: Account | None = None, **fields: Any) -> Provider:
    """Make a provider with a key."""
    number = next(_numbers)
    defaults: dict[str, Any] = {"name": f"main-{number}", "provider": "openai", "api_key": f"sk-test-key-{number:08d}"}
    return Provider.objects.create(account=account or an_account(), **defaults | fields)


def a_bot(account: Account | None = None, **fields: Any) -> Bot:
    """Make a bot; the account's first is its default. It has no model: see `a_model_choice`."""
    account = account or an_account()
    number = next(_numbers)
    is_first = not account.bots.filter(is_default=True).exists()
    defaults: dict[str, Any] = {
        "slug": f"bot-{number}",
        "name": f"Sales {number}",
        "prompt": "You are the assistant of a shop.",
        "is_default": is_first,
    }
    return Bot.objects.create(account=account, **defaults | fields)


def a_model_choice(bot: Bot, provider: Provider | None = None, **fields: Any) -> ModelChoice:
    """Let a bot ask a model."""
    return ModelChoice.objects.create(
        bot=bot, provider=provider or a_provider(bot.account), **{"model": "gpt-4o-mini"} | fields
    )


def a_conversation(account: Account | None = None, **fields: Any) -> Conversation:
    """Make a conversation with a lead."""
    number = next(_numbers)
    defaults: dict[str, Any] = {"entity_type": 2, "entity_id": str(7_000_000 + number), "origin": "telegram"}
    return Conversation.objects.create(account=account or an_account(), **defaults | fields)


def a_message(conversation: Conversation, text: str = "Hello", **fields: Any) -> Message:
    """Make a line of a conversation, the customer's unless `role` says otherwise."""
    return Message.objects.create(conversation=conversation, text=text, **{"role": Message.Role.CUSTOMER} | fields)


def an_exchange(
    account: Account | None = None,
    *,
    state: State = State.RECEIVED,
    conversation: Conversation | None = None,
    received_at: datetime | None = None,
    **fields: Any,
) -> Exchange:
    """Make an exchange in any state, with the customer's line and, when it was delivered, the bot's.

    A settled one, and an open one that has been answered, has a reply and a continue body; `received_at` is now.
    """
    account = account or (conversation.account if conversation else an_account())
    conversation = conversation or a_conversation(account)
    now = received_at or datetime.now(UTC)
    exchange = Exchange.objects.create(
        account=account,
        conversation=conversation,
        state=state,
        received_at=now,
        **_defaults(state, now) | _reply(state, fields) | fields,
    )
    a_message(conversation, exchange.text, exchange=exchange, created_at=now)
    if state is State.DELIVERED and exchange.reply_text:
        a_message(conversation, exchange.reply_text, exchange=exchange, role=Message.Role.BOT, created_at=now)
    return exchange


def _defaults(state: State, now: datetime) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "bot_type": "salesbot",
        "salesbot_id": "4711",
        "continue_id": str(88_000_000 + number),
        "text": "Do you have it in blue?",
        "answer_due": now + timedelta(seconds=30),
        "end_due": now + timedelta(seconds=120),
        "state_since": now,
        "timeline": [timeline_entry(State.RECEIVED, now=now)],
        "settled_at": now + timedelta(seconds=2.5) if state in SETTLED else None,
    }


def _reply(state: State, fields: dict[str, Any]) -> dict[str, Any]:
    if state in OPEN - {State.ANSWERED, State.SENDING}:
        return {}
    text = fields.get("reply_text", "Yes, in two shades of blue.")
    outcome = fields.get("outcome", Outcome.SUCCESS)
    body = continue_body(status=Outcome(outcome).value, message=text, outputs={})
    return {"outcome": outcome, "reply_text": text, "body": body}


def an_attempt(exchange: Exchange | None = None, **fields: Any) -> Attempt:
    """Make a good call of a model; `kind=Attempt.Kind.CONTINUE` and the rest make it something else."""
    exchange = exchange or an_exchange()
    is_model = fields.get("kind", Attempt.Kind.LLM) == Attempt.Kind.LLM
    defaults: dict[str, Any] = {"kind": Attempt.Kind.LLM, "ok": True, "latency_ms": 1234}
    if is_model:
        defaults |= {
            "model": "openai/gpt-4o-mini",
            "sent": [{"role": "user", "content": exchange.text}],
            "received": "Yes, in two shades of blue.",
            "input_tokens": 210,
            "output_tokens": 18,
        }
    else:
        defaults |= {"http_status": 202, "sent": exchange.body}
    return Attempt.objects.create(account=exchange.account, exchange=exchange, **defaults | fields)
