"""What the offline vendor offers beside its text: the buttons that the prompt orders, and links that fit by a word."""

from collections.abc import Mapping
from typing import Any

from llm.language import stems_of
from llm.offline_orders import buttons_ordered


def choose_buttons(schema: Mapping[str, Any], orders: str, message: str) -> tuple[str, ...]:
    """Give the buttons that the owner's lines order for a message; none when the schema doesn't ask for any.

    Args:
        schema: as `llm.structured.reply_schema` makes it; may be empty.
        orders: the owner's prompt and the step's instruction.
        message: the customer's.
    """
    return buttons_ordered(orders, message) if "buttons" in schema.get("properties", {}) else ()


def choose_links(schema: Mapping[str, Any], rules: str, message: str) -> tuple[str, ...]:
    """Give the texts of the links that share a word with a message, in the owner's order.

    Args:
        schema: as `llm.structured.reply_schema` makes it; may be empty.
        rules: our part of the system message, whose lines describe the links.
        message: the customer's.
    """
    texts = schema.get("properties", {}).get("links", {}).get("items", {}).get("enum", ())
    asked = set(stems_of(message))
    return tuple(text for text in texts if asked & set(stems_of(_described(text, rules))))


def _described(text: str, rules: str) -> str:
    """The link's own line of the rules; its text when they have none."""
    return next((line for line in rules.splitlines() if line.startswith(f"  - `{text}`")), text)
