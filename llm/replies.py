"""What `llm.answer` hands back: a reply, or the reason why there is none, and every call that was tried."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from llm.config import Link

Outcome = Literal["success", "handoff", "silent"]
OutputValue = str | float | bool


class CallError(StrEnum):
    """Why a call gave no usable answer; empty text for one that did."""

    NONE = ""
    NO_KEY = "no_key"  # the provider has no key; nothing was sent
    UNKNOWN_VENDOR = "unknown_vendor"  # not on the allow-list; nothing was sent
    ADDRESS_FORBIDDEN = "address_forbidden"  # the base address leads into a private network; nothing was sent
    REFUSED_KEY = "refused_key"  # 401, 403
    NO_CREDIT = "no_credit"  # 402, or a 429 that says the quota is used up
    UNKNOWN_MODEL = "unknown_model"  # 404
    BAD_REQUEST = "bad_request"  # other 4xx
    CONTEXT_TOO_LONG = "context_too_long"
    RATE_LIMITED = "rate_limited"  # 429
    SERVER_ERROR = "server_error"  # 5xx
    REDIRECTED = "redirected"  # 3xx; never followed
    UNREACHABLE = "unreachable"  # no connection, or it broke
    TIMEOUT = "timeout"  # no whole answer in the time that this call had
    EMPTY = "empty"  # no choices, or only blank text
    CUT = "cut"  # the token limit ended it before a word came
    FILTERED = "filtered"  # the vendor's content filter held it back
    TOOL_CALLS = "tool_calls"  # asked for tools that nobody offered
    UNREADABLE = "unreadable"  # not the JSON that was agreed
    TOO_LARGE = "too_large"  # over 4 MB; not read to its end
    INTERRUPTED = "interrupted"  # we were told to stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One try at one model.

    Args:
        provider: the account's name for the access.
        vendor: key of `VENDORS`.
        model: the vendor's name of the model.
        started_at: aware, UTC.
        latency_ms: from the start to the end of the try.
        ok: its answer became the reply.
        error: why not; `CallError.NONE` when ok.
        error_text: the same for the owner, in plain words, at most 500 characters, without secrets. When ok it may
            hold a remark, such as declared outputs that were dropped.
        messages: the messages as sent, each `{"role": ..., "content": ...}`.
        knowledge: the passages that were added to the prompt.
        answer_text: what came back, as received, at most 20,000 characters.
        input_tokens: as the vendor counted; None when it did not say.
        output_tokens: likewise.
        cost: US dollars; None when price or tokens are unknown.
    """

    provider: str
    vendor: str
    model: str
    started_at: datetime
    latency_ms: int
    ok: bool
    error: CallError = CallError.NONE
    error_text: str = ""
    messages: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    knowledge: str = field(default="", repr=False)
    answer_text: str = field(default="", repr=False)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the bot says, and how it ends.

    Args:
        text: for the customer; empty only when the outcome is `silent` or `handoff`.
        outcome: `handoff` asks for a human, `silent` for no message at all.
        outputs: declared values that the model filled and that passed their checks, by name.
        calls: every try, in order; the last one is ok.
        buttons: answers for the customer to tap, in order: at most 10 different ones, each one line of at most 80
            UTF-16 units. Empty when there is no text.
        links: the owner's own that the model chose, in its order. Empty when there is no text.
    """

    text: str
    outcome: Outcome
    outputs: Mapping[str, OutputValue]
    calls: tuple[Call, ...]
    buttons: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


class NoReply(Exception):
    """No model gave a usable answer in time.

    Attributes:
        reason: why, in plain words for the owner; no secrets.
        calls: every try, in order; may be empty.
    """

    def __init__(self, reason: str, calls: tuple[Call, ...] = ()) -> None:
        """Keep reason and calls; the error's text is the reason."""
        super().__init__(reason)
        self.reason = reason
        self.calls = calls
