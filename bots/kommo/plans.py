"""How a reply travels: what goes into the continue, what the customer reads of it, and what they may choose from.

Handlers run before the Salesbot's flow goes on, so buttons that stand below a text go out together with it in one
`show`, or not at all. The rules are a table in docs/decisions/deliveries.md.

Source: protocol §2.1, §2.3, §10.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bots.kommo.cutting import cut, length
from bots.kommo.offers import LinkButton, button_limits, can_tap, distinct, listing
from bots.kommo.pieces import PIECE_MAX_CHARS, Pieces, at_words, within
from bots.kommo.replies import (
    HANDLERS_MAX,
    ContinueBody,
    Handler,
    OutputValue,
    Status,
    channel_limit,
    continue_body,
    neutralise,
)

TEXT_MIN_CHARS = 80  # what a list leaves of its text at least; one that needs more room is dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A reply as it is sent.

    Args:
        body: of the continue.
        text: as the customer reads it, with the list when there is one: the body's message.
        offered: answers that the customer may tap or name by number; empty when none reach them.
        was_cut: part of the text, or the list, found no room.
    """

    body: ContinueBody
    text: str
    offered: tuple[str, ...]
    was_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """What stands beside the text, cleaned, and whether the channel shows it as buttons."""

    answers: tuple[str, ...]
    links: tuple[LinkButton, ...]
    is_tapped: bool

    @property
    def lists(self) -> list[tuple[str, tuple[str, ...]]]:
        """Give the lists that may stand under the text, the fullest first, each with the answers in it."""
        whole, answers_alone = listing(self.answers, self.links), listing(self.answers, ())
        return [(under, self.answers) for under in dict.fromkeys((whole, answers_alone)) if under]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laid:
    """A text as it is laid out: what the customer reads, and the handlers that show it, if any do."""

    read: str
    shows: tuple[Handler, ...]
    offered: tuple[str, ...]
    was_cut: bool


def plan_delivery(
    message: str,
    *,
    status: Status,
    outputs: Mapping[str, OutputValue],
    origin: str,
    buttons: Sequence[str] = (),
    links: Sequence[LinkButton] = (),
    chunks: bool = False,
    route: Mapping[str, Any] | None = None,
) -> Plan:
    """Plan how a reply is sent.

    Args:
        message: the whole text; nothing is shown when it is blank or the status is silent.
        status: what `{{json.status}}` becomes.
        outputs: the bot's values.
        origin: the channel, as Kommo names it.
        buttons: answers for the customer to tap.
        links: what the customer may open.
        chunks: the text goes in pieces through `show`, for a flow that can't show `{{json.message}}`.
        route: `{"goto": {"type", "step"}}` or `{"exit": status}`; None for the status's own exit.
    """
    text = "" if status == "silent" else neutralise(message).strip()
    goto = (route or {}).get("goto")
    jumps: list[Handler] = [{"handler": "goto", "params": dict(goto)}] if goto else []
    offer = _offer(buttons, links, origin=origin) if text else _Offer(answers=(), links=(), is_tapped=False)
    most = HANDLERS_MAX - len(jumps)
    laid = _in_pieces(text, offer, most) if chunks and text else _whole(text, offer, channel_limit(origin))
    body = continue_body(
        status=status,
        message=laid.read,
        outputs=outputs,
        handlers=[*laid.shows, *jumps],
        leaves_by=(route or {}).get("exit"),
    )
    return Plan(body=body, text=str(body["data"]["message"]), offered=laid.offered, was_cut=laid.was_cut)


def show_text(value: str) -> Handler:
    """Give the handler that shows a text of at most 80 characters. Source: protocol §2.1."""
    return {"handler": "show", "params": {"type": "text", "value": value}}


