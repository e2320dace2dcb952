"""Readers of the handlers that decide which way a Salesbot goes.

Source: protocol §3.2 (`condition`, `conditions`, `validations`, `buttons`), §3.3 (synonyms, `type: else`, `waits`).
"""

import re
from typing import Final

from sandbox.salesbot.comparing import OPERATIONS, VALIDATION_OPERATIONS, VALIDATION_TYPES, compiled
from sandbox.salesbot.handlers import Buttons, Choice, Comparison, Conditions, Jump, Pause, Validation, Validations
from sandbox.salesbot.reading import Asked, FlowError, Params, Reading, as_object, as_text, known_only, read_jump

PAUSE_MAX_SECONDS: Final = 8760 * 3600  # protocol §3.3
PATTERN_MAX_CHARS: Final = 500


def read_condition(params: Params, place: str, reading: Reading) -> Conditions:
    """Read `condition`: one test."""
    known_only(params, {"term1", "term2", "operation", "result"}, place)
    test = _read_comparison({key: value for key, value in params.items() if key != "result"}, place)
    return Conditions("and", (test,), reading.nested(params.get("result"), f"{place}.result"))


def read_conditions(params: Params, place: str, reading: Reading) -> Conditions:
    """Read `conditions`: several tests."""
    known_only(params, {"logic", "conditions", "result"}, place)
    asked = Asked(params, place)
    listed = asked.items("conditions", "condition")
    tests = tuple(_read_comparison(item, f"{place}.conditions[{number}]") for number, item in enumerate(listed))
    result = reading.nested(params.get("result"), f"{place}.result")
    return Conditions(asked.logic(), tests, result)


def read_validations(params: Params, place: str, reading: Reading) -> Validations:
    """Read `validations`: checks of what the customer gave."""
    known_only(params, {"logic", "conditions", "result"}, place)
    asked = Asked(params, place)
    listed = asked.items("conditions", "condition")
    tests = tuple(_read_validation(item, f"{place}.conditions[{number}]") for number, item in enumerate(listed))
    return Validations(asked.logic(), tests, reading.nested(params.get("result"), f"{place}.result"))


def read_buttons(raw: object, place: str, reading: Reading) -> Buttons:
    """Read `buttons`, the one handler whose params are a list."""
    if not isinstance(raw, list) or not raw:
        raise FlowError(f"{place}.params", "must be a list with at least one choice")
    return Buttons(tuple(_read_choice(item, f"{place}[{number}]", reading) for number, item in enumerate(raw)))


def read_waits(params: Params, place: str, _reading: Reading) -> Pause:
    """Read `waits`, the designer's Pause. The shape of its timer is this sandbox's own: no export shows one."""
    known_only(params, {"logic", "conditions"}, place)
    asked = Asked(params, place)
    listed = asked.items("conditions", "condition")
    if asked.logic() == "and" and len(listed) > 1:
        raise FlowError(f"{place}.logic", "must be or: a pause that waits for several things at once is not known here")
    on_message, on_timer, seconds = None, None, 0.0
    for number, item in enumerate(listed):
        jump, timer = _read_event(item, f"{place}.conditions[{number}]")
        if timer is None:
            on_message = jump
        else:
            on_timer, seconds = jump, timer
    return Pause(on_message, on_timer, seconds)


def _read_event(raw: object, place: str) -> tuple[Jump, float | None]:
    """Read one condition of a pause: where it goes, and the seconds when it is a timer."""
    params = as_object(raw, place)
    known_only(params, {"event", "action"}, place)
    event = as_object(params.get("event"), f"{place}.event")
    jump = read_jump(params.get("action"), f"{place}.action")
    match event:
        case {"source": "message", "action": "received", **rest} if not rest:
            return jump, None
        case {"source": "message_received", **rest} if not rest:
            return jump, None
        case {"source": "timer", "value": value, **rest} if not rest:
            return jump, _read_seconds(value, f"{place}.event.value")
    known = "message (received), message_received, timer (value in seconds)"
    raise FlowError(f"{place}.event", f"is not known here; known are {known}")


def _read_seconds(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= PAUSE_MAX_SECONDS:
        raise FlowError(place, f"must be more than 0 and at most {PAUSE_MAX_SECONDS} seconds (8760 hours)")
    return float(value)


def _read_comparison(raw: object, place: str) -> Comparison:
    if not isinstance(raw, dict):
        raise FlowError(place, "must be an object with term1, term2 and operation")
    known_only(raw, {"term1", "term2", "operation"}, place)
    asked = Asked(raw, place)
    operation = asked.one_of("operation", OPERATIONS)
    term2 = raw.get("term2")
    if isinstance(term2, list) and operation in {"in", "not_in", "in_range"}:
        listed = tuple(as_text(item, f"{place}.term2") for item in term2)
        return Comparison(asked.text("term1"), listed, operation)
    return Comparison(asked.text("term1"), as_text(term2, f"{place}.term2"), operation)


def _read_validation(raw: object, place: str) -> Validation:
    params = as_object(raw, place)
    known_only(params, {"client_value", "type", "condition_value", "operation"}, place)
    asked = Asked(params, place)
    kind = asked.one_of("type", VALIDATION_TYPES)
    wanted = params.get("condition_value", "")
    condition = "-".join(str(part) for part in wanted) if isinstance(wanted, list) else as_text(wanted, place)
    if kind == "regex":
        _check_pattern(condition, f"{place}.condition_value")
    operation = asked.one_of("operation", VALIDATION_OPERATIONS) if kind == "simple" else ""
    return Validation(asked.text("client_value"), kind, condition, operation)


def _read_choice(raw: object, place: str, reading: Reading) -> Choice:
    params = as_object(raw, place)
    known_only(params, {"value", "regex", "type", "synonyms", "params"}, place)
    asked = Asked(params, place)
    handlers = reading.nested(params.get("params"), f"{place}.params")
    if params.get("type") == "else":
        return Choice((), "", handlers)
    if "type" in params:
        raise FlowError(f"{place}.type", "must be else")
    if "regex" in params:
        _check_pattern(asked.text("regex"), f"{place}.regex")
        return Choice((), asked.text("regex"), handlers)
    synonyms = params.get("synonyms", [])
    if not isinstance(synonyms, list) or not all(isinstance(word, str) for word in synonyms):
        raise FlowError(f"{place}.synonyms", "must be a list of texts")
    return Choice((asked.text("value"), *synonyms), "", handlers)


def _check_pattern(pattern: str, place: str) -> None:
    if len(pattern) > PATTERN_MAX_CHARS:
        raise FlowError(place, f"must not be longer than {PATTERN_MAX_CHARS} characters")
    try:
        compiled(pattern)
    except re.error as error:
        raise FlowError(place, f"must be a regular expression ({error})") from error
