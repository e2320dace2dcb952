"""What went wrong with a call: a code for the program, a sentence for the owner.

    NoReply         no model gave a usable answer (`llm.replies`)
    CallFailed      one call gave none; carries a `CallError`
    Unusable        an answer came that must not go out (`llm.structured`)

The decision rests on what the wire saw, not on exception classes: litellm reports a refused connection, a broken body
and a real status 500 as the same class.
"""

import json
import re
from typing import Any

from llm.questions import Answer
from llm.replies import CallError
from llm.wire import Wire

ERROR_TEXT_MAX = 500
DETAIL_MAX = 240
ANSWER_TEXT_MAX = 20_000

# One more try on the same model may help.
RETRYABLE = frozenset(
    {
        CallError.RATE_LIMITED,
        CallError.SERVER_ERROR,
        CallError.UNREACHABLE,
        CallError.TIMEOUT,
        CallError.EMPTY,
        CallError.UNREADABLE,
        CallError.TOOL_CALLS,
    }
)

SENTENCES = {
    CallError.NO_KEY: "the provider has no key, so nothing was asked. Enter its API key.",
    CallError.UNKNOWN_VENDOR: "this kind of provider is not supported, so nothing was asked. Choose another one.",
    CallError.ADDRESS_FORBIDDEN: "the base address leads into a private network, so nothing was asked. Correct it, or "
    "have the operator allow private hosts.",
    CallError.REFUSED_KEY: "the vendor refused the key. Check the provider's API key and what it may use.",
    CallError.NO_CREDIT: "the vendor says that the credit or quota is used up. Top it up at the vendor.",
    CallError.UNKNOWN_MODEL: "the vendor does not know this model or address. Check the model's name and the base "
    "address.",
    CallError.BAD_REQUEST: "the vendor refused the request as wrong.",
    CallError.CONTEXT_TOO_LONG: "prompt, knowledge and conversation are too long for this model.",
    CallError.RATE_LIMITED: "the vendor asks to slow down.",
    CallError.SERVER_ERROR: "the vendor's server failed.",
    CallError.REDIRECTED: "the address answered with a redirect, which is not followed. Enter the final base address.",
    CallError.UNREACHABLE: "the server could not be reached, or the connection broke.",
    CallError.TIMEOUT: "no whole answer came in time.",
    CallError.EMPTY: "the model answered with nothing.",
    CallError.CUT: "the token limit ended the answer before it said anything usable. Raise the bot's longest answer.",
    CallError.FILTERED: "the vendor's content filter held the answer back.",
    CallError.TOOL_CALLS: "the model asked for a tool instead of answering.",
    CallError.UNREADABLE: "the answer was not in the agreed form.",
    CallError.TOO_LARGE: "the answer was larger than 4 MB and was not read further.",
    CallError.INTERRUPTED: "the call was interrupted, because the worker was told to stop.",
}

_CONTEXT = (
    "context_length",
    "context length",
    "context window",
    "maximum context",
    "too many tokens",
    "prompt is too long",
)
_FILTERED = ("content_policy", "content_filter", "content management policy", "responsibleaipolicy")
_NO_CREDIT = ("insufficient_quota", "insufficient balance", "credit balance is too low", "insufficient credits")
_NO_MODEL = ("model_not_found", "no such model", "unknown model", "model does not exist", "invalid model")
_FORM = ("response_format", "json_schema", "tool_choice", "structured output", "output_format")
_BAD_KEY = ("api_key_invalid", "api key not valid", "invalid api key", "incorrect api key", "invalid_api_key")
_BY_STATUS = {
    401: CallError.REFUSED_KEY,
    402: CallError.NO_CREDIT,
    403: CallError.REFUSED_KEY,
    404: CallError.UNKNOWN_MODEL,
    408: CallError.TIMEOUT,
    413: CallError.CONTEXT_TOO_LONG,
    429: CallError.RATE_LIMITED,
}
_IN_A_REFUSAL = (
    (_NO_CREDIT, CallError.NO_CREDIT),
    (_CONTEXT, CallError.CONTEXT_TOO_LONG),
    (_FILTERED, CallError.FILTERED),
    (_BAD_KEY, CallError.REFUSED_KEY),
    (_NO_MODEL, CallError.UNKNOWN_MODEL),
)
_SIGNS = {
    400: _IN_A_REFUSAL,
    403: _IN_A_REFUSAL[:1],
    422: _IN_A_REFUSAL,
    429: _IN_A_REFUSAL[:1],
}
_KEY_LIKE = re.compile(
    r"(?i)\bbearer\s+\S+|\bAIza[\w*.\-]{6,}|\b(?:sk|pk|rk|gsk|xai|pplx|fw|tgp)[-_](?=[\w*.\-]*[\d*])[\w*.\-]{6,}"
)
SHORTEST_KEY = 6  # shorter ones are no secrets, and taking them out would garble every sentence


