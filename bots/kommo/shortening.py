"""What is sent when Kommo finds a reply too long.

Source: protocol §2.2, §9.3.
"""

import re
from collections.abc import Iterable, Sequence

from bots.kommo.cutting import cut, length
from bots.kommo.offers import LinkButton, listing, numbered, split_off_list
from bots.kommo.pieces import PIECE_MAX_CHARS, within
from bots.kommo.plans import pieces_with_list, show_text
from bots.kommo.replies import HANDLERS_MAX, ContinueBody, Handler

LENGTH_REASON = re.compile(r"too[\s_-]?long|max[\s_-]?length|length", re.IGNORECASE)
PIECE_MIN_CHARS = 10  # smaller pieces would be no message any more


def shorten_for(body: ContinueBody, errors: Iterable[str]) -> ContinueBody | None:
    """Shorten a body that Kommo refused for its length.

    Buttons become a list in the text; pieces become half as long, so that what is over their number is cut; a whole
    message is cut to half of its length. A list at its end stays while there is room for it.

    Args:
        body: what was sent.
        errors: codes and texts of Kommo's refusal.

    Returns:
        A new body, whose message is what the customer will read; None when the reason isn't length, or nothing is
        left to cut.
    """
    if not any(LENGTH_REASON.search(error) for error in errors):
        return None
    handlers = body.get("execute_handlers", [])
    shows = [handler for handler in handlers if handler["handler"] == "show"]
    return _smaller_pieces(body, shows) if shows else _half_message(body)


def still_offered(body: ContinueBody, offered: Sequence[str]) -> list[str]:
    """Give the answers that a shortened body still has in its list: all of them, or none."""
    return list(offered) if offered and numbered(offered) in str(body["data"]["message"]) else []


def _half_message(body: ContinueBody) -> ContinueBody | None:
    message = str(body["data"].get("message", ""))
    shorter = _half(message)
    if len(shorter) < 2 or len(shorter) >= len(message):
        return None
    return {**body, "data": body["data"] | {"message": shorter}}


def _half(message: str) -> str:
    text, under = split_off_list(message)
    room = len(message) // 2 - length(f"\n\n{under}")
    if under and room >= PIECE_MIN_CHARS:
        return f"{cut(text, room)[0]}\n\n{under}"
    return cut(message, len(message) // 2)[0]


def _smaller_pieces(body: ContinueBody, shows: Sequence[Handler]) -> ContinueBody | None:
    """Write the message anew in pieces without buttons; what shows it is then text alone."""
    text, under = split_off_list(str(body["data"]["message"]))
    tapped = [button for show in shows for button in show["params"].get("buttons", ())]
    under = _as_list(tapped) or under
    longest = max(length(str(show["params"].get("value", ""))) for show in shows)
    size = PIECE_MAX_CHARS if tapped else longest // 2
    if size < PIECE_MIN_CHARS or not text:
        return None
    others = [handler for handler in body["execute_handlers"] if handler["handler"] != "show"]
    most = HANDLERS_MAX - len(others)
    with_list = pieces_with_list(text, under, most, size=size) if under else None
    pieces = with_list or within(text, most, size=size)
    return {
        "data": body["data"] | {"message": pieces.read},
        "execute_handlers": [*map(show_text, pieces.texts), *others],
    }


def _as_list(buttons: Sequence[object]) -> str:
    answers = [button for button in buttons if isinstance(button, str)]
    links = [LinkButton(button["text"], button["url"]) for button in buttons if isinstance(button, dict)]
    return listing(answers, links)
