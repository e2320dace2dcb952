"""Salesbot placeholders: `{{lead.id}}`, `{{json.KEY}}` and their like.

Source: protocol §3.4, §2.3 (what cannot be filled reaches the customer as it stands, braces and all).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PLACEHOLDER: Final = re.compile(r"\{\{([^{}]+)\}\}")
JSON_PREFIX: Final = "json."
SECOND_PASS_MAX: Final = 50  # an answer that names itself fifty times must not fill the memory


@dataclass(slots=True)
class Values:
    """What placeholders stand for in one run of a Salesbot.

    Args:
        fixed: facts of the chat by their placeholder names, such as `lead.id`.
        message_text: what the customer wrote last; empty when it was an attachment alone.
        json: `data` of the last continue. A later continue replaces it whole, so that an old answer is never shown
            for a key that the new one lacks.
    """

    fixed: Mapping[str, str]
    message_text: str = ""
    json: Mapping[str, object] = field(default_factory=dict)

    def find(self, name: str) -> str | None:
        """Give what a placeholder stands for, or None when nothing fills it.

        An absent or empty `json` key fills nothing. Source: protocol §2.3.
        """
        if name == "message_text":
            return self.message_text
        if name.startswith(JSON_PREFIX):
            return _spoken(self.json.get(name.removeprefix(JSON_PREFIX))) or None
        return self.fixed.get(name)


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