def _offer(buttons: Sequence[str], links: Sequence[LinkButton], *, origin: str) -> _Offer:
    answers = distinct(map(neutralise, buttons))
    by_text = {text: neutralise(link.url) for link in links if (text := " ".join(neutralise(link.text).split()))}
    clean = tuple(LinkButton(text, url) for text, url in by_text.items())
    limits = button_limits(origin)
    fits_answers = can_tap(answers, at_most=limits.answers, chars=limits.chars) and not clean
    fits_links = can_tap(list(by_text), at_most=limits.links, chars=limits.chars) and not answers
    return _Offer(answers=answers, links=clean, is_tapped=fits_answers or fits_links)


def _show_offer(value: str, offer: _Offer) -> Handler:
    """Give the one handler that shows a text with its buttons.

    Of the two shapes that are told of a link, this is the one that can carry a text. Source: protocol §2.1.
    """
    if offer.answers:
        return {"handler": "show", "params": {"type": "buttons", "value": value, "buttons": list(offer.answers)}}
    urls = [{"text": link.text, "url": link.url} for link in offer.links]
    return {"handler": "show", "params": {"type": "buttons_url", "value": value, "buttons": urls}}


def _whole(text: str, offer: _Offer, limit: int) -> _Laid:
    """Lay a text out in one message."""
    if offer.is_tapped and length(text) <= PIECE_MAX_CHARS:
        return _Laid(read=text, shows=(_show_offer(text, offer),), offered=offer.answers, was_cut=False)
    for under, answers in offer.lists:
        room = limit - len(f"\n\n{under}")
        if room >= min(len(text), TEXT_MIN_CHARS):
            shown, was_cut = _within_limit(text, room)
            lacks_some = under != offer.lists[0][0]
            return _Laid(read=f"{shown}\n\n{under}", shows=(), offered=answers, was_cut=was_cut or lacks_some)
    shown, was_cut = _within_limit(text, limit)
    return _Laid(read=shown, shows=(), offered=(), was_cut=was_cut or bool(offer.lists))


def _within_limit(text: str, limit: int) -> tuple[str, bool]:
    """Cut a text that has more characters than a channel takes.

    The platforms give their limits in characters, where an emoji counts one, so what is within them stays whole. What
    has to be cut anyway is cut by the strict way to count.
    """
    return (text, False) if len(text) <= limit else cut(text, limit)


def _in_pieces(text: str, offer: _Offer, most: int) -> _Laid:
    """Lay a text out in pieces; the buttons are the last one's."""
    if offer.is_tapped:
        pieces = within(text, most)
        shows = (*map(show_text, pieces.texts[:-1]), _show_offer(pieces.texts[-1], offer))
        return _Laid(read=pieces.read, shows=shows, offered=offer.answers, was_cut=pieces.was_cut)
    fitting = replace(offer, links=tuple(link for link in offer.links if length(link.url) <= PIECE_MAX_CHARS))
    for under, answers in fitting.lists:
        listed = pieces_with_list(text, under, most)
        if listed:
            return _shown(listed, offered=answers, lacks_some=under != offer.lists[0][0])
    return _shown(within(text, most), offered=(), lacks_some=bool(offer.lists))


def _shown(pieces: Pieces, *, offered: tuple[str, ...], lacks_some: bool) -> _Laid:
    shows = tuple(map(show_text, pieces.texts))
    return _Laid(read=pieces.read, shows=shows, offered=offered, was_cut=pieces.was_cut or lacks_some)


def pieces_with_list(text: str, under: str, most: int, *, size: int = PIECE_MAX_CHARS) -> Pieces | None:
    """Split a text with the list under it; when not all fits, the text is cut and the list stays.

    Returns:
        None when the list alone takes all pieces, or a web address in it would be torn.
    """
    if any(length(word) > size for word in under.split()):
        return None
    together = at_words(f"{text}\n\n{under}", size=size)
    if len(together) <= most:
        return Pieces(texts=together, read=f"{text}\n\n{under}", was_cut=False)
    listed = at_words(under, size=size)
    if len(listed) >= most:
        return None
    above = within(text, most - len(listed), size=size)
    return Pieces(texts=(*above.texts, *listed), read=f"{above.read}\n\n{under}", was_cut=above.was_cut)
