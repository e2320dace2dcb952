"""What a reply offers beside its text, answers to tap and links to open, and what the customer's tap or number means.

Source: protocol §2.1 (buttons of a continue), §10 (the platforms' own limits).
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bots.kommo.cutting import length

BUTTONS_MAX = 25  # protocol §2.1
LABEL_MAX_CHARS = 200  # what is longer is a paragraph and no answer to tap

NUMBER = re.compile("[\\s(\\[#（]*(\\d{1,2})[\\s.,:;!)\\]。．）、\ufe0f\u20e3]*")
SIGNS = "PSZ"  # of Unicode's categories: punctuation, symbols with emoji, spaces
EMOJI_FORM = re.compile("[\ufe0e\ufe0f\u20e3]")
OUR_LIST = re.compile(r"\n\n(?:(?:\d{1,2}\. .+|.+: https?://\S+)(?:\n|\Z))+\Z")


@dataclass(frozen=True, slots=True)
class LinkButton:
    """A link as the customer sees it: its text, and where it leads."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonLimits:
    """How many buttons a channel shows under one message, and how long each may be.

    Args:
        answers: most answers to tap; 0 for a channel without buttons.
        links: most buttons that open a link.
        chars: longest label, in UTF-16 units.
    """

    answers: int
    links: int
    chars: int


NO_BUTTONS = ButtonLimits(answers=0, links=0, chars=0)
MESSENGER = ButtonLimits(answers=13, links=3, chars=20)
# Answers: protocol §10. It has no numbers for links: these are the platforms' own (one link button in a WhatsApp
# message, three in Messenger's). Telegram names no small limits, so Kommo's own hold. What isn't named here gets text:
# a list always arrives, while a message with buttons that a channel doesn't know may not.
BUTTON_LIMITS = {
    "waba": ButtonLimits(answers=3, links=1, chars=20),
    "facebook": MESSENGER,
    "instagram": MESSENGER,
    "instagram_business": MESSENGER,
    "telegram": ButtonLimits(answers=BUTTONS_MAX, links=BUTTONS_MAX, chars=80),
}


def button_limits(origin: str) -> ButtonLimits:
    """Give what a channel takes; an unknown or unnamed one takes no buttons.

    Args:
        origin: Kommo's name of the channel.

    Source: protocol §10.
    """
    return BUTTON_LIMITS.get(origin.strip().lower(), NO_BUTTONS)


def can_tap(labels: Sequence[str], *, at_most: int, chars: int) -> bool:
    """Say whether all labels go on buttons as they are: none is torn, so one that is too long turns all into text."""
    return 0 < len(labels) <= at_most and all(length(label) <= chars for label in labels)


def distinct(labels: Iterable[str]) -> tuple[str, ...]:
    """Give labels on one line each, without blank, overlong and repeated ones."""
    found: dict[str, str] = {}
    for label in (" ".join(label.split()) for label in labels):
        if label and len(label) <= LABEL_MAX_CHARS:
            found.setdefault(_folded(label), label)
    return tuple(found.values())


def numbered(answers: Sequence[str]) -> str:
    """Give answers as a list to choose from by number; "" for none."""
    return "\n".join(f"{number}. {answer}" for number, answer in enumerate(answers, start=1))


def listing(answers: Sequence[str], links: Sequence[LinkButton]) -> str:
    """Give answers and links as they are written under a text where there are no buttons."""
    return "\n".join(filter(None, (numbered(answers), *(f"{link.text}: {link.url}" for link in links))))


def split_off_list(text: str) -> tuple[str, str]:
    """Part a text from the list that stands at its end, as `listing` writes it; the second is "" without one."""
    found = OUR_LIST.search(text)
    return (text[: found.start()], text[found.start() :].strip("\n")) if found else (text, "")


def meaning_of(text: str, offered: Sequence[str]) -> str:
    """Say which of the offered answers a customer's message chooses.

    A tap comes back as the label. By hand it may come as the label in other letters or with punctuation around it, or
    as its number: "2", "2.", "2)" and the like, in any script's digits. A label that is itself a number goes before
    the number of a place.

    Args:
        text: the customer's whole message.
        offered: the answers in the order in which they were shown.

    Returns:
        The answer as it was offered, "" when the message is none of them, or could be two.
    """
    for fold in (_folded, _bare):
        said = fold(text)
        found = [label for label in offered if said and fold(label) == said]
        if found:
            return found[0] if len(found) == 1 else ""
    return _by_number(text, offered)


def may_be_choice(text: str) -> bool:
    """Say whether a message is short enough to be an answer that was offered."""
    return 0 < len(text.strip()) <= 2 * LABEL_MAX_CHARS


def _by_number(text: str, offered: Sequence[str]) -> str:
    found = NUMBER.fullmatch(text)
    number = int(found[1]) if found else 0
    return offered[number - 1] if 0 < number <= len(offered) else ""


def _folded(text: str) -> str:
    """Give a text in which only letters and signs count, not their case, width or spacing."""
    whole = unicodedata.normalize("NFKC", EMOJI_FORM.sub("", text)).casefold()
    return " ".join(whole.split())


def _bare(text: str) -> str:
    """Give a folded text without punctuation and pictures around it."""
    folded = _folded(text)
    inner = [place for place, character in enumerate(folded) if unicodedata.category(character)[0] not in SIGNS]
    return folded[inner[0] : inner[-1] + 1] if inner else ""
