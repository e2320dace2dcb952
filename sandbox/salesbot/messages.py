"""Readers of the handlers that write to the customer.

Source: protocol §3.2 (`show`, `send_external_message`), §3.3 (`send_message`, as the designer writes it).
"""

from typing import Final

from sandbox.salesbot.handlers import Button, Show
from sandbox.salesbot.reading import Asked, FlowError, Params, Reading, as_object, known_only

SHOW_KEYS: Final = frozenset({"type", "value", "buttons", "quick_replies", "accept_unsorted"})
SHOW_TYPES: Final = ("text", "buttons", "buttons_url")
QUICK_REPLIES: Final = ("user_phone_number", "user_email")
SEND_KEYS: Final = frozenset(
    {"tag", "text", "type", "on_error", "recipient", "is_in_starting_block", "send_to_all_chat_sources"}
    | {"chat_sources", "buttons", "attachments"}
)
EXTERNAL_KEYS: Final = frozenset({"message", "recipient", "channels", "metadata", "on_error"})
RECIPIENTS: Final = ("all_contacts", "main_contact", "filtered_contacts")
TRUE_OR_FALSE: Final = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}


def read_show(params: Params, place: str, _reading: Reading) -> Show:
    """Read `show`: a text, a text with choices, or a text with links."""
    known_only(params, SHOW_KEYS, place)
    asked = Asked(params, place)
    value, kind = asked.text("value"), asked.one_of("type", SHOW_TYPES)
    buttons = _read_buttons(asked, links=kind == "buttons_url") if kind != "text" else ()
    accepts = _yes(params, "accept_unsorted", place)
    return Show(value, buttons, quick_replies=_read_quick_replies(asked), accepts_unsorted=accepts)


def read_send_message(params: Params, place: str, _reading: Reading) -> Show:
    """Read `send_message`, the designer's Message block."""
    known_only(params, SEND_KEYS, place)
    asked = Asked(params, place)
    _check_delivery(params, place)
    sources = params.get("chat_sources", [])
    if not isinstance(sources, list) or not all(isinstance(one, dict) and "id" in one for one in sources):
        raise FlowError(f"{place}.chat_sources", "must be a list of objects with id")
    attachments = _read_attachments(params.get("attachments", []), f"{place}.attachments")
    return Show(asked.text("text", default=""), _read_typed_buttons(params, place), attachments)


def read_external_message(params: Params, place: str, _reading: Reading) -> Show:
    """Read `send_external_message`; here it reaches the lead's one chat."""
    known_only(params, EXTERNAL_KEYS, place)
    message = as_object(params.get("message"), f"{place}.message")
    known_only(message, {"type", "text", "buttons"}, f"{place}.message")
    _check_delivery({**message, "recipient": params.get("recipient"), "on_error": params.get("on_error")}, place)
    return Show(Asked(message, f"{place}.message").text("text"), _read_typed_buttons(message, f"{place}.message"))


def _check_delivery(params: Params, place: str) -> None:
    Asked(params, place).one_of("type", ("external",))
    Asked(as_object(params.get("recipient"), f"{place}.recipient"), f"{place}.recipient").one_of("type", RECIPIENTS)
    if params.get("on_error") is not None:
        raise FlowError(f"{place}.on_error", "must be null: only the flow's own error handlers are known here")


def _read_buttons(asked: Asked, *, links: bool) -> tuple[Button, ...]:
    listed = asked.items("buttons", "button")
    return tuple(_read_button(item, f"{asked.place}.buttons[{n}]", links=links) for n, item in enumerate(listed))


def _read_button(raw: object, place: str, *, links: bool) -> Button:
    if isinstance(raw, str):
        return Button(raw, raw if links else "")
    if links and isinstance(raw, dict):
        known_only(raw, {"text", "url"}, place)
        return Button(Asked(raw, place).text("text"), Asked(raw, place).text("url"))
    raise FlowError(place, "must be a text" + (" or an object with text and url" if links else ""))


def _read_typed_buttons(params: Params, place: str) -> tuple[Button, ...]:
    """Read `[{"type": "inline" or "url", "text", "url"}]`."""
    raw = params.get("buttons", [])
    if not isinstance(raw, list):
        raise FlowError(f"{place}.buttons", "must be a list of buttons")
    return tuple(_read_typed_button(item, f"{place}.buttons[{number}]") for number, item in enumerate(raw))


def _read_typed_button(raw: object, place: str) -> Button:
    params = as_object(raw, place)
    known_only(params, {"type", "text", "url"}, place)
    asked = Asked(params, place)
    kind = asked.one_of("type", ("inline", "url"))
    return Button(asked.text("text"), asked.text("url") if kind == "url" else "")


def _read_attachments(raw: object, place: str) -> tuple[str, ...]:
    if not isinstance(raw, list):
        raise FlowError(place, "must be a list of attachments")
    return tuple(_read_attachment(item, f"{place}[{number}]") for number, item in enumerate(raw))


def _read_attachment(raw: object, place: str) -> str:
    params = as_object(raw, place)
    known_only(params, {"type", "value", "is_external"}, place)
    asked = Asked(params, place)
    return f"{asked.text('type')} {asked.text('value')}"


def _read_quick_replies(asked: Asked) -> tuple[str, ...]:
    raw = asked.params.get("quick_replies", [])
    if not isinstance(raw, list) or any(item not in QUICK_REPLIES for item in raw):
        raise FlowError(f"{asked.place}.quick_replies", f"must be a list of {', '.join(QUICK_REPLIES)}")
    return tuple(raw)


def _yes(params: Params, key: str, place: str) -> bool:
    value = params.get(key, False)
    if not isinstance(value, bool | str) or value not in TRUE_OR_FALSE:
        raise FlowError(f"{place}.{key}", "must be true or false")
    return TRUE_OR_FALSE[value]
