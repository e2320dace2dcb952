"""A Salesbot to import into Kommo: it hears the customer, lets the Widget step answer, and listens again.

The file is one that the designer itself exports: the flow as text, and beside it where each block is drawn. Blocks, in
the order of their steps:

- Message, only with a greeting. Without one the Widget step comes first, because the message that starts a Salesbot
  would stay unanswered before a Pause.
- Pause until the customer writes.
- Widget. Its exits success and silent lead back to the Pause; handoff and fail lead to the end "for a person": from
  then on the chat is theirs, and the Salesbot speaks again when somebody or its trigger starts it.
- two ends, one for a person and one for silence, so that the owner can put something of their own before either.

The Pause has a safety exit, a timer. A Pause that is drawn by hand gets one of one minute that leads nowhere, and with
it the Salesbot ends after a minute without a word to anybody; this one waits for days and then ends by a block that can
be seen. The JSON of a timer isn't known from any export [U]: who finds it missing after the import sets it by hand.

What a widget is called inside an account isn't known outside of it. So the Widget step comes without its ids, unless
they are given, and has to be opened, chosen and saved once after the import; that also puts the widget's flow into the
Salesbot.

Source: protocol §3.3, §4.4, §4.7.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from bots.widget.packing import CannotBuild
from kommobridge.base.faults import Fault

SILENCE_DAYS: Final = 30
SILENCE_DAYS_MAX: Final = 365  # Kommo's longest Pause has 8760 hours
GREETING_MAX_CHARS: Final = 1000
DAY_SECONDS: Final = 24 * 3600

MESSAGE, PAUSE, WIDGET, PERSON, SILENCE = "Message", "Pause", "Widget", "For a person", "After silence"
WITH_GREETING: Final = (MESSAGE, PAUSE, WIDGET, PERSON, SILENCE)
WITHOUT_GREETING: Final = (WIDGET, PAUSE, PERSON, SILENCE)
ENDS: Final = (PERSON, SILENCE)
LEADS_TO: Final = {"success": PAUSE, "handoff": PERSON, "silent": PAUSE, "fail": PERSON}

COLUMN_WIDTH: Final = 470  # between blocks on the designer's canvas, in pixels; a block has 400
BLOCK: Final = {"width": 400, "height": 150, "deletable": True}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """One block: its handlers in the flow, and how the designer draws it.

    Args:
        question: its handlers.
        actions: pairs of a handler as it is drawn, and its links.
        goto: the block behind it, when it isn't reached by a link.
    """

    question: list[Json]
    actions: list[tuple[Json, list[Json]]]
    goto: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which blocks there are; steps count from 0, the designer's blocks from 1, its own start being 0."""

    order: tuple[str, ...]

    def step(self, name: str) -> int:
        return self.order.index(name)

    def jump(self, name: str) -> Json:
        return {"type": "finish" if name in ENDS else "question", "step": self.step(name)}

    def link(self, name: str) -> Json:
        return {"block": self.step(name) + 1}


def build_salesbot(
    *,
    name: str,
    greeting: str = "",
    silence_days: int | None = SILENCE_DAYS,
    widget_code: str = "",
    widget_id: str = "",
    widget_instance_id: str = "",
) -> bytes:
    """Give the JSON file that the Salesbots' page of Kommo imports; the same arguments give the same bytes.

    Args:
        name: of the Salesbot.
        greeting: what it says first; empty: it answers the message that started it.
        silence_days: after how many days without a message it ends; None: it waits without an end.
        widget_code: what the account's Kommo calls the installed widget, where that is known.
        widget_id: likewise its number.
        widget_instance_id: likewise the id of the step.

    Raises:
        CannotBuild: naming the value that is wrong.

    Source: protocol §3.3.
    """
    _check(greeting, silence_days)
    plan = _Plan(WITH_GREETING if greeting else WITHOUT_GREETING)
    ids = {"widget_id": widget_id, "widget_instance_id": widget_instance_id}
    known = {key: value for key, value in ids.items() if value} | {"widget_source_code": widget_code}
    blocks = {
        MESSAGE: _message(plan, greeting),
        PAUSE: _pause(plan, silence_days),
        WIDGET: _widget(plan, known),
        PERSON: _end(),
        SILENCE: _end(),
    }
    flow: Json = {str(step): {"question": blocks[block].question} for step, block in enumerate(plan.order)}
    model = {
        "name": name,
        "type": 2,
        "text": json.dumps(flow | {"conversation": False}, ensure_ascii=False),
        "positions": json.dumps(_drawn(plan, blocks), ensure_ascii=False),
    }
    return f"{json.dumps({'type_functionality': 0, 'model': model}, indent=2, ensure_ascii=False)}\n".encode()


