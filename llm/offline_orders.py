"""The lines of a prompt that steer the offline vendor: what to do when a message says one of the phrases they name."""

import re
from collections.abc import Mapping
from typing import Literal

from llm.language import stems_of

Order = Literal["handoff", "silent", "buttons"]

_WHEN = r"[,\s]+(?:when|if|когда|если|cuando|si)\s*:(?P<phrases>.+)$"
_ORDERS: Mapping[Order, re.Pattern[str]] = {
    "handoff": re.compile(
        rf"(?im)^[\s*\-]*(?:hand ?off|hand over|передай человеку|позови человека|pasa a un humano){_WHEN}"
    ),
    "silent": re.compile(rf"(?im)^[\s*\-]*(?:stay silent|be silent|молчи|calla){_WHEN}"),
    "buttons": re.compile(
        r"(?im)^[\s*\-]*(?:offer (?:the )?buttons?|предложи кнопк[иу]|ofrece (?:los )?botones|ofrece (?:el )?botón)"
        rf":?[ \t]+(?P<answers>[^\n]*[^\s,]){_WHEN}"
    ),
}


def is_ordered(order: Order, orders: str, message: str) -> bool:
    """Whether a line of the owner's names something that the message says."""
    return any(_is_met(found, message) for found in _ORDERS[order].finditer(orders))


def buttons_ordered(orders: str, message: str) -> tuple[str, ...]:
    """The answers of the first line that offers buttons on something that the message says."""
    for found in _ORDERS["buttons"].finditer(orders):
        if _is_met(found, message):
            return tuple(answer.strip() for answer in found["answers"].split("|") if answer.strip())
    return ()


def is_order(line: str) -> bool:
    """Whether a line of the prompt steers, and so tells no fact."""
    return any(order.match(line) for order in _ORDERS.values())


def _is_met(order: re.Match[str], message: str) -> bool:
    words = set(stems_of(message))
    phrases = [phrase.strip(" .\"'«»") for phrase in re.split(r"[,;|]", order["phrases"])]
    return any(_is_said(phrase, words, message) for phrase in phrases if phrase)


def _is_said(phrase: str, words: set[str], message: str) -> bool:
    stems = set(stems_of(phrase))
    return stems <= words if stems else phrase.casefold() in message.casefold()
