"""A provisioning document as text: reading its JSON, and telling what is wrong with it and where, in one line."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rest_framework.settings import api_settings

from kommobridge.base.faults import Fault

WHOLE = "the document"
SHOWN_FAULTS = 5
NAME_MAX_CHARS = 60
RULES = {
    "blank": "must not be empty",
    "null": "must not be null",
    "required": "must be given",
    "not_a_list": "must be a list",
}
WHOLE_NUMBER = re.compile(r"A valid (?:big)?integer is required\.")


class WrongDocument(ValueError):
    """A provisioning document can't be used; the text is one line, whatever the number of faults."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep the faults; the error's text tells the first few."""
        self.faults = tuple(faults)
        more = len(self.faults) - SHOWN_FAULTS
        told = [" ".join(str(fault).split()) for fault in self.faults[:SHOWN_FAULTS]]
        super().__init__(" ".join([*told, f"And {more} more."] if more > 0 else told))


def read_document(raw: bytes) -> object:
    """Read a document's JSON.

    Raises:
        WrongDocument: with line and column where they are known.
    """
    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        rule = f"is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
    except UnicodeDecodeError as error:
        rule = f"must be UTF-8, and byte {error.start + 1} isn't"
    except RecursionError:
        rule = "must not be nested that deeply"
    except ValueError as error:
        rule = f"can't be used: {error}"
    raise WrongDocument([Fault(WHOLE, rule)])


def faults_of(errors: object, place: str = "") -> Iterator[Fault]:
    """Turn DRF's errors into faults that tell the place, such as `accounts[0].bots[1].slug`.

    Args:
        errors: a dict by field or position, a list by position, a list of messages, or one message.
        place: where in the document they belong; empty for the whole.
    """
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            yield from faults_of(inner, _within(place, name))
    elif isinstance(errors, Sequence) and not isinstance(errors, str):
        for position, inner in enumerate(errors):
            yield from faults_of(inner, place if isinstance(inner, str) else f"{place}[{position}]")
    else:
        yield Fault(place or WHOLE, rule_of(str(errors), getattr(errors, "code", None)))


def rule_of(message: str, code: str | None) -> str:
    """Give a message of Django's or DRF's as the rest of a sentence that begins with the field."""
    if WHOLE_NUMBER.fullmatch(message):
        return "must be a whole number"
    return RULES.get(code or "", message.rstrip("."))


def shown(text: str) -> str:
    """Give a word of the document fit for one line of a message, cut where it is long."""
    return f"{text[:NAME_MAX_CHARS]!a}"


def _within(place: str, name: object) -> str:
    if name == api_settings.NON_FIELD_ERRORS_KEY:
        return place
    if isinstance(name, int):
        return f"{place}[{name}]"
    text = str(name)
    is_plain = text.isidentifier() and text.isascii() and len(text) <= NAME_MAX_CHARS
    word = text if is_plain else shown(text)
    return f"{place}.{word}" if place else word


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; a name that stands twice is a mistake that would go unseen."""
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if twice:
        raise ValueError(f"an object names {shown(twice[0])} twice")
    return dict(pairs)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")
