"""One question to a model and its bare answer: what passes through the door to litellm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

# How the form of an answer is asked for: by a JSON schema, by a tool that the model must call, or not at all.
Shape = Literal["schema", "tool", "plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What one call asks.

    Args:
        messages: `{"role": ..., "content": ...}` in order.
        temperature: None for the vendor's default.
        max_tokens: likewise.
        shape: how the form of the answer is asked for.
        schema: JSON schema of the answer; not used when plain.
    """

    messages: Sequence[Mapping[str, str]]
    temperature: float | None
    max_tokens: int | None
    shape: Shape
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model said, not yet judged.

    Args:
        text: content, or the arguments of the reply tool; may be blank.
        finish: why it ended, in OpenAI's words; empty when not said.
        asked_for_tools: it wanted a tool that nobody offered.
        input_tokens: None when not counted.
        output_tokens: likewise.
    """

    text: str
    finish: str
    asked_for_tools: bool
    input_tokens: int | None
    output_tokens: int | None
