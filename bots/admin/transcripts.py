"""A conversation as lines to read: who said what, when, and what became of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from bots.admin.explained import OUTCOMES, Tone, reason_words, state_words
from bots.admin.scoped import page_of
from bots.models import Exchange, Message
from bots.states import OPEN, Outcome, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A word beside a line, with its sentence on hover."""

    text: str
    tone: Tone
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One bubble or remark.

    Args:
        kind: customer, bot, human, system, or remark for what happened instead of words.
        who: as the reader knows them.
        text: as it was written, with its line breaks; "" when there were no words.
        at: when.
        day: set on the first line of each day in the account's zone.
        link: the exchange's page.
        offered: answers that the customer could tap or name by number.
        meaning: the answer that the customer's number or word chose; "" when the text says it itself.
    """

    kind: str
    who: str
    text: str
    at: datetime
    day: date | None
    link: str
    marks: tuple[Mark, ...] = ()
    offered: tuple[str, ...] = ()
    meaning: str = ""


def lines(
    messages: Iterable[Message], exchanges: Mapping[int, Exchange], answered: frozenset[int], *, zone: ZoneInfo
) -> Iterator[Line]:
    """Turn messages into lines, oldest first.

    Args:
        messages: in their order.
        exchanges: of the messages, by primary key.
        answered: exchanges that have a line of the bot, here or on a later page.
        zone: decides where a day begins.
    """
    last_day = None
    for message in messages:
        exchange = exchanges.get(message.exchange_id or 0)
        day = timezone.localtime(message.created_at, zone).date()
        yield _line(message, exchange, day=day if day != last_day else None)
        last_day = day
        if exchange and message.role == Message.Role.CUSTOMER and exchange.pk not in answered:
            yield _remark(exchange, message)


def _line(message: Message, exchange: Exchange | None, *, day: date | None) -> Line:
    is_bots = message.role == Message.Role.BOT
    bot = exchange.bot if exchange and is_bots else None
    return Line(
        kind=message.role,
        who=str(bot) if bot else str(message.get_role_display()),
        text=message.text,
        at=message.created_at,
        day=day,
        link=page_of(exchange) if exchange else "",
        marks=tuple(marks(exchange)) if exchange and is_bots else (),
        offered=tuple(exchange.offered) if exchange and is_bots else (),
        meaning=chosen(exchange) if exchange and message.role == Message.Role.CUSTOMER else "",
    )


def chosen(exchange: Exchange) -> str:
    """Give the answer that the customer chose by its number or in other letters; "" when they wrote it so."""
    return "" if exchange.meaning == exchange.text.strip() else exchange.meaning


def _remark(exchange: Exchange, message: Message) -> Line:
    """Say why no words of the bot follow."""
    return Line(
        kind="remark",
        who="",
        text="",
        at=exchange.settled_at or message.created_at,
        day=None,
        link=page_of(exchange),
        marks=tuple(marks(exchange)),
    )


def marks(exchange: Exchange) -> Iterator[Mark]:
    """Give what is worth saying about an exchange beyond its text."""
    state = State(exchange.state)
    if exchange.outcome and exchange.outcome != Outcome.SUCCESS:
        words = OUTCOMES[Outcome(exchange.outcome)]
        yield Mark(text=str(words.name), tone=words.tone, title=exchange.reason_text or str(words.sentence))
    if state in OPEN or state is not State.DELIVERED:
        words = state_words(exchange.state)
        yield Mark(text=str(words.name), tone=words.tone, title=str(words.sentence))
    if exchange.reason and (state is not State.DELIVERED or exchange.outcome == Outcome.FAIL):
        yield Mark(text=reason_words(exchange.reason), tone="quiet", title=exchange.reason_text)
    if exchange.was_cut:
        yield Mark(
            text=_("shortened"),
            tone="quiet",
            title=_("Not all of the reply found room in what Kommo and the channel take."),
        )
