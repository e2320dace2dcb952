"""Salesbot JSON read into typed handlers; what the stand-in does not know is refused by name and place.

A flow is a list (or an object keyed "0", "1", …) of steps, or such JSON as text; a step holds lists of handlers under
`question`, `answer` and `finish`. Source: protocol §3.1, §3.2, §3.3.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final

from sandbox.handlers import (
    Button,
    Comparison,
    Conditions,
    Exits,
    Flow,
    Goto,
    Handler,
    Jump,
    JumpType,
    Show,
    Step,
    WaitAnswer,
    Widget,
    WidgetRequest,
)

FLOW_MAX_BYTES: Final = 64 * 1024
NESTING_MAX: Final = 32
JUMP_TYPES: Final[tuple[JumpType, ...]] = ("question", "answer", "finish")
STEP_KEYS: Final = frozenset({*JUMP_TYPES, "require"})
OPERATIONS: Final = ("=", "!=")


class FlowError(ValueError):
    """A flow that cannot be run; the text gives the place inside it and the rule."""

    def __init__(self, place: str, rule: str) -> None:
        """Make the one line that a person reads."""
        super().__init__(f"{place}: {rule}")


def parse_flow(raw: object, *, place: str = "flow") -> Flow:
    """Read a flow from JSON text or from parsed JSON.

    Raises:
        FlowError: it is over 64 KB, malformed, jumps to a missing step, or uses a handler that is not known here.

    Source: protocol §3.1.
    """
    steps = _numbered(_decoded(raw, place), place)
    flow = Flow(tuple(_parse_step(step, f"{place}[{number}]") for number, step in enumerate(steps)))
    _check_jumps(flow, place)
    return flow


def parse_handlers(raw: object, place: str, *, depth: int = 0) -> tuple[Handler, ...]:
    """Read a list of `{"handler": …, "params": {…}}`.

    Raises:
        FlowError: an entry is malformed or its handler is not known here.
    """
    if not isinstance(raw, list):
        raise FlowError(place, "must be a list of handlers")
    if depth > NESTING_MAX:
        raise FlowError(place, f"must not nest handlers deeper than {NESTING_MAX}")
    return tuple(_parse_handler(item, f"{place}[{number}]", depth) for number, item in enumerate(raw))


def exit_codes(flow: Flow) -> tuple[str, ...]:
    """List the exit codes that a widget's flow uses, each once, in order."""
    codes = [handler.code for handler in _walk(flow) if isinstance(handler, Exits)]
    return tuple(dict.fromkeys(codes))


def _decoded(raw: object, place: str) -> object:
    if not isinstance(raw, str):
        try:
            raw = json.dumps(raw)
        except (TypeError, ValueError, RecursionError) as error:
            raise FlowError(place, "must be JSON") from error
    if len(raw.encode()) > FLOW_MAX_BYTES:
        raise FlowError(place, f"must not be larger than {FLOW_MAX_BYTES} bytes")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise FlowError(place, f"must be JSON ({error})") from error


def _numbered(raw: object, place: str) -> list[object]:
    if isinstance(raw, dict):
        wrong = next((key for number, key in enumerate(raw) if key != str(number)), None)
        if wrong is not None:
            raise FlowError(f"{place}.{wrong}", 'is not known here; steps are keyed "0", "1", … in order')
        raw = list(raw.values())
    if not isinstance(raw, list) or not raw:
        raise FlowError(place, "must be a list of steps with at least one step")
    return raw


def _parse_step(raw: object, place: str) -> Step:
    if not isinstance(raw, dict):
        raise FlowError(place, "must be an object")
    for key in raw.keys() - STEP_KEYS:
        raise FlowError(f"{place}.{key}", f"is not known here; a step has {', '.join(sorted(STEP_KEYS))}")
    return Step(**{key: parse_handlers(raw.get(key, []), f"{place}.{key}") for key in JUMP_TYPES})


def _parse_handler(raw: object, place: str, depth: int) -> Handler:
    if not isinstance(raw, dict) or not isinstance(raw.get("handler"), str):
        raise FlowError(place, 'must be an object with the text "handler"')
    name, params = raw["handler"], raw.get("params")
    if name not in PARSERS:
        raise FlowError(place, f'handler "{name}" is not known here; known are {", ".join(PARSERS)}')
    if not isinstance(params, dict):
        raise FlowError(f"{place}.params", "must be an object")
    return PARSERS[name](params, f"{place}.{name}", depth)


def _text(params: Mapping[str, object], key: str, place: str) -> str:
    value = params.get(key)
    if not isinstance(value, str):
        raise FlowError(f"{place}.{key}", "must be a text")
    return value


def _jump(raw: object, place: str) -> Jump:
    if not isinstance(raw, dict):
        raise FlowError(place, "must be an object with type and step")
    step = raw.get("step")
    if raw.get("type") not in JUMP_TYPES:
        raise FlowError(f"{place}.type", f"must be one of {', '.join(JUMP_TYPES)}")
    if isinstance(step, bool) or not isinstance(step, int):
        raise FlowError(f"{place}.step", "must be a whole number")
    return Jump(raw["type"], step)


