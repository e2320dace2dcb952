"""How a Salesbot compares: conditions, validations, and the customer's reply against its choices.

All pure. Source: protocol §3.2, §3.3.
"""

import re
from functools import lru_cache
from typing import Final

from sandbox.salesbot.handlers import Choice

OPERATIONS: Final = ("=", "!=", "in", "not_in", "in_range")
VALIDATION_TYPES: Final = ("simple", "email", "phone", "regex", "range_numbers")
VALIDATION_OPERATIONS: Final = ("equal", "not_equal", "length", "contains", "not_contains")
SEARCHED_CHARS: Final = 2_000  # of a reply: a careless pattern must not hold up the sandbox
FLAGS: Final = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "u": re.NOFLAG}
DELIMITED: Final = re.compile(r"/(.*)/([imsxu]*)", re.DOTALL)
EMAIL: Final = re.compile(r"[^\s@<>(),;]+@[^\s@<>(),;]+\.[^\s@<>(),;.]{2,}")
PHONE: Final = re.compile(r"\+?\d[\d\s().-]{5,18}\d")
PHONE_DIGITS: Final = range(7, 16)

Values = tuple[str, ...]


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """Read a pattern, bare or between slashes with flags behind, as PHP writes it.

    Raises:
        re.error: it is no pattern.
    """
    found = DELIMITED.fullmatch(pattern)
    if not found:
        return re.compile(pattern)
    flags = re.NOFLAG
    for letter in found[2]:
        flags |= FLAGS[letter]
    return re.compile(found[1], flags)


def compare(left: Values, operation: str, right: Values) -> bool:
    """Tell whether a condition holds; a term with several values (such as a lead's tags) holds by any of them."""
    match operation:
        case "=":
            return bool(set(left) & set(right))
        case "!=":
            return not set(left) & set(right)
        case "in":
            return bool(set(left) & set(_listed(right)))
        case "not_in":
            return not set(left) & set(_listed(right))
    return any(is_in_range(value, "-".join(right)) for value in left)


def validate(value: str, *, kind: str, operation: str, condition: str) -> bool:
    """Tell whether what the customer gave passes a check."""
    match kind:
        case "email":
            return EMAIL.fullmatch(value.strip()) is not None
        case "phone":
            return is_phone(value)
        case "regex":
            return compiled(condition).search(value[:SEARCHED_CHARS]) is not None
        case "range_numbers":
            return is_in_range(value, condition)
    return _holds_simply(value, operation, condition)


def _holds_simply(value: str, operation: str, condition: str) -> bool:
    match operation:
        case "equal":
            return value == condition
        case "not_equal":
            return value != condition
        case "length":
            return str(len(value)) == condition.strip()
        case "contains":
            return condition in value
    return condition not in value


def is_phone(value: str) -> bool:
    """Tell whether a text is a phone number."""
    number = value.strip()
    return PHONE.fullmatch(number) is not None and sum(map(str.isdigit, number)) in PHONE_DIGITS


def is_in_range(value: str, span: str) -> bool:
    """Tell whether a number lies in `low-high`, both ends included; what is no number does not."""
    found = re.fullmatch(r"\s*(-?[\d.]+)\s*[-,;:]\s*(-?[\d.]+)\s*", span)
    try:
        return found is not None and float(found[1]) <= float(value) <= float(found[2])
    except ValueError:
        return False


def choose(choices: tuple[Choice, ...], reply: str) -> Choice | None:
    """Give the first choice that fits the reply; words fit whatever their case. Choices for anything else come last."""
    rest = [choice for choice in choices if not (choice.words or choice.pattern)]
    return next((choice for choice in choices if _fits(choice, reply)), rest[0] if rest else None)


def _fits(choice: Choice, reply: str) -> bool:
    if choice.pattern:
        return compiled(choice.pattern).search(reply[:SEARCHED_CHARS]) is not None
    return reply.strip().casefold() in {word.strip().casefold() for word in choice.words}


def found_email(text: str) -> str:
    """Give the first e-mail address of a text, or nothing."""
    found = EMAIL.search(text[:SEARCHED_CHARS])
    return found[0] if found else ""


def found_phone(text: str) -> str:
    """Give the first phone number of a text, or nothing."""
    found = PHONE.search(text[:SEARCHED_CHARS])
    return found[0] if found and is_phone(found[0]) else ""


def _listed(right: Values) -> Values:
    """A list may be one text with commas."""
    return tuple(part.strip() for part in right[0].split(",")) if len(right) == 1 else right
