"""Salesbot JSON read into typed handlers; what the stand-in does not know is refused by name and place.

A flow is a list (or an object keyed "0", "1", …) of steps, or such JSON as text, or the designer's export around it; a
step holds lists of handlers under `question`, `answer` and `finish`. Source: protocol §3.1, §3.2, §3.3.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from sandbox.salesbot import actions, branches, messages
from sandbox.salesbot.handlers import (
    Buttons,
    Conditions,
    Exits,
    Flow,
    Goto,
    Handler,
    Jump,
    Pause,
    Step,
    Stop,
    Validations,
    WaitAnswer,
    Widget,
    WidgetRequest,
)
from sandbox.salesbot.reading import (
    JUMP_TYPES,
    NESTING_MAX,
    Asked,
    FlowError,
    Params,
    Reading,
    as_object,
    as_text,
    known_only,
    read_jump,
)

__all__ = ["JUMP_TYPES", "FlowError", "exit_codes", "parse_flow", "parse_handlers", "parse_widget_flow"]

FLOW_MAX_BYTES: Final = 64 * 1024
EXPORT_MARK: Final = '"type_functionality"'
STEP_KEYS: Final = frozenset({*JUMP_TYPES, "require", "block_uuid"})
BESIDE_STEPS: Final = frozenset({"error", "conversation"})
WIDGET_KEYS: Final = frozenset(
    {"widget_source", "widget_id", "widget_source_code", "widget_instance_id", "params", "exits"}
)
NOT_RUN: Final = ("meta", "find", "filter", "preset")  # documented, and named when they are refused


def parse_flow(raw: object, *, place: str = "flow", widget: Flow | None = None) -> Flow:
    """Read a flow from JSON text, from parsed JSON, or out of a designer's export.

    Args:
        raw: the flow.
        place: how errors name it.
        widget: the flow of the account's widget, for Widget steps that bring none of their own.

    Raises:
        FlowError: it is over 64 KB, malformed, jumps to a missing step, or uses a handler that is not known here.

    Source: protocol §3.1, §3.3.
    """
    return _read_flow(raw, place, Reading(_read_handlers, _read_flow, widget=widget))


def parse_widget_flow(raw: object, *, place: str) -> Flow:
    """Read a Widget step's own flow, in which no Widget step may stand.

    Raises:
        FlowError: as of `parse_flow`.
    """
    return _read_flow(raw, place, Reading(_read_handlers, _read_flow, in_widget=True))


def parse_handlers(raw: object, place: str) -> tuple[Handler, ...]:
    """Read a list of `{"handler": …, "params": {…}}`.

    Raises:
        FlowError: an entry is malformed or its handler is not known here.
    """
    return _read_handlers(raw, place, Reading(_read_handlers, _read_flow))


def exit_codes(flow: Flow) -> tuple[str, ...]:
    """List the exit codes that a widget's flow uses, each once, in order."""
    codes = [handler.code for handler in _walk(flow) if isinstance(handler, Exits)]
    return tuple(dict.fromkeys(codes))


def _read_flow(raw: object, place: str, reading: Reading) -> Flow:
    steps, error = _parts(_opened(raw, place), place)
    flow = Flow(
        tuple(_read_step(step, f"{place}[{number}]", reading) for number, step in enumerate(steps)),
        _read_handlers(error, f"{place}.error", reading),
    )
    _check_jumps(flow, place)
    return flow


def _opened(raw: object, place: str) -> object:
    """Give the parsed flow; out of an export file it is taken first. Source: protocol §3.1 (64 KB), §3.3 (export)."""
    text = _as_text(raw, place)
    match _loaded(text, place) if EXPORT_MARK in text else None:
        case {"type_functionality": _, "model": {"text": str(inside)}}:
            text, place = inside, f"{place}.model.text"
    if len(text.encode("utf-8", "surrogatepass")) > FLOW_MAX_BYTES:
        raise FlowError(place, f"must not be larger than {FLOW_MAX_BYTES} bytes")
    return _loaded(text, place)


def _as_text(raw: object, place: str) -> str:
    try:
        return raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise FlowError(place, "must be JSON") from error


