"""A rule of Kommo's upload that a zip breaks, said so that its builder can act alone."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SHOWN_CHARS: Final = 60
SHOWN_NAMES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One rule that a zip breaks.

    Args:
        file: where, as a path inside the zip; "zip" for the archive itself.
        rule: what must hold and what was found, as the rest of a sentence that begins with the file.
        remedy: what the reader does about it, as the end of that sentence.
        is_warning: Kommo takes the upload all the same, but the widget won't work as it was meant.
    """

    file: str
    rule: str
    remedy: str
    is_warning: bool = False

    def __str__(self) -> str:
        """Give the breach as one sentence."""
        return f"{self.file}: {self.rule}; {self.remedy}."


def breach(file: str, rule: str, remedy: str) -> Breach:
    """Make a breach that Kommo refuses."""
    return Breach(file=file, rule=rule, remedy=remedy)


def warning(file: str, rule: str, remedy: str) -> Breach:
    """Make a breach that Kommo lets pass."""
    return Breach(file=file, rule=rule, remedy=remedy, is_warning=True)


def shown(value: object) -> str:
    """Write a value out of a foreign zip on one short line of ASCII, whatever it holds."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = ascii(type(value).__name__)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}..."


def listed(names: Iterable[str]) -> str:
    """Write names one after the other, no more than a person reads."""
    found = list(names)
    told = ", ".join(
        name if name.isprintable() and len(name) <= SHOWN_CHARS else shown(name) for name in found[:SHOWN_NAMES]
    )
    return told if len(found) <= SHOWN_NAMES else f"{told} and {len(found) - SHOWN_NAMES} more"
