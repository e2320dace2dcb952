"""What of a value may stand in a log line: plain, short, without secrets and without anything that breaks the line."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from uuid import UUID

Plain = str | int | float | bool | list["Plain"] | dict[str, "Plain"] | None

# A line below 4,096 bytes reaches a pipe in one piece, however many processes write to it.
TEXT_MAX_CHARS = 500
ITEMS_MAX = 20
DEPTH_MAX = 4
WHOLE_NUMBER_MAX = 2**63
HIDDEN = "(hidden)"

# Names under which a text is a secret, or somebody's words. Counts (`prompt_tokens`) are numbers and stay.
HIDDEN_NAME = re.compile(
    r"(?:^|[_.-])(?:authorization|cookie|password|passwd|secrets?|tokens?|jwt|bearer|credentials?|"
    r"(?:api|hook|field|private|secret|session)_?keys?|headers?|body|prompt|text|query)$",
    re.IGNORECASE,
)
# The second lock: what looks like a secret is taken out of any text.
SECRET_SHAPES = (
    (re.compile(r"eyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?={0,2}"), HIDDEN),
    (re.compile(r"\b(bearer|basic|token)\s+[^\s,;\"']+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(?:sk|pk|rk)-[\w-]{8,}"), HIDDEN),
    (re.compile(r"gAAAAA[\w-]{20,}={0,2}"), HIDDEN),
    (re.compile(r"/kommo/[\w-]{8,64}(?=/|\b)"), f"/kommo/{HIDDEN}"),
    (re.compile(r"://[^/\s@]+@"), f"://{HIDDEN}@"),
    (re.compile(r"(https?://[^\s?#]+)[?#]\S+"), rf"\1?{HIDDEN}"),
)


def plain(value: object, *, name: str = "", depth: int = 0) -> Plain:
    """Turn any value into what JSON can hold.

    Never calls `repr` or `str` of a class that isn't listed here: an object may tell its secrets or its customer's
    words. Such a value becomes its class's name in angle brackets.

    Args:
        value: anything at all.
        name: the field that it stands in; texts under a name of `HIDDEN_NAME` are hidden.
        depth: how deep in lists and mappings we are; beyond `DEPTH_MAX` all is cut.
    """
    match value:
        case Enum():
            return plain(value.value, name=name, depth=depth)
        case None | bool():
            return value
        case int() | float():
            return _number(value)
        case str():
            return _text(str.__str__(value), name)
        case Mapping():
            return _mapping(value, depth)
        case list() | tuple() | set() | frozenset():
            return _items(value, name, depth)
        case _:
            return _other(value, name)


def _number(value: int | float) -> Plain:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    return int(value) if abs(value) < WHOLE_NUMBER_MAX else "<int>"


def _text(value: str, name: str) -> str:
    if value and HIDDEN_NAME.search(name):
        return HIDDEN
    # Far more than is kept, and bounded: a shape that the cut would halve is still recognised.
    return shortened(without_secrets(value[: TEXT_MAX_CHARS * 8]))


def without_secrets(text: str) -> str:
    """Take everything out of a text that has the shape of a secret."""
    for shape, replacement in SECRET_SHAPES:
        text = shape.sub(replacement, text)
    return text


def shortened(text: str) -> str:
    """Cut a text to `TEXT_MAX_CHARS`, with an ellipsis where something was cut."""
    return text if len(text) <= TEXT_MAX_CHARS else f"{text[:TEXT_MAX_CHARS]}…"


def _mapping(value: Mapping[object, object], depth: int) -> Plain:
    if depth >= DEPTH_MAX:
        return "…"
    kept = list(value.items())[:ITEMS_MAX]
    named = ((shortened(key) if isinstance(key, str) else f"{plain(key)}", item) for key, item in kept)
    result = {key: plain(item, name=key, depth=depth + 1) for key, item in named}
    return result | ({"…": len(value) - ITEMS_MAX} if len(value) > ITEMS_MAX else {})


def _items(value: Iterable[object], name: str, depth: int) -> Plain:
    if depth >= DEPTH_MAX:
        return "…"
    items = list(value)
    kept = [plain(item, name=name, depth=depth + 1) for item in items[:ITEMS_MAX]]
    return kept + (["…"] if len(items) > ITEMS_MAX else [])


def _other(value: object, name: str) -> Plain:
    match value:
        case UUID() | Decimal() | PurePath():
            return _text(str(value), name)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case BaseException():
            return class_name(type(value))
        case type():
            return class_name(value)
        case _:
            return f"<{type(value).__name__}>"


def class_name(kind: type) -> str:
    """Name a class with its module; builtins without."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
