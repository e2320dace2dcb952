"""How single values of the sandbox's config are read; each refuses what is wrong with field and rule."""

import json
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from sandbox.salesbot.flows import FlowError, parse_flow
from sandbox.salesbot.handlers import Flow, Step

WHOLE_MAX: Final = 10**15
INSTALLED: Final = Flow((Step(),))  # stands for the account's widget while its flow is only checked
Reader = Callable[[str, object], Any]


class ConfigError(ValueError):
    """A value that cannot be used; the text names the field and the rule."""

    def __init__(self, line: str, rule: str = "") -> None:
        """Take the field's name and the rule, or one line that says both."""
        super().__init__(f"{line}: {rule}" if rule else line)


def read_text(place: str, value: object) -> str:
    """Read a text.

    Raises:
        ConfigError: it is none.
    """
    if not isinstance(value, str):
        raise ConfigError(place, "must be a text")
    return value


def filled(place: str, value: object) -> str:
    """Read a text that is not empty.

    Raises:
        ConfigError: it is none.
    """
    if not read_text(place, value).strip():
        raise ConfigError(place, "must not be empty")
    return str(value)


def matching(pattern: str, rule: str) -> Reader:
    """Make a reader of texts of one form."""
    compiled = re.compile(pattern)

    def read(place: str, value: object) -> str:
        if not compiled.fullmatch(read_text(place, value)):
            raise ConfigError(place, rule)
        return str(value)

    return read


def whole(low: int, high: int) -> Reader:
    """Make a reader of whole numbers from low to high."""

    def read(place: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ConfigError(place, f"must be a whole number from {low} to {high}")
        return value

    return read


def one_of(*choices: str) -> Reader:
    """Make a reader of one of these texts."""

    def read(place: str, value: object) -> str:
        if value not in choices:
            raise ConfigError(place, f"must be one of {', '.join(choices)}")
        return str(value)

    return read


def yes_or_no(place: str, value: object) -> bool:
    """Read true or false.

    Raises:
        ConfigError: it is neither.
    """
    if not isinstance(value, bool):
        raise ConfigError(place, "must be true or false")
    return value


def web_address(place: str, value: object) -> str:
    """Read a web address, or an empty text.

    Raises:
        ConfigError: it is neither.
    """
    address = read_text(place, value)
    if address and (urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).hostname):
        raise ConfigError(place, "must be a whole http or https address")
    return address


def texts_by_name(place: str, value: object) -> dict[str, str]:
    """Read an object of texts.

    Raises:
        ConfigError: it is none.
    """
    if not isinstance(value, dict):
        raise ConfigError(place, "must be an object of texts")
    return {str(key): read_text(f"{place}.{key}", item) for key, item in value.items()}


def widget_flow(place: str, value: object) -> list[Any] | None:
    """Read Salesbot JSON of a Widget step.

    Raises:
        ConfigError: it cannot be run here.
    """
    if value is None:
        return None
    _check_flow(place, value, widget=None)
    steps: Any = json.loads(value) if isinstance(value, str) else value
    return list(steps.values() if isinstance(steps, dict) else steps)  # the check has seen that it is one of these


def salesbot_flow(place: str, value: object) -> object:
    """Read Salesbot JSON of a whole Salesbot: a list, an object, a text, or a designer's export.

    Raises:
        ConfigError: it cannot be run here.
    """
    if value is not None:
        _check_flow(place, value, widget=INSTALLED)
    return value


def further_bots(place: str, value: object) -> tuple[dict[str, Any], ...]:
    """Read `[{"id": …, "name": …, "flow": …}]`.

    Raises:
        ConfigError: an entry is malformed.
    """
    if not isinstance(value, list):
        raise ConfigError(place, "must be a list of objects with id, name and flow")
    return tuple(_further_bot(f"{place}[{number}]", item) for number, item in enumerate(value))


def _further_bot(place: str, raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict) or raw.keys() != {"id", "name", "flow"}:
        raise ConfigError(place, "must be an object with id, name and flow")
    salesbot_flow(f"{place}.flow", raw["flow"])
    bot_id, name = whole(1, WHOLE_MAX)(f"{place}.id", raw["id"]), filled(f"{place}.name", raw["name"])
    return {"id": bot_id, "name": name, "flow": raw["flow"]}


def _check_flow(place: str, value: object, *, widget: Flow | None) -> None:
    try:
        parse_flow(value, place=place, widget=widget)
    except FlowError as error:
        raise ConfigError(*error.args) from error
