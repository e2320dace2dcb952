"""What an answer offers beside its text: buttons for the customer to tap, and links of the owner's.

The owner alone writes addresses. A model names a link by its text and never sees where it leads, so that no customer
can talk it into sending another address.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from llm.config import BotConfig, Link

BUTTONS_MAX = 10
BUTTON_CHARS_MAX = 80  # UTF-16 units, as the strictest channels count

_UNSEEN = frozenset({"Cc", "Cs"})  # Unicode's categories of control characters and of halves of surrogate pairs


def offers_schema(config: BotConfig) -> dict[str, Any]:
    """JSON schema of what the bot may offer, by key; every key is required, so an empty list stands for nothing."""
    properties: dict[str, Any] = {}
    if config.offers_buttons:
        properties["buttons"] = {
            "type": "array",
            "items": {"type": "string"},
            "description": f"Short answers for the customer to tap, at most {BUTTONS_MAX}; empty for none.",
        }
    if texts := list(links_by_text(config.links)):
        properties["links"] = {
            "type": "array",
            "items": {"type": "string", "enum": texts},
            "description": "Texts of the links to show; empty for none.",
        }
    return properties


def links_by_text(links: Sequence[Link]) -> dict[str, Link]:
    """Give the links by what a model calls them, their text in one line; one without text can't be called."""
    return {text: link for link in links if (text := _one_line(link.text))}


def read_buttons(given: Any, config: BotConfig, remarks: list[str]) -> tuple[str, ...]:
    """Read the buttons of an answer.

    Args:
        given: what the model gave; should be a list of texts and may be anything.
        config: the bot.
        remarks: gets one more when something was dropped; it says why and quotes nothing.

    Returns:
        At most `BUTTONS_MAX` texts that differ in more than case, each one line of 1 to `BUTTON_CHARS_MAX` units.
    """

    def fault_of(text: str, place: int) -> str:
        if not config.offers_buttons:
            return "nobody asked for any"
        if _length(text) > BUTTON_CHARS_MAX:
            return f"longer than {BUTTON_CHARS_MAX} characters"
        if "://" in text:
            return "an address"
        return "" if place < BUTTONS_MAX else f"more than {BUTTONS_MAX}"

    return tuple(_sifted("Buttons", given, fault_of, remarks=remarks))


def read_links(given: Any, config: BotConfig, remarks: list[str]) -> tuple[Link, ...]:
    """Read which of the bot's own links an answer chose: each at most once, in the answer's order.

    Args:
        given: what the model gave; should be a list of texts and may be anything.
        config: the bot.
        remarks: gets one more when something was dropped; it says why and quotes nothing.
    """
    declared = {text.casefold(): link for text, link in links_by_text(config.links).items()}

    def fault_of(text: str, place: int) -> str:
        del place
        return "" if text.casefold() in declared else "not among the bot's own"

    return tuple(declared[text.casefold()] for text in _sifted("Links", given, fault_of, remarks=remarks))


def _sifted(what: str, given: Any, fault_of: Callable[[str, int], str], *, remarks: list[str]) -> list[str]:
    """The texts without a fault; `fault_of` judges one by itself and by how many were kept before it."""
    kept: dict[str, str] = {}
    faults: set[str] = set()
    for text in _texts(given):
        if not text:
            fault = "without text"
        elif text.casefold() in kept:
            fault = "said twice"
        else:
            fault = fault_of(text, len(kept))
        if fault:
            faults.add(fault)
        else:
            kept[text.casefold()] = text
    if faults:
        remarks.append(f"{what} were dropped: {', '.join(sorted(faults))}.")
    return list(kept.values())


def _texts(given: Any) -> list[str]:
    """The texts in what should be a list of them: one that stands alone counts, and so does one inside an object."""
    if not given:
        return []
    return [_text_of(item) for item in (given if isinstance(given, list) else [given])]


def _text_of(item: Any) -> str:
    """An item's text in one line; empty when it has none."""
    text = (item.get("text") or item.get("title")) if isinstance(item, dict) else item
    if isinstance(text, bool) or not isinstance(text, str | int):
        return ""
    return _one_line(str(text))


def _one_line(text: str) -> str:
    """Leave out what cannot be seen and make every gap one blank; empty when nothing is left to read."""
    seen = "".join(char for char in text if char.isspace() or unicodedata.category(char) not in _UNSEEN)
    line = " ".join(seen.split())
    return line if any(char.isprintable() and char != " " for char in line) else ""


def _length(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)