def _loaded(text: str, place: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FlowError(place, f"must be JSON ({error})") from error


def _parts(raw: object, place: str) -> tuple[list[object], object]:
    """Give the steps in order, and the handlers for messages that could not be delivered."""
    error: object = []
    if isinstance(raw, dict):
        error = raw.get("error", [])
        steps = {key: value for key, value in raw.items() if key not in BESIDE_STEPS}
        wanted = [str(number) for number in range(len(steps))]
        for key in steps.keys() - set(wanted):
            raise FlowError(f"{place}.{key}", 'is not known here; steps are keyed "0", "1", … without a gap')
        raw = [steps[key] for key in wanted]
    if not isinstance(raw, list) or not raw:
        raise FlowError(place, "must be a list of steps with at least one step")
    return raw, error


def _read_step(raw: object, place: str, reading: Reading) -> Step:
    if not isinstance(raw, dict):
        raise FlowError(place, "must be an object")
    known_only(raw, STEP_KEYS, place)
    if raw.get("require", []) != []:
        raise FlowError(f"{place}.require", "must be an empty list")
    parts = {key: _read_handlers(raw.get(key, []), f"{place}.{key}", reading) for key in JUMP_TYPES}
    return Step(question=parts["question"], answer=parts["answer"], finish=parts["finish"])


def _read_handlers(raw: object, place: str, reading: Reading) -> tuple[Handler, ...]:
    if not isinstance(raw, list):
        raise FlowError(place, "must be a list of handlers")
    if reading.depth > NESTING_MAX:
        raise FlowError(place, f"must not nest handlers deeper than {NESTING_MAX}")
    return tuple(_read_handler(item, f"{place}[{number}]", reading) for number, item in enumerate(raw))


def _read_handler(raw: object, place: str, reading: Reading) -> Handler:
    if not isinstance(raw, dict) or not isinstance(raw.get("handler"), str):
        raise FlowError(place, 'must be an object with the text "handler"')
    known_only(raw, {"handler", "params"}, place)
    name = raw["handler"]
    if name == "buttons":
        return branches.read_buttons(raw.get("params"), f"{place}.buttons", reading)
    if name not in READERS:
        known = ", ".join((*READERS, "buttons"))
        why = "is documented by Kommo but not run here; run are" if name in NOT_RUN else "is not known here; known are"
        raise FlowError(place, f'handler "{name}" {why} {known}')
    return READERS[name](as_object(raw.get("params"), f"{place}.params"), f"{place}.{name}", reading)


def _read_goto(params: Params, place: str, _reading: Reading) -> Goto:
    return Goto(read_jump(params, place))


def _read_wait_answer(params: Params, place: str, _reading: Reading) -> WaitAnswer:
    return WaitAnswer(read_jump(params, place))


def _read_widget_request(params: Params, place: str, _reading: Reading) -> WidgetRequest:
    known_only(params, {"url", "data"}, place)
    data = as_object(params.get("data", {}), f"{place}.data")
    return WidgetRequest(Asked(params, place).text("url"), data)


def _read_exits(params: Params, place: str, _reading: Reading) -> Exits:
    known_only(params, {"value"}, place)
    return Exits(Asked(params, place).text("value"))


def _read_stop(params: Params, place: str, _reading: Reading) -> Stop:
    known_only(params, {"action", "bot"}, place)
    match params.get("action", ""):
        case "":
            return Stop()
        case "talk-close":
            return Stop("talk-close")
        case "salesbot-start":
            bot = as_text(params.get("bot"), f"{place}.bot")
            if not (bot.isascii() and bot.isdigit()):
                raise FlowError(f"{place}.bot", "must be the number of a bot")
            return Stop("salesbot-start", int(bot))
    raise FlowError(f"{place}.action", "must be one of talk-close, salesbot-start")


def _read_widget(params: Params, place: str, reading: Reading) -> Widget:
    known_only(params, WIDGET_KEYS, place)
    exits = as_object(params.get("exits"), f"{place}.exits")
    if reading.depth:
        raise FlowError(place, "must not stand inside another handler")
    if reading.in_widget:
        raise FlowError(place, "must not stand inside a widget's own flow: a widget must not hold a Widget step")
    jumps = {str(code): read_jump(jump, f"{place}.exits.{code}") for code, jump in exits.items()}
    return Widget(_widget_flow(params, place, reading), jumps)


def _widget_flow(params: Params, place: str, reading: Reading) -> Flow:
    """Give a Widget step's own flow: the one that is written into it, else that of the widget it names."""
    if "widget_source" in params:
        inside = replace(reading, in_widget=True, depth=0)
        return reading.read_flow(params["widget_source"], f"{place}.widget_source", inside)
    if "widget_source_code" not in params:
        raise FlowError(f"{place}.widget_source", "is required, or widget_source_code to name an installed widget")
    if reading.widget is None:
        raise FlowError(f"{place}.widget_source_code", "names a widget, but none is installed here")
    return reading.widget


READERS: Final[dict[str, Callable[[Params, str, Reading], Handler]]] = {
    "show": messages.read_show,
    "goto": _read_goto,
    "wait_answer": _read_wait_answer,
    "widget_request": _read_widget_request,
    "condition": branches.read_condition,
    "conditions": branches.read_conditions,
    "validations": branches.read_validations,
    "waits": branches.read_waits,
    "exits": _read_exits,
    "stop": _read_stop,
    "action": actions.read_action,
    "send_message": messages.read_send_message,
    "send_external_message": messages.read_external_message,
    "send_internal": actions.read_internal,
    "widget": _read_widget,
}


def _walk(flow: Flow) -> Iterator[Handler]:
    """Give every handler of the flow, nested ones too, but not those inside widgets."""
    left = [*flow.error, *(handler for step in flow.steps for part in _lists(step) for handler in part)]
    while left:
        handler = left.pop(0)
        yield handler
        if isinstance(handler, Conditions | Validations):
            left[:0] = handler.result
        if isinstance(handler, Buttons):
            left[:0] = [inner for choice in handler.choices for inner in choice.handlers]


def _lists(step: Step) -> tuple[tuple[Handler, ...], ...]:
    return step.question, step.answer, step.finish


def _jumps(handler: Handler) -> list[Jump]:
    match handler:
        case Goto(jump=jump) | WaitAnswer(jump=jump):
            return [jump]
        case Pause(on_message=on_message, on_timer=on_timer):
            return [jump for jump in (on_message, on_timer) if jump]
        case Widget(exits=exits):
            return list(exits.values())
    return []


def _check_jumps(flow: Flow, place: str) -> None:
    for jump in (jump for handler in _walk(flow) for jump in _jumps(handler)):
        if flow.handlers_at(jump) is None:
            raise FlowError(place, f"has no step {jump.step}, but a handler goes there")