def _check(greeting: str, silence_days: int | None) -> None:
    if len(greeting) > GREETING_MAX_CHARS:
        rule = f"must not have more than {GREETING_MAX_CHARS} characters, and it has {len(greeting)}"
        raise CannotBuild(Fault("greeting", rule, "Shorten it."))
    if silence_days is not None and not 1 <= silence_days <= SILENCE_DAYS_MAX:
        rule = f"must be 1 to {SILENCE_DAYS_MAX}, and it is {silence_days}"
        raise CannotBuild(Fault("silence_days", rule, "Leave it out for a Salesbot that waits without an end."))


def _message(plan: _Plan, greeting: str) -> _Block:
    """Say the greeting on every channel of the contact: the ids of channels aren't known outside of the account."""
    send = _handler(
        "send_message",
        {
            "tag": "",
            "text": greeting,
            "type": "external",
            "on_error": None,
            "recipient": {"type": "main_contact"},
            "is_in_starting_block": True,
            "send_to_all_chat_sources": True,
            "chat_sources": [],
        },
    )
    return _Block(question=[send, _handler("goto", plan.jump(PAUSE))], actions=[(send, [])], goto=PAUSE)


def _pause(plan: _Plan, silence_days: int | None) -> _Block:
    ways: list[tuple[Json, str]] = [({"source": "message", "action": "received"}, WIDGET)]
    if silence_days is not None:
        ways.append(({"source": "timer", "value": silence_days * DAY_SECONDS}, SILENCE))
    conditions = [{"event": event, "action": plan.jump(block)} for event, block in ways]
    return _Block(
        question=[_handler("waits", {"logic": "or", "conditions": conditions})],
        actions=[(_handler("wait", {"event": event}), [plan.link(block)]) for event, block in ways],
    )


def _widget(plan: _Plan, known: Json) -> _Block:
    params = {"params": {"bot": "", "instruction": ""}, **known}
    exits = {code: plan.jump(block) for code, block in LEADS_TO.items()}
    links = [{"code": code, **plan.link(block)} for code, block in LEADS_TO.items()]
    return _Block(
        question=[_handler("widget", params | {"exits": exits})], actions=[(_handler("widget", params), links)]
    )


def _end() -> _Block:
    return _Block(question=[_handler("stop", [])], actions=[(_handler("_stop", []), [])])


def _handler(name: str, params: Json | list[Any]) -> Json:
    return {"handler": name, "params": params}


def _drawn(plan: _Plan, blocks: dict[str, _Block]) -> list[Json]:
    """Draw the start, the place for triggers, and the blocks side by side."""
    start = {"id": -3, "sort": 0, "links": [], "params": _handler("_start", [])}
    fixed: list[Json] = [
        {"id": 0, "type": "start", "step": -1, "goto": {"block": 1}, "actions": [start], "x": 0, "y": 0, "z": 1},
        {"id": -1, "type": "static", "code": "trigger", "step": -1, "actions": [], "x": -350, "y": 0, "z": 2},
    ]
    size = {"width": 170, "height": 38, "deletable": True}
    return [one | size for one in fixed] + [_drawn_block(plan, name, blocks[name]) for name in plan.order]


def _drawn_block(plan: _Plan, name: str, block: _Block) -> Json:
    step = plan.step(name)
    actions = [
        {"id": 100 + 10 * step + sort, "sort": sort, "links": links, "params": handler}
        for sort, (handler, links) in enumerate(block.actions)
    ]
    drawn = {"id": step + 1, "step": step, "name": name, "actions": actions, "type": plan.jump(name)["type"], **BLOCK}
    place = {"x": COLUMN_WIDTH * (step + 1), "y": 0, "z": step + 3}
    return drawn | place | ({"goto": plan.link(block.goto)} if block.goto else {})
