"""JSON from strangers: read within limits, or refused with a sentence; never a crash, never slow."""

import json
import math
import re

DEPTH_MAX = 32
FIELDS_MAX = 1000
INT_DIGITS_MAX = 18  # what fits 64 bits; longer numbers stay text

# Possessive, and the closing quote optional: each character is looked at once, whatever the text.
STRINGS = re.compile(r'(?s)"[^"\\]*+(?:\\.[^"\\]*+)*+"?')
BRACKETS = re.compile(r"[\[\]{}]")


class JsonRefused(ValueError):
    """A text isn't JSON, or breaks a limit.

    Attributes:
        rule: what must hold, as the end of a sentence.
        is_limit: it is (or begins as) JSON but breaks a limit.
    """

    def __init__(self, rule: str, *, is_limit: bool) -> None:
        super().__init__(rule)
        self.rule = rule
        self.is_limit = is_limit


def read_json(text: str, *, depth_max: int = DEPTH_MAX, fields_max: int = FIELDS_MAX) -> object:
    """Read JSON text strictly.

    Numbers that a float or 64 bits can't hold stay text. Raw control characters within strings pass.

    Args:
        text: one JSON value.
        depth_max: objects and arrays within each other.
        fields_max: values that are no container, empty containers included.

    Raises:
        JsonRefused: not JSON, a name twice in one object, NaN or Infinity, or a limit is broken.
    """
    check_limits(text, depth_max=depth_max, fields_max=fields_max)
    try:
        value: object = DECODER.decode(text)
    except json.JSONDecodeError:
        raise JsonRefused("must be JSON from the first character to the last", is_limit=False) from None
    return value


def check_limits(text: str, *, depth_max: int, fields_max: int) -> None:
    """Count depth and values before anything is built.

    A tree with n commas has n + 1 leaves, so that counting commas outside strings counts the fields.

    Raises:
        JsonRefused: a limit is broken.
    """
    bare = STRINGS.sub("", text)
    brackets = BRACKETS.findall(bare, 0)
    if bare.count(",") >= fields_max or len(brackets) > 2 * depth_max * fields_max:
        raise JsonRefused(f"must hold at most {fields_max} fields", is_limit=True)
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in "[{" else -1
        if depth > depth_max:
            raise JsonRefused(f"must not be nested deeper than {depth_max}", is_limit=True)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonRefused("must not hold a name twice in one object", is_limit=True)
    return found


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= INT_DIGITS_MAX else digits


def _fraction(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _constant(name: str) -> object:
    raise JsonRefused(f"must not hold {name}", is_limit=True)


DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant, strict=False
)