class CallFailed(Exception):
    """One call gave no usable answer.

    Attributes:
        error: what happened.
        text: the same in plain words for the owner, without the provider's name before it.
        body: what came back, for the owner to read; may be empty.
        given: the answer that was not usable, where one came.
        retry_after_s: how long the vendor asks to wait, when it does.
        form_refused: the server does not know the form of answer that was asked for.
    """

    def __init__(
        self,
        error: CallError,
        *,
        detail: str = "",
        body: str = "",
        given: Answer | None = None,
        retry_after_s: float | None = None,
        form_refused: bool = False,
    ) -> None:
        """Build the sentence out of the code and the vendor's own words."""
        self.error = error
        self.given = given
        self.form_refused = form_refused
        self.text = f"{SENTENCES[error]} {detail}".strip()[:ERROR_TEXT_MAX]
        self.body = body
        self.retry_after_s = retry_after_s
        super().__init__(self.text)


def judge_failure(wire: Wire, *, api_key: str) -> CallFailed:
    """Say what a call that raised has suffered, from what the wire saw.

    Args:
        wire: the call's record.
        api_key: removed from whatever is kept.
    """
    raw = wire.body.decode("utf-8", "replace")
    error = _code(wire, raw.lower())
    body = scrub(raw, api_key)
    said = _vendors_words(body)
    status = f"(HTTP {wire.status})" if wire.status and wire.status >= 300 else ""
    quote = f"It said: {said}" if said and status else ""
    return CallFailed(
        error,
        detail=f"{status} {quote}".strip(),
        body=body,
        retry_after_s=wire.retry_after_s,
        form_refused=error is CallError.BAD_REQUEST and any(word in body.lower() for word in _FORM),
    )


def scrub(text: str, api_key: str) -> str:
    """Take the key, and what looks like one, out of a text that came back."""
    return _KEY_LIKE.sub("[key]", without_key(text, api_key))[:ANSWER_TEXT_MAX]


def without_key(text: str, api_key: str) -> str:
    """Take the key out of a text that came back, and leave the rest as it is."""
    return text.replace(api_key, "[key]") if len(api_key) >= SHORTEST_KEY else text


def _code(wire: Wire, body: str) -> CallError:
    if wire.fault:
        return wire.fault
    if wire.status is None:
        return CallError.BAD_REQUEST  # refused before it was sent
    if 200 <= wire.status < 300:
        return CallError.UNREADABLE
    return _code_of_status(wire.status, body)


def _code_of_status(status: int, body: str) -> CallError:
    """Where vendors fold several reasons into one status, the body tells them apart."""
    if status >= 500:
        return CallError.SERVER_ERROR
    for words, error in _SIGNS.get(status, ()):
        if any(word in body for word in words):
            return error
    return _BY_STATUS.get(status, CallError.BAD_REQUEST)


def _vendors_words(body: str) -> str:
    """The message inside a vendor's error body, on one line; empty when there is none."""
    try:
        message = _message(json.loads(body))
    except (ValueError, RecursionError):
        return ""
    return " ".join(message.split())[:DETAIL_MAX]


def _message(data: Any) -> str:
    """Dig for the text: vendors put it under error.message, message, detail or error."""
    if isinstance(data, list):
        data = data[0] if data else None
    for key in ("error", "message", "detail"):
        if isinstance(data, dict) and data.get(key):
            return _message(data[key])
    return data if isinstance(data, str) else ""
