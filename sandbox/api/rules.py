"""What a continue body must be like; each broken rule is named with its code and its path in the body.

Source: protocol §2.1, §2.2, §2.4, §9.3. The codes `TooLong`, `NotSupportedChoice` and `InvalidType` were seen live;
`TooMany`, `TooFew`, `FieldMissing` and all detail texts are this stand-in's own.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from sandbox.salesbot.flows import JUMP_TYPES, FlowError, parse_handlers
from sandbox.salesbot.handlers import Handler

HANDLERS_MAX: Final = 10
VALUE_MAX_CHARS: Final = 80
BUTTONS_MAX: Final = 25
SHOW_TYPES: Final = ("text", "buttons", "buttons_url")

Errors = Iterator[tuple[str, str, str]]  # code, path, detail


@dataclass(frozen=True, slots=True)
class Continue:
    """A body that keeps the rules."""

    body: dict[str, Any]
    handlers: tuple[Handler, ...]


class NotJson(ValueError):
    """The body is no JSON text."""


class RulesBroken(ValueError):
    """The body breaks rules; `errors` are `{code, path, detail}`."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        """Keep the errors; the text is the first one's."""
        super().__init__(f"{errors[0]['code']} at {errors[0]['path'] or 'body'}: {errors[0]['detail']}")
        self.errors = errors


def parse_continue(raw: bytes) -> Continue:
    """Read and check the body of a continue call.

    Raises:
        NotJson: it is not JSON in UTF-8.
        RulesBroken: it breaks at least one rule.
    """
    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotJson("The request body is not valid JSON") from error
    errors = [{"code": code, "path": path, "detail": detail} for code, path, detail in _body_errors(body)]
    if errors:
        raise RulesBroken(errors)
    try:
        return Continue(body, parse_handlers(body.get("execute_handlers", []), "execute_handlers"))
    except FlowError as error:  # a rule that the check above lacks and the Salesbot has
        fault = {"code": "InvalidType", "path": "execute_handlers", "detail": str(error)}
        raise RulesBroken([fault]) from error


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _body_errors(body: object) -> Errors:
    if not isinstance(body, dict):
        yield "InvalidType", "", "The body must be an object"
        return
    if not isinstance(body.get("data", {}), dict):
        yield "InvalidType", "data", "This value should be of type object"
    if "execute_handlers" not in body:
        return
    listed = body["execute_handlers"]
    if not isinstance(listed, list):
        yield "InvalidType", "execute_handlers", "This value should be of type array"
        return
    if not listed:
        yield "TooFew", "execute_handlers", "This collection should contain 1 element or more"
    if len(listed) > HANDLERS_MAX:
        yield "TooMany", "execute_handlers", f"This collection should contain {HANDLERS_MAX} elements or less"
    for number, item in enumerate(listed):
        yield from _handler_errors(item, f"execute_handlers.{number}")


def _handler_errors(item: object, path: str) -> Errors:
    if not isinstance(item, dict):
        yield "InvalidType", path, "This value should be of type object"
        return
    name, params = item.get("handler"), item.get("params")
    if name not in ("show", "goto"):
        yield "NotSupportedChoice", f"{path}.handler", "Only show and goto are accepted here"
    elif not isinstance(params, dict):
        yield "InvalidType", f"{path}.params", "This value should be of type object"
    elif name == "show":
        yield from _show_errors(params, f"{path}.params")
    else:
        yield from _goto_errors(params, f"{path}.params")


def _show_errors(params: dict[str, Any], path: str) -> Errors:
    kind, value = params.get("type"), params.get("value")
    if kind not in SHOW_TYPES:
        yield "NotSupportedChoice", f"{path}.type", f"One of {', '.join(SHOW_TYPES)} is expected"
    if "value" not in params:
        yield "FieldMissing", f"{path}.value", "This field is missing"
    elif not isinstance(value, str):
        yield "InvalidType", f"{path}.value", "This value should be of type string"
    elif len(value) > VALUE_MAX_CHARS:
        yield "TooLong", f"{path}.value", f"This value is too long. It should have {VALUE_MAX_CHARS} characters or less"
    if kind in ("buttons", "buttons_url"):
        yield from _buttons_errors(params.get("buttons"), f"{path}.buttons", links=kind == "buttons_url")


def _buttons_errors(buttons: object, path: str, *, links: bool) -> Errors:
    if not isinstance(buttons, list):
        yield "InvalidType", path, "This value should be of type array"
        return
    if not buttons:
        yield "TooFew", path, "This collection should contain 1 element or more"
    if len(buttons) > BUTTONS_MAX:
        yield "TooMany", path, f"This collection should contain {BUTTONS_MAX} elements or less"
    for number, button in enumerate(buttons):
        if not (isinstance(button, str) or (links and _is_link(button))):
            yield "InvalidType", f"{path}.{number}", "This value should be of type string"


def _is_link(button: object) -> bool:
    """Accept `{text, url}` too: sources disagree on the shape (protocol §2.1)."""
    return isinstance(button, dict) and isinstance(button.get("text"), str) and isinstance(button.get("url"), str)


def _goto_errors(params: dict[str, Any], path: str) -> Errors:
    step = params.get("step")
    if params.get("type") not in JUMP_TYPES:
        yield "NotSupportedChoice", f"{path}.type", f"One of {', '.join(JUMP_TYPES)} is expected"
    if isinstance(step, bool) or not isinstance(step, int) or step < 0:
        yield "InvalidType", f"{path}.step", "This value should be a whole number from 0"
