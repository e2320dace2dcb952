"""A bot, a model and a customer for the tests of `llm`: plain functions with defaults."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import llm
from llm import BotConfig, Line, Link, ModelChoice, NoReply, Output, Reply

T = TypeVar("T")

KEY = "sk-planted-4f2a9c"
SOON_S = 6.0


def a_choice(api_base: str = "", **changes: Any) -> ModelChoice:
    """A model of the vendor openai with a key."""
    given = {"provider": "main", "vendor": "openai", "model": "gpt-4o-mini", "api_key": KEY, "api_base": api_base}
    return ModelChoice(**(given | changes))


def a_demo_choice() -> ModelChoice:
    """The offline model."""
    return ModelChoice(provider="demo", vendor="demo", model="shop")


def a_config(*choices: ModelChoice, **changes: Any) -> BotConfig:
    """A bot with these models."""
    return BotConfig(**({"prompt": "You sell sofas.", "choices": choices} | changes))


def in_a_loop(work: Callable[[], Awaitable[T]]) -> T:
    """Run in a loop of its own, whose connections are closed at its end."""

    async def closing() -> T:
        try:
            return await work()
        finally:
            await llm.close_connections()

    return asyncio.run(closing())


def answer(
    config: BotConfig,
    message: str = "How much is a sofa?",
    *,
    history: Sequence[Line] = (),
    deadline_s: float = SOON_S,
    **more: Any,
) -> Reply:
    """Answer one message; private hosts are allowed unless told otherwise."""
    arguments = {"deadline_s": deadline_s, "allow_private_hosts": True} | more
    return in_a_loop(lambda: llm.answer(config, history, message, **arguments))


def failure(config: BotConfig, message: str = "How much is a sofa?", **more: Any) -> NoReply:
    """The failure of an answer that must fail."""
    try:
        reply = answer(config, message, **more)
    except NoReply as no_reply:
        return no_reply
    raise AssertionError(f"there was a reply: {reply.text!r}")


def an_output(name: str = "budget", kind: str = "number", **changes: Any) -> Output:
    """A declared output."""
    return Output(**({"name": name, "type": kind} | changes))


def a_link(text: str = "Price list", url: str = "https://acme.test/prices", **changes: str) -> Link:
    """A link of the owner's."""
    return Link(text=text, url=url, **changes)
