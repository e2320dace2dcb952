"""Runs one Salesbot: takes typed handlers one by one until the bot has to wait, and says what happened.

The machine is plain and synchronous: it knows no clock, socket or chat. Whoever owns it passes in what the customer
wrote or what a continue brought, and acts on the effects that come back. Source: protocol §3, §4.7, §1.6.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from sandbox.handlers import (
    Button,
    Comparison,
    Conditions,
    Exits,
    Flow,
    Goto,
    Handler,
    Jump,
    Show,
    WaitAnswer,
    Widget,
    WidgetRequest,
)
from sandbox.placeholders import Values, resolve, resolve_all, unresolved

HANDLERS_MAX: Final = 1_000  # between two waits; a flow that needs more goes round in circles


class Waits(StrEnum):
    """What a bot can be waiting for."""

    MESSAGE = "message"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Shown:
    """The customer sees a message; `leaked` are the placeholders that stayed unfilled in it."""

    text: str
    buttons: tuple[Button, ...]
    leaked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Requested:
    """The bot calls the integration's server and waits for its continue."""

    url: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Weighed:
    """A `conditions` handler was weighed; `terms` are its comparisons as the bot saw them."""

    terms: tuple[tuple[str, str, str], ...]
    holds: bool


@dataclass(frozen=True, slots=True)
class Jumped:
    """The bot went on at another place."""

    jump: Jump


@dataclass(frozen=True, slots=True)
class Listening:
    """The bot waits for the customer's next message."""


@dataclass(frozen=True, slots=True)
class Left:
    """The bot left the Widget step by an exit."""

    code: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The bot is over; `reason` is a sentence."""

    reason: str


Effect: TypeAlias = Shown | Requested | Weighed | Jumped | Listening | Left | Ended


class NotWaiting(RuntimeError):
    """The machine was given something that it does not wait for."""


@dataclass(slots=True)
class _Frame:
    handlers: tuple[Handler, ...]
    next: int = 0


@dataclass(slots=True)
class _Level:
    """One flow being run: the bot's own, or that of the Widget step it stands in."""

    flow: Flow
    exits: Mapping[str, Jump] | None = None
    frames: list[_Frame] = field(default_factory=list)


class Machine:
    """One run of a Salesbot, from its first step until it ends."""

    def __init__(self, flow: Flow, values: Values) -> None:
        """Stand before the first step; `start` sets it going."""
        self.flow = flow
        self.values = values
        self.waits_for: Waits | None = None
        self._levels = [_Level(flow)]
        self._after_message: Jump | None = None
        self._effects: list[Effect] = []

    def start(self) -> list[Effect]:
        """Run from the first step until the bot waits or ends."""
        self._jump(Jump("question", 0))
        return self._run()

    def take_message(self, text: str) -> list[Effect]:
        """Go on with what the customer wrote.

        Raises:
            NotWaiting: the bot does not listen now.
        """
        if self.waits_for is not Waits.MESSAGE or self._after_message is None:
            raise NotWaiting("the bot does not listen")
        self.values.message_text = text
        self._jump(self._after_message)
        return self._run()

    def take_continue(self, data: Mapping[str, object], handlers: tuple[Handler, ...]) -> list[Effect]:
        """Go on with what the integration's server sent; its handlers run before the flow goes on.

        Raises:
            NotWaiting: the bot waits for no continue.

        Source: protocol §2.1, §4.7.
        """
        if self.waits_for is not Waits.CONTINUE:
            raise NotWaiting("the bot waits for no continue")
        self.values.json = data
        self._level.frames.append(_Frame(handlers))
        return self._run()

    @property
    def _level(self) -> _Level:
        return self._levels[-1]

    def _run(self) -> list[Effect]:
        self.waits_for, self._effects = None, []
        for _ in range(HANDLERS_MAX):
            handler = self._next_handler()
            if handler is None:
                break
            self._execute(handler)
            if self._is_paused():
                return self._effects
        else:
            self._end(f"It ran {HANDLERS_MAX} handlers without a pause: the flow goes round in circles.")
            return self._effects
        inside = len(self._levels) > 1
        self._end("The Widget step ran out without an exit." if inside else "The flow has no further step.")
        return self._effects

    def _is_paused(self) -> bool:
        return self.waits_for is not None or not self._levels

    def _next_handler(self) -> Handler | None:
        frames = self._level.frames
        while frames and frames[-1].next >= len(frames[-1].handlers):
            frames.pop()
        if not frames:
            return None
        frames[-1].next += 1
        return frames[-1].handlers[frames[-1].next - 1]

    def _execute(self, handler: Handler) -> None:
        match handler:
            case Show():
                self._show(handler)
            case WidgetRequest():
                self._request(handler)
            case WaitAnswer():
                self._after_message, self.waits_for = handler.jump, Waits.MESSAGE
                self._effects.append(Listening())
            case Conditions():
                self._weigh(handler)
            case _:
                self._move(handler)

    def _move(self, handler: Goto | Exits | Widget) -> None:
        match handler:
            case Goto():
                self._effects.append(Jumped(handler.jump))
                self._jump(handler.jump)
            case Exits():
                self._leave(handler.code)
            case Widget():
                self._levels.append(_Level(handler.flow, handler.exits))
                self._jump(Jump("question", 0))

    def _show(self, handler: Show) -> None:
        text = resolve(handler.value, self.values)
        buttons = tuple(Button(resolve(b.text, self.values), resolve(b.url, self.values)) for b in handler.buttons)
        seen = "\n".join([text, *(button.text for button in buttons)])
        self._effects.append(Shown(text, buttons, unresolved(seen)))

    def _request(self, handler: WidgetRequest) -> None:
        data = {key: resolve_all(item, self.values) for key, item in handler.data.items()}
        self.waits_for = Waits.CONTINUE
        self._effects.append(Requested(resolve(handler.url, self.values), data))

    def _weigh(self, handler: Conditions) -> None:
        tested = [self._compare(test) for test in handler.tests]
        holds = all(ok for _, ok in tested) if handler.logic == "and" else any(ok for _, ok in tested)
        self._effects.append(Weighed(tuple(terms for terms, _ in tested), holds))
        if holds:
            self._level.frames.append(_Frame(handler.result))

    def _compare(self, test: Comparison) -> tuple[tuple[str, str, str], bool]:
        left, right = resolve(test.term1, self.values), resolve(test.term2, self.values)
        return (test.term1, test.operation, right), (left == right) is (test.operation == "=")

    def _jump(self, jump: Jump) -> None:
        handlers = self._level.flow.handlers_at(jump)
        if handlers is None:
            self._end(f"It was sent to step {jump.step}, which the flow does not have.")
        else:
            self._level.frames = [_Frame(handlers)]

    def _leave(self, code: str) -> None:
        exits = self._level.exits
        self._effects.append(Left(code))
        if exits is None:
            self._end("It met an exit outside a Widget step.")
        elif code not in exits:
            self._end(f'The exit "{code}" of the Widget step leads nowhere.')
        else:
            self._levels.pop()
            self._jump(exits[code])

    def _end(self, reason: str) -> None:
        self._levels.clear()
        self._effects.append(Ended(reason))
