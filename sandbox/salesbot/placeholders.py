"""Salesbot placeholders: `{{lead.id}}`, `{{json.KEY}}` and their like.

Source: protocol §3.4, §2.3 (what cannot be filled reaches the customer as it stands, braces and all).
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sandbox.salesbot.comparing import SEARCHED_CHARS, compiled, found_email, found_phone

PLACEHOLDER: Final = re.compile(r"\{\{([^{}]+)\}\}")
PATH: Final = re.compile(r"(?:lead|contact|chat|company|customer)(?:\.\w+)+")
JSON_PREFIX: Final = "json."
PATTERN_PREFIX: Final = "regexp."
SECOND_PASS_MAX: Final = 50  # an answer that names itself fifty times must not fill the memory
LIST_SEPARATOR: Final = "\x1f"  # between several values of one fact, such as a lead's tags
SHORT_RAND: Final = (1111, 9999)  # protocol §3.4


@dataclass(slots=True)
class Values:
    """What placeholders stand for in one run of a Salesbot.

    Args:
        fixed: facts of the chat by their placeholder names, such as `lead.id`; may be alive.
        message_text: what the customer wrote last; empty when it was an attachment alone.
        json: `data` of the last continue. A later continue replaces it whole, so that an old answer is never shown
            for a key that the new one lacks.
        last_validation: what the last `validations` said, "1" or "0"; empty before any.
    """

    fixed: Mapping[str, str]
    message_text: str = ""
    json: Mapping[str, object] = field(default_factory=dict)
    last_validation: str = ""

    def find(self, name: str) -> str | None:
        """Give what a placeholder stands for, or None when nothing fills it.

        An absent or empty `json` key fills nothing. Source: protocol §2.3.
        """
        if name.startswith(JSON_PREFIX):
            return _spoken(self.json.get(name.removeprefix(JSON_PREFIX))) or None
        if name.startswith(PATTERN_PREFIX):
            return _found(name.removeprefix(PATTERN_PREFIX), self.message_text)
        match name:
            case "message_text":
                return self.message_text
            case "message_text.email":
                return found_email(self.message_text) or None
            case "message_text.phone":
                return found_phone(self.message_text) or None
            case "last_validation_result":
                return self.last_validation or None
        fact = _drawn(name) or self.fixed.get(name)
        return None if fact is None else fact.replace(LIST_SEPARATOR, ", ")

    def term(self, template: str) -> tuple[str, ...]:
        """Give the values of one side of a condition; a bare path such as `lead.tags` is looked up too."""
        known = self.fixed.get(template) if PATH.fullmatch(template) else None
        return (resolve(template, self),) if known is None else tuple(known.split(LIST_SEPARATOR))


def resolve(template: str, values: Values) -> str:
    """Fill the placeholders of a text; unknown ones stay as they are.

    A filled value is searched once more: whether Kommo does that is unconfirmed, and the stand-in takes the case that
    a careless bridge would be hurt by. Source: protocol §2.3.
    """
    once = PLACEHOLDER.sub(lambda found: _filled(found, values), template)
    return PLACEHOLDER.sub(lambda found: _filled(found, values), once, count=SECOND_PASS_MAX)


def resolve_all(raw: object, values: Values) -> object:
    """Fill the placeholders in every text of a JSON value."""
    if isinstance(raw, str):
        return resolve(raw, values)
    if isinstance(raw, dict):
        return {key: resolve_all(item, values) for key, item in raw.items()}
    if isinstance(raw, list):
        return [resolve_all(item, values) for item in raw]
    return raw


def unresolved(text: str) -> tuple[str, ...]:
    """List the placeholders that still stand in a text, braces included."""
    return tuple(found[0] for found in PLACEHOLDER.finditer(text))


def _filled(found: re.Match[str], values: Values) -> str:
    value = values.find(found[1])
    return found[0] if value is None else value


def _spoken(value: object) -> str:
    """Write a JSON value as a text; what has no plain form (null, false, lists, objects) becomes empty."""
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value) if isinstance(value, str | int | float) else ""


def _found(pattern: str, text: str) -> str | None:
    """Give what a pattern finds in the customer's message; None when it finds nothing or is no pattern."""
    try:
        found = compiled(pattern).search(text[:SEARCHED_CHARS])
    except (re.error, KeyError):
        return None
    return (found[1] if found.re.groups else found[0]) if found else None


def _drawn(name: str) -> str | None:
    """Draw a number for the placeholders that are made for uniqueness, not for secrets."""
    match name:
        case "rand":
            return str(random.randrange(10**9, 10**10))  # noqa: S311
        case "short_rand":
            return "".join(random.choices("abcdefghijkmnpqrstuvwxyz23456789", k=6))  # noqa: S311
        case "short_rand_num":
            return str(random.randint(*SHORT_RAND))  # noqa: S311
    return None
