"""One exchange as its page shows it: the steps with times, every call, what went out and what came back."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin import times
from bots.admin.explained import Tone, Words, outcome_words, reason_words, state_words
from bots.admin.transcripts import chosen
from bots.models import Attempt, Exchange

BUTTONS = {"buttons": gettext_lazy("with buttons"), "buttons_url": gettext_lazy("with links on buttons")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move of an exchange.

    Args:
        at: time of day in the account's zone.
        after: since receipt, such as "+1.4 s".
        words: of the state reached.
        why: in words, "" when the state says it all.
    """

    at: str
    after: str
    words: Words
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallShown:
    """One call of a model or of Kommo.

    Args:
        title: who was called.
        facts: pairs of name and value, short.
        trouble: what went wrong in words, or a remark; "" when nothing.
        messages: what a model was asked, pairs of role and text.
        sent: what else was sent, as text.
        knowledge: the passages that were added.
        received: as it came back.
    """

    title: str
    tone: Tone
    result: str
    facts: tuple[tuple[str, str], ...]
    trouble: str
    messages: tuple[tuple[str, str], ...]
    sent: str
    knowledge: str
    received: str


def steps(exchange: Exchange, *, zone: ZoneInfo) -> Iterator[Step]:
    """Give the moves of an exchange in their order."""
    for entry in exchange.timeline:
        at = datetime.fromisoformat(entry["at"])
        yield Step(
            at=times.clock(at, zone),
            # the timeline keeps milliseconds only, so the first step may seem to come before the receipt
            after=_("+%s s") % seconds(max(0.0, (at - exchange.received_at).total_seconds())),
            words=state_words(entry["state"]),
            why=reason_words(entry["why"]) if entry.get("why") else "",
        )


def calls(attempts: list[Attempt], *, zone: ZoneInfo) -> list[CallShown]:
    """Give every attempt in its order."""
    return [_model_call(a, zone) if a.kind == Attempt.Kind.LLM else _kommo_call(a, zone) for a in attempts]


def _model_call(attempt: Attempt, zone: ZoneInfo) -> CallShown:
    provider = _(" through %s") % attempt.provider if attempt.provider else ""
    facts = [
        (_("Started"), times.clock(attempt.started_at, zone)),
        (_("Took"), _("%s s") % seconds(attempt.latency_ms / 1000)),
        (_("Tokens in"), number(attempt.input_tokens)),
        (_("Tokens out"), number(attempt.output_tokens)),
        (_("Cost"), money(attempt.cost)),
    ]
    sent = attempt.sent if isinstance(attempt.sent, list) else []
    return CallShown(
        title=f"{attempt.model or _('Model')}{provider}",
        tone="good" if attempt.ok else "bad",
        result=_("answered") if attempt.ok else _("no answer"),
        facts=tuple((name, value) for name, value in facts if value),
        trouble=attempt.error_text,
        messages=tuple(_said(message) for message in sent),
        sent="" if sent else as_json(attempt.sent),
        knowledge=attempt.knowledge,
        received=attempt.received,
    )


def _kommo_call(attempt: Attempt, zone: ZoneInfo) -> CallShown:
    facts = [
        (_("Started"), times.clock(attempt.started_at, zone)),
        (_("Took"), _("%s s") % seconds(attempt.latency_ms / 1000)),
        (_("HTTP status"), number(attempt.http_status)),
    ]
    return CallShown(
        title=_("Kommo, continue"),
        tone="good" if attempt.ok else "bad",
        result=_("taken") if attempt.ok else _("not taken"),
        facts=tuple((name, value) for name, value in facts if value),
        trouble=attempt.error_text,
        messages=(),
        sent=as_json(attempt.sent),
        knowledge="",
        received=attempt.received,
    )


def _said(message: object) -> tuple[str, str]:
    if not isinstance(message, Mapping):
        return "", as_json(message)
    content = message.get("content")
    return str(message.get("role", "")), content if isinstance(content, str) else as_json(content)


def asked(exchange: Exchange, *, zone: ZoneInfo) -> list[tuple[str, str]]:
    """Give what Kommo asked: pairs of name and value, without the customer's text."""
    found = [
        (_("Received"), times.shown(exchange.received_at, zone, seconds=True)),
        (_("Channel"), exchange.origin),
        (_("Bot asked for"), exchange.asked_bot),
        (_("Salesbot"), f"{exchange.bot_type} {exchange.salesbot_id}"),
        (_("Continue id"), exchange.continue_id),
        (_("Widget version"), exchange.widget_version),
        (_("Answer due"), times.shown(exchange.answer_due, zone, seconds=True)),
        (_("End due"), times.shown(exchange.end_due, zone, seconds=True)),
        (_("Encoding"), exchange.encoding),
        (_("Token"), exchange.token_algorithm),
    ]
    return [(name, value) for name, value in found if value]


def result(exchange: Exchange) -> dict[str, Any]:
    """Give state, outcome and reason in words."""
    return {
        "state_words": state_words(exchange.state),
        "outcome_words": outcome_words(exchange.outcome),
        "reason": exchange.reason_text or reason_words(exchange.reason),
        "took": took(exchange),
        "retry_at": exchange.retry_at if exchange.is_open else None,
        "sent_as": sent_as(exchange),
        "chosen": chosen(exchange),
    }


def sent_as(exchange: Exchange) -> str:
    """Say in words how the reply was handed to Kommo; "" while there is none."""
    body = exchange.body if isinstance(exchange.body, dict) else {}
    handlers = body.get("execute_handlers", [])
    told = [_shown_as(handlers, body.get("data", {})), *(_jump(handler) for handler in handlers)]
    told.append(_("leaves by the %s exit") % body["data"]["exit"] if body.get("data", {}).get("exit") else "")
    return "; ".join(filter(None, told)) if body else ""


def _shown_as(handlers: list[dict[str, Any]], data: Mapping[str, Any]) -> str:
    shows = [handler["params"] for handler in handlers if handler["handler"] == "show"]
    if not data.get("message"):
        return _("without a message")
    if not shows:
        return _("whole")
    told = _("in %d pieces") % len(shows) if len(shows) > 1 else _("in one piece")
    buttons = BUTTONS.get(str(shows[-1].get("type")))
    return f"{told} {buttons}" if buttons else told


def _jump(handler: Mapping[str, Any]) -> str:
    if handler["handler"] != "goto":
        return ""
    return str(_("jumps to %(type)s, step %(step)d") % handler["params"])


def took(exchange: Exchange) -> str:
    """Give the seconds from receipt to the end; "" while it is open."""
    return seconds((exchange.settled_at - exchange.received_at).total_seconds()) if exchange.settled_at else ""


def seconds(amount: float) -> str:
    """Give a duration in seconds with as many digits as anybody reads."""
    return f"{amount:.2f}" if amount < 10 else f"{amount:.1f}"


def number(amount: int | None) -> str:
    """Give a whole number; "" for None."""
    return "" if amount is None else str(amount)


def money(amount: Decimal | None) -> str:
    """Give US dollars to the last digit that isn't zero; "" for None."""
    if amount is None:
        return ""
    text = f"{amount:.8f}".rstrip("0")
    whole, _point, digits = text.partition(".")
    return f"US$ {whole}.{digits.ljust(2, '0')}"


def as_json(value: object) -> str:
    """Give JSON over several lines with letters as they are; "" for nothing."""
    return "" if value in (None, {}, []) else json.dumps(value, indent=2, ensure_ascii=False)
