"""The vendor `demo` as litellm sees it: a custom provider that needs no key and no network.

Its answers are made in this process by `llm.offline` and pass through litellm like any other vendor's, so that a demo
and the tests walk the same way as a real model. The vendor's name in every call's record says that no model spoke.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from llm.context import TOKENS_PER_MESSAGE, tokens_in
from llm.offline import answer_offline


def make_demo_provider() -> Any:
    """Make the provider; the class is born here, because its base comes with litellm, which is imported late."""
    from litellm import CustomLLM

    class DemoProvider(CustomLLM):  # type: ignore[misc]  # litellm is untyped here
        """Answers offline."""

        async def acompletion(self, *args: Any, **named: Any) -> Any:
            """Fill litellm's prepared response."""
            del args
            return fill_response(named["model_response"], named["messages"], named["optional_params"])

    return DemoProvider()


def fill_response(response: Any, messages: Sequence[Mapping[str, Any]], asked: Mapping[str, Any]) -> Any:
    """Answer the messages into a litellm response.

    Args:
        response: a fresh `ModelResponse`.
        messages: as sent.
        asked: optional parameters of the call; `response_format` decides between JSON and plain text.
    """
    schema = asked.get("response_format", {}).get("json_schema", {}).get("schema")
    answer = answer_offline(messages, schema)
    text = answer.text
    if schema is not None:
        form = asdict(answer)
        text = json.dumps({key: form[key] for key in schema["properties"]}, ensure_ascii=False)
    response.choices[0].message.content = text
    response.choices[0].finish_reason = "stop"
    response.usage = _usage(messages, text)
    return response


def _usage(messages: Sequence[Mapping[str, Any]], text: str) -> Any:
    """Estimated tokens, for plausible figures on the owner's pages."""
    from litellm import Usage

    went_in = sum(tokens_in(str(message["content"])) + TOKENS_PER_MESSAGE for message in messages)
    return Usage(prompt_tokens=went_in, completion_tokens=tokens_in(text), total_tokens=went_in + tokens_in(text))