def _parse_show(params: Mapping[str, object], place: str, _depth: int) -> Show:
    kind, value = params.get("type"), _text(params, "value", place)
    if kind == "text":
        return Show(value)
    if kind not in {"buttons", "buttons_url"}:
        raise FlowError(f"{place}.type", "must be one of text, buttons, buttons_url")
    buttons = params.get("buttons")
    if not isinstance(buttons, list) or not buttons:
        raise FlowError(f"{place}.buttons", "must be a list with at least one button")
    links = kind == "buttons_url"
    return Show(value, tuple(_parse_button(item, f"{place}.buttons[{n}]", links) for n, item in enumerate(buttons)))


def _parse_button(raw: object, place: str, links: bool) -> Button:  # noqa: FBT001 - one list comprehension calls it
    if isinstance(raw, str):
        return Button(raw, raw if links else "")
    if links and isinstance(raw, dict):
        return Button(_text(raw, "text", place), _text(raw, "url", place))
    raise FlowError(place, "must be a text" + (" or an object with text and url" if links else ""))


def _parse_goto(params: Mapping[str, object], place: str, _depth: int) -> Goto:
    return Goto(_jump(params, place))


def _parse_wait_answer(params: Mapping[str, object], place: str, _depth: int) -> WaitAnswer:
    return WaitAnswer(_jump(params, place))


def _parse_widget_request(params: Mapping[str, object], place: str, _depth: int) -> WidgetRequest:
    data = params.get("data", {})
    if not isinstance(data, dict):
        raise FlowError(f"{place}.data", "must be an object")
    return WidgetRequest(_text(params, "url", place), data)


def _parse_conditions(params: Mapping[str, object], place: str, depth: int) -> Conditions:
    logic, tests = params.get("logic"), params.get("conditions")
    if not isinstance(tests, list) or not tests:
        raise FlowError(f"{place}.conditions", "must be a list with at least one condition")
    parsed = tuple(_parse_comparison(item, f"{place}.conditions[{number}]") for number, item in enumerate(tests))
    result = parse_handlers(params.get("result"), f"{place}.result", depth=depth + 1)
    if logic == "and":
        return Conditions("and", parsed, result)
    if logic == "or":
        return Conditions("or", parsed, result)
    raise FlowError(f"{place}.logic", "must be one of and, or")


def _parse_comparison(raw: object, place: str) -> Comparison:
    if not isinstance(raw, dict):
        raise FlowError(place, "must be an object with term1, term2 and operation")
    if raw.get("operation") not in OPERATIONS:
        raise FlowError(f"{place}.operation", f"must be one of {', '.join(OPERATIONS)}")
    return Comparison(_text(raw, "term1", place), _text(raw, "term2", place), raw["operation"])


def _parse_exits(params: Mapping[str, object], place: str, _depth: int) -> Exits:
    return Exits(_text(params, "value", place))


def _parse_widget(params: Mapping[str, object], place: str, depth: int) -> Widget:
    exits = params.get("exits")
    if not isinstance(exits, dict):
        raise FlowError(f"{place}.exits", "must be an object of exit codes")
    if depth:
        raise FlowError(place, "must not stand inside another handler")
    flow = parse_flow(params.get("widget_source"), place=f"{place}.widget_source")
    if any(isinstance(handler, Widget) for handler in _walk(flow)):
        raise FlowError(f"{place}.widget_source", "must not hold a Widget step")
    return Widget(flow, {str(code): _jump(jump, f"{place}.exits.{code}") for code, jump in exits.items()})


PARSERS: Final[dict[str, Callable[[Mapping[str, object], str, int], Handler]]] = {
    "show": _parse_show,
    "goto": _parse_goto,
    "wait_answer": _parse_wait_answer,
    "widget_request": _parse_widget_request,
    "conditions": _parse_conditions,
    "exits": _parse_exits,
    "widget": _parse_widget,
}


def _walk(flow: Flow) -> list[Handler]:
    """List every handler of the flow, those inside conditions too, but not inside widgets."""
    found: list[Handler] = []
    left = [handler for step in flow.steps for part in (step.question, step.answer, step.finish) for handler in part]
    while left:
        handler = left.pop(0)
        found.append(handler)
        left[:0] = handler.result if isinstance(handler, Conditions) else ()
    return found


def _check_jumps(flow: Flow, place: str) -> None:
    for handler in _walk(flow):
        jumps = [handler.jump] if isinstance(handler, Goto | WaitAnswer) else []
        if isinstance(handler, Widget):
            jumps = list(handler.exits.values())
        for jump in jumps:
            if flow.handlers_at(jump) is None:
                raise FlowError(place, f"has no step {jump.step}, but a handler goes there")
