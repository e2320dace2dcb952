"""The body of a continue: a reply in the words that the Salesbot's next steps read.

The whole reply goes into `data.message`, which the widget's own next step shows; `show` in execute_handlers takes 80
characters only and is never used by default.

Source: protocol §2.1 to §2.4.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from bots.kommo.characters import presentable

Status = Literal["success", "handoff", "silent", "fail"]
OutputValue = str | int | float | bool

OUTPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
HANDLERS_MAX = 10

# Text limits of the platforms behind Kommo's channel names (protocol §10).
CHANNEL_LIMITS = {
    "waba": 4096,
    "whatsapp": 4096,
    "telegram": 4096,
    "facebook": 2000,
    "instagram": 1000,
    "instagram_business": 1000,
}
# An unnamed channel is most often WhatsApp, Telegram, live chat or mail. The next shorter known limit is Messenger's;
# a text over the limit reaches nobody, while one cut at 2,000 has said what it had to say. Instagram's 1,000 would cut
# ordinary answers everywhere.
UNKNOWN_CHANNEL_LIMIT = 2000

DOUBLE_BRACE = re.compile(r"\{(?=\{)|\}(?=\})")


class Handler(TypedDict):
    """One entry of execute_handlers: `show` or `goto`.

    Source: protocol §2.1.
    """

    handler: Literal["show", "goto"]
    params: dict[str, Any]


class ContinueBody(TypedDict):
    """What is posted to a return_url.

    data holds status, message, show, the bot's outputs and, where the outcome leaves by another exit than its own,
    exit. Each becomes `{{json.NAME}}`.
    """

    data: dict[str, OutputValue]
    execute_handlers: NotRequired[list[Handler]]


def neutralise(text: str) -> str:
    """Make a text safe to put where Kommo replaces placeholders, and clean to read.

    Of braces in a row each stands alone afterwards (`{{name}}` becomes `{ {name} }`), and invisible characters are
    gone, joined emoji excepted. Applying it twice changes nothing more.

    Source: protocol §2.3.
    """
    return DOUBLE_BRACE.sub(lambda found: f"{found[0]} ", presentable(text))


def channel_limit(origin: str) -> int:
    """Give how long a message may be on a channel, in characters.

    Args:
        origin: Kommo's name of the channel; unknown ones and an empty text get UNKNOWN_CHANNEL_LIMIT.

    Source: protocol §10.
    """
    return CHANNEL_LIMITS.get(origin.strip().lower(), UNKNOWN_CHANNEL_LIMIT)


def continue_body(
    *,
    status: Status,
    message: str,
    outputs: Mapping[str, OutputValue],
    handlers: Sequence[Handler] = (),
    leaves_by: Status | None = None,
) -> ContinueBody:
    """Build the body of a continue.

    Args:
        status: what `{{json.status}}` becomes.
        message: the whole reply; blank when nothing is to be said.
        outputs: values that the bot declares; our own four names, names that aren't identifiers and numbers that
            JSON can't write are left out.
        handlers: shown or done by Kommo itself; at most HANDLERS_MAX are sent.
        leaves_by: the exit that our widget takes; None for the status's own.

    Returns:
        The body, every text in it neutralised; without `execute_handlers` when there are no handlers.

    Source: protocol §2.1, §2.4.
    """
    text = neutralise(message).strip()
    clean = [_clean_handler(handler) for handler in handlers[:HANDLERS_MAX]]
    shows = any(handler["handler"] == "show" for handler in clean)
    data: dict[str, OutputValue] = {
        name: neutralise(value) if isinstance(value, str) else value
        for name, value in outputs.items()
        if OUTPUT_NAME.fullmatch(name) and name != "exit" and _is_writable(value)
    }
    data |= {"status": status, "message": text, "show": "1" if text and not shows else "0"}
    if leaves_by:
        data["exit"] = leaves_by
    return {"data": data, "execute_handlers": clean} if clean else {"data": data}


def _is_writable(value: OutputValue) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _clean_handler(handler: Handler) -> Handler:
    return {"handler": handler["handler"], "params": _clean(handler["params"])}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return neutralise(value)
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return value
