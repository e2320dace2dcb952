"""The body of a continue: a reply in the words that the Salesbot's next steps read.

The whole reply goes into `data.message`, which the widget's own next step shows; `show` in execute_handlers takes 80
characters only and is never used by default.

Source: protocol §2.1 to §2.4.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from bots.kommo.characters import presentable
from bots.kommo.cutting import cut

Status = Literal["success", "handoff", "silent", "fail"]
OutputValue = str | int | float | bool

OUTPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
HANDLERS_MAX = 10
SHOW_MAX_CHARS = 80

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
LENGTH_REASON = re.compile(r"too[\s_-]?long|max[\s_-]?length|length", re.IGNORECASE)


class Handler(TypedDict):
    """One entry of execute_handlers: `show` or `goto`.

    Source: protocol §2.1.
    """

    handler: Literal["show", "goto"]
    params: dict[str, Any]


class ContinueBody(TypedDict):
    """What is posted to a return_url.

    data holds status, message, show and the bot's outputs, each of which becomes `{{json.NAME}}`.
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
    *, status: Status, message: str, outputs: Mapping[str, OutputValue], handlers: Sequence[Handler] = ()
) -> ContinueBody:
    """Build the body of a continue.

    Args:
        status: what `{{json.status}}` becomes.
        message: the whole reply; blank when nothing is to be said.
        outputs: values that the bot declares; our own three names, names that aren't identifiers and numbers that
            JSON can't write are left out.
        handlers: shown or done by Kommo itself; at most HANDLERS_MAX are sent.

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
        if OUTPUT_NAME.fullmatch(name) and _is_writable(value)
    }
    data |= {"status": status, "message": text, "show": "1" if text and not shows else "0"}
    return {"data": data, "execute_handlers": clean} if clean else {"data": data}


def shorten_for(body: ContinueBody, errors: Iterable[str]) -> ContinueBody | None:
    """Shorten a body that Kommo refused for its length.

    First what breaks a documented limit of the handlers is cut to that limit; when nothing does, the message is cut
    to half of its length.

    Args:
        body: what was sent.
        errors: codes and texts of Kommo's refusal.

    Returns:
        A new body; None when the reason isn't length, or nothing is left to cut.

    Source: protocol §2.2, §9.3.
    """
    if not any(LENGTH_REASON.search(error) for error in errors):
        return None
    handlers = body.get("execute_handlers", [])
    cut_handlers = [_cut_handler(handler) for handler in handlers[:HANDLERS_MAX]]
    if cut_handlers != handlers:
        return {"data": body["data"], "execute_handlers": cut_handlers}
    message = str(body["data"].get("message", ""))
    shorter, _ = cut(message, len(message) // 2)
    if len(shorter) < 2 or len(shorter) >= len(message):
        return None
    return {**body, "data": body["data"] | {"message": shorter}}


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


def _cut_handler(handler: Handler) -> Handler:
    value = handler["params"].get("value")
    if handler["handler"] != "show" or not isinstance(value, str):
        return handler
    return {"handler": "show", "params": handler["params"] | {"value": cut(value, SHOW_MAX_CHARS)[0]}}
