"""The only door to litellm: one question to one model, one answer or one `CallFailed`.

litellm is imported on the first use, because it weighs 2 s and 150 MB. Key and base address are always named, so that
nothing in the environment stands in for a missing one, and every request goes through our own checked HTTP client.
"""

import asyncio
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from kommobridge.base.environment import prepare_for_litellm
from llm.config import ModelChoice
from llm.connections import base_address, client_for
from llm.demo import make_demo_provider
from llm.errors import CallFailed, judge_failure, without_key
from llm.names import is_safely_routed
from llm.questions import Answer, Question, Shape
from llm.replies import CallError
from llm.vendors import DEMO_VENDOR, VENDORS
from llm.wire import begin_wire

REPLY_TOOL = "reply"
ODD_KEY = "Nothing was sent: the API key holds characters that no key has. Enter it again."
NO_SCHEMA_VENDORS = frozenset(
    {"deepseek"}
)  # its API knows JSON mode and tools, but no schema; the table says otherwise
QUIET_LOGGERS = ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router", "httpx", "httpcore", "openai")

# What first calls import beyond litellm itself, by the modules that pull in the rest: half a second, 20 MB.
# tests/llm/test_preload.py compares it with what a call really imports. Left out on purpose: litellm's tokenizer, which
# takes 45 MB and is loaded by the vendors beside `openai` alone.
FIRST_CALL_MODULES = (
    "anyio._backends._asyncio",
    "openai.resources",
    "litellm._service_logger",
    "litellm.llms.anthropic.completion.transformation",
    "litellm.llms.deepseek.chat.transformation",
    "litellm.llms.edenai.chat.transformation",
    "litellm.llms.fal_ai.chat",
    "litellm.llms.fireworks_ai.chat.transformation",
    "litellm.llms.gemini.chat.transformation",
    "litellm.llms.litellm_proxy.chat.transformation",
    "litellm.llms.mistral.chat.transformation",
    "litellm.llms.openai.chat.gpt_audio_transformation",
    "litellm.llms.openai_like.dynamic_config",
    "litellm.llms.openrouter.chat.transformation",
    "litellm.llms.perplexity.chat.transformation",
    "litellm.llms.together_ai.chat",
    "litellm.llms.vertex_ai.context_caching.vertex_ai_context_caching",
    "litellm.llms.vertex_ai.vertex_ai_partner_models.anthropic.transformation",
    "litellm.llms.xai.chat.transformation",
    "litellm.llms.xai.oauth",
    "litellm.proxy.guardrails.exception_utils",
    "litellm.proxy.openai_files_endpoints.common_utils",
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """What litellm's bundled table knows of a model.

    Args:
        input_price: US dollars per million tokens; None when unknown.
        output_price: likewise.
        max_input_tokens: None when unknown.
        shape: the best form of answer that it can be asked for.
    """

    input_price: Decimal | None
    output_price: Decimal | None
    max_input_tokens: int | None
    shape: Shape


UNKNOWN_MODEL = KnownModel(input_price=None, output_price=None, max_input_tokens=None, shape="plain")


async def ask(choice: ModelChoice, question: Question, *, timeout_s: float, allow_private: bool) -> Answer:
    """Ask one model once.

    Args:
        choice: model, key and base address.
        question: what is asked.
        timeout_s: for the whole of it, from the look-up of the name to the last byte.
        allow_private: the base address may be in a private network.

    Raises:
        CallFailed: nothing readable came; the code says why.
    """
    _check(choice)
    wire = begin_wire()
    try:
        async with asyncio.timeout(timeout_s):
            response = await _complete(choice, question, timeout_s=timeout_s, allow_private=allow_private)
    except TimeoutError:
        wire.fault = wire.fault or CallError.TIMEOUT
        raise judge_failure(wire, api_key=choice.api_key) from None
    except Exception as error:  # noqa: BLE001  a library that raises anything; what the wire saw tells what it was
        if not wire.requests:
            log.warning("model call ended before it was sent", extra={"error_type": type(error).__name__})
        # not chained: litellm's errors carry key and messages
        raise judge_failure(wire, api_key=choice.api_key) from None
    if not wire.requests and choice.vendor != DEMO_VENDOR:
        log.error("a model call went round our HTTP client", extra={"vendor": choice.vendor})
        raise CallFailed(CallError.BAD_REQUEST)
    answer = _read(response)
    # a server that repeats what it was sent must not tell the customer the key
    return replace(answer, text=without_key(answer.text, choice.api_key.strip()))


@lru_cache(maxsize=4_096)
def known_model(vendor: str, model: str) -> KnownModel:
    """Look a model up in the bundled table; of an unknown one nothing is known, and it is asked for plain text."""
    if vendor == DEMO_VENDOR:
        return replace(UNKNOWN_MODEL, input_price=Decimal(0), output_price=Decimal(0), shape="schema")
    try:
        # only for vendors of ours: for some others the look-up itself asks a server
        info = _litellm().get_model_info(model=model, custom_llm_provider=vendor) if vendor in VENDORS else None
    except Exception:  # noqa: BLE001  raised bare for a name that is not in the table
        info = None
    return _known(vendor, info) if info else UNKNOWN_MODEL


def _known(vendor: str, info: Mapping[str, Any]) -> KnownModel:
    return KnownModel(
        input_price=_per_million(info.get("input_cost_per_token")),
        output_price=_per_million(info.get("output_cost_per_token")),
        max_input_tokens=info.get("max_input_tokens") or None,
        shape=_best_shape(vendor, info),
    )


def preload() -> None:
    """Import litellm and what its first call needs, so that forked processes share it. No call, no thread, no network.

    Without it each process pays 3 s at its first answer and holds some 110 MB more for itself.
    """
    _litellm()
    for name in FIRST_CALL_MODULES:
        import_module(name)


def _best_shape(vendor: str, info: Mapping[str, Any]) -> Shape:
    if info.get("supports_response_schema") and vendor not in NO_SCHEMA_VENDORS:
        return "schema"
    return "tool" if info.get("supports_function_calling") and info.get("supports_tool_choice") else "plain"


def _per_million(per_token: float | None) -> Decimal | None:
    return None if per_token is None else Decimal(str(per_token)) * 1_000_000


def _check(choice: ModelChoice) -> None:
    """Refuse what must not be asked at all.

    Raises:
        CallFailed: unknown vendor, no key, or a name that leads elsewhere.
    """
    if choice.vendor not in VENDORS:
        raise CallFailed(CallError.UNKNOWN_VENDOR)
    if VENDORS[choice.vendor].needs_key and not choice.api_key.strip():
        raise CallFailed(CallError.NO_KEY)
    if not (choice.api_key.isascii() and choice.api_key.strip().isprintable()):
        raise CallFailed(CallError.BAD_REQUEST, detail=ODD_KEY)
    if not is_safely_routed(choice.vendor, choice.model):
        raise CallFailed(CallError.UNKNOWN_MODEL)


async def _complete(choice: ModelChoice, question: Question, *, timeout_s: float, allow_private: bool) -> Any:
    litellm = _litellm()
    litellm._internal_context.is_internal_call.set(True)  # else each answer starts a background task that logs it
    client = None if choice.vendor == DEMO_VENDOR else client_for(choice, allow_private=allow_private)
    return await litellm.main.acompletion(  # not litellm.acompletion: that may take a Rust client of its own
        model=f"{choice.vendor}/{choice.model}",
        custom_llm_provider=choice.vendor,
        messages=[dict(message) for message in question.messages],
        api_key=choice.api_key.strip(),
        api_base=base_address(choice),
        client=client,
        timeout=timeout_s,
        max_retries=0,
        temperature=question.temperature,
        max_tokens=question.max_tokens,
        _skip_responses_api_bridge=True,  # that way makes a client of its own
        _skip_mcp_handler=True,  # imports a package that nobody needs here
        **_form(question),
    )


def _form(question: Question) -> dict[str, Any]:
    """The arguments that ask for the answer's form."""
    if question.shape == "schema":
        described = {"name": REPLY_TOOL, "schema": question.schema, "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": described}}
    if question.shape == "tool":
        tool = {"name": REPLY_TOOL, "description": "Gives the answer.", "parameters": question.schema}
        called = {"type": "function", "function": {"name": REPLY_TOOL}}
        return {"tools": [{"type": "function", "function": tool}], "tool_choice": called}
    return {}


