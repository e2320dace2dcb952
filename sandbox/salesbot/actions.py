"""Readers of the handlers that change the CRM: `action` by its names, and `send_internal`.

What is documented but not run here is refused by name. Source: protocol §3.2.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sandbox.salesbot.handlers import Act
from sandbox.salesbot.reading import Asked, FlowError, Params, Reading, as_object, as_text, known_only

ENTITY_TYPES: Final = (1, 2)  # contact, lead
NOT_RUN: Final = ("add_lead_contact", "add_linked_company", "link", "link_to_unsorted")
Check = Callable[[object, str], None]


def read_action(params: Params, place: str, _reading: Reading) -> Act:
    """Read `action`: `{"name": …, "params": {…}}`."""
    known_only(params, {"name", "params"}, place)
    name = Asked(params, place).text("name")
    if name in NOT_RUN:
        raise FlowError(f"{place}.name", f'"{name}" is documented by Kommo but not run here; run are {_names()}')
    if name not in ACTIONS:
        raise FlowError(f"{place}.name", f'"{name}" is not known here; known are {_names()}')
    return _checked(name, as_object(params.get("params"), f"{place}.params"), f"{place}.{name}", ACTIONS[name])


def read_internal(params: Params, place: str, _reading: Reading) -> Act:
    """Read `send_internal`: a message in the team's own chat."""
    return _checked("send_internal", params, place, INTERNAL)


def _names() -> str:
    return ", ".join(ACTIONS)


def _checked(name: str, params: Params, place: str, checks: Mapping[str, Check]) -> Act:
    known_only(params, checks.keys(), place)
    for key, check in checks.items():
        check(params.get(key), f"{place}.{key}")
    return Act(name, dict(params))


def _text(value: object, place: str) -> None:
    as_text(value, place)


def _texts(value: object, place: str) -> None:
    for item in value if isinstance(value, list) else [value]:
        as_text(item, place)


def _one_of(*choices: object) -> Check:
    def check(value: object, place: str) -> None:
        if isinstance(value, bool) or value not in choices:
            raise FlowError(place, f"must be one of {', '.join(map(str, choices))}")

    return check


def _optional(check: Check) -> Check:
    return lambda value, place: None if value is None else check(value, place)


_entity = _one_of(*ENTITY_TYPES, "1", "2")
ACTIONS: Final[Mapping[str, Mapping[str, Check]]] = {
    "unsorted": {"value": _one_of("accept", "decline")},
    "change_status": {"value": _text},
    "set_tag": {"type": _entity, "value": _texts},
    "unset_tag": {"type": _entity, "value": _texts},
    "set_custom_fields": {
        "type": _entity,
        "value": _text,
        "custom_fields_id": _optional(_text),
        "custom_field": _optional(_text),
        "enum": _optional(_text),
        "option": _optional(_one_of("add")),
    },
    "set_budget": {"value": _text},
    "subscribe": {"type": _one_of("user", "group", "all"), "value": _optional(_text)},
    "unsubscribe": {"type": _one_of("user", "group", "all"), "value": _optional(_text)},
    "change_responsible_user": {"value": _text, "type": _optional(_text)},
    "add_note": {"element_type": _entity, "note_type": _one_of(4, "4"), "text": _text},
}
INTERNAL: Final[Mapping[str, Check]] = {
    "entity_id": _optional(_text),
    "entity_type": _optional(_one_of(2, "2")),
    "message": _text,
    "user_id": _optional(_text),
    "group_id": _optional(_text),
}
