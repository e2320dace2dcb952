"""Declared outputs as far as rules without a model can fill them: choices, numbers, yes and no, names and contacts."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from llm.language import stems_of
from llm.replies import OutputValue

_NUMBER = re.compile(r"(?<![\w.,])-?\d+(?:[.,]\d+)?(?![\w])")
_YES = re.compile(r"(?i)^\W*(?:yes|yeah|sure|да|конечно|ага|sí|si|claro)\b")
_NO = re.compile(r"(?i)^\W*(?:no|nope|not|нет|не)\b")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"\+?\d[\d\s().-]{6,}\d")
_NAME = re.compile(
    r"(?i:my name is|i am called|меня зовут|me llamo|mi nombre es)\s+"
    r"(?P<name>[^\W\d_][\w'-]*(?:\s+[A-ZА-ЯЁÁÉÍÓÚÑ][\w'-]*)?)"
)
_TEXT_RULES = (
    (re.compile(r"(?i)mail|почт|correo"), _MAIL),
    (re.compile(r"(?i)phone|telef|телефон"), _PHONE),
    (re.compile(r"(?i)name|имя|nombre"), _NAME),
)


def fill_outputs(schema: Mapping[str, Any], said: Sequence[str]) -> dict[str, OutputValue | None]:
    """Fill the schema's `outputs` from what the customer said, the newest message first.

    Args:
        schema: as `llm.structured.reply_schema` makes it; may be empty.
        said: the customer's messages, oldest first.

    Returns:
        A value or None for each declared output.
    """
    declared = schema.get("properties", {}).get("outputs", {}).get("properties", {})
    return {name: _first(name, form, said) for name, form in declared.items()}


def _first(name: str, form: Mapping[str, Any], said: Sequence[str]) -> OutputValue | None:
    for text in reversed(said):
        value = _value(f"{name} {form.get('description', '')}", form["anyOf"][0], text)
        if value is not None:
            return value
    return None


def _value(meaning: str, form: Mapping[str, Any], text: str) -> OutputValue | None:
    if "enum" in form:
        return _choice(form["enum"], text)
    if form["type"] == "number":
        found = _NUMBER.search(text)
        return float(found[0].replace(",", ".")) if found else None
    if form["type"] == "boolean":
        return True if _YES.match(text) else False if _NO.match(text) else None
    return _text(meaning, text)


def _choice(choices: Sequence[OutputValue], text: str) -> OutputValue | None:
    words = set(stems_of(text))
    for choice in choices:
        stems = set(stems_of(str(choice)))
        if stems and stems <= words:
            return choice
    return None


def _text(meaning: str, text: str) -> str | None:
    for about, pattern in _TEXT_RULES:
        found = pattern.search(text) if about.search(meaning) else None
        if found:
            return found.groupdict().get("name") or found[0]
    return None