def _read(response: Any) -> Answer:
    """Take the answer out of litellm's response, whatever is missing in it."""
    choices = getattr(response, "choices", None) or []
    message = getattr(choices[0], "message", None) if choices else None
    calls = getattr(message, "tool_calls", None) or []
    content = getattr(message, "content", None)
    usage = getattr(response, "usage", None)
    return Answer(
        text=_arguments_of_reply(calls) or (content if isinstance(content, str) else ""),
        finish=str(getattr(choices[0], "finish_reason", None) or "") if choices else "",
        asked_for_tools=bool(calls),
        input_tokens=_count(getattr(usage, "prompt_tokens", None)),
        output_tokens=_count(getattr(usage, "completion_tokens", None)),
    )


def _arguments_of_reply(calls: Sequence[Any]) -> str:
    for call in calls:
        function: Any = getattr(call, "function", None)
        arguments = getattr(function, "arguments", None)
        if getattr(function, "name", None) == REPLY_TOOL and isinstance(arguments, str):
            return arguments
    return ""


def _count(tokens: Any) -> int | None:
    """A number of tokens; litellm puts 0 where the vendor said nothing."""
    return tokens if isinstance(tokens, int) and tokens > 0 else None


@cache
def _litellm() -> Any:
    """Import litellm, with everything off that talks, prints or phones."""
    prepare_for_litellm()
    _silence_loggers()  # before the import too, which logs by itself
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what litellm's own classes say of each other when they are built
        import litellm

        litellm.ModelResponse()  # builds them now, not in the first call

    litellm.suppress_debug_info = True
    litellm.disable_hf_tokenizer_download = True  # would block 23 s offline
    litellm.disable_aiohttp_transport = True
    litellm.drop_params = True  # a temperature that a model does not take is left out instead of refused
    litellm.num_retries = None
    litellm.custom_provider_map = [{"provider": DEMO_VENDOR, "custom_handler": make_demo_provider()}]
    _silence_loggers()
    return litellm


def _silence_loggers() -> None:
    """At DEBUG these print keys, prompts and answers; what matters of a call is in its record."""
    for logger in map(logging.getLogger, QUIET_LOGGERS):
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)
