"""Runs one Salesbot: takes typed handlers one by one until the bot has to wait, and says what happened.

The machine is plain and synchronous: it knows no clock, socket or chat. Whoever owns it passes in what the customer
wrote, that a timer ran out or what a continue brought, and acts on the effects that come back. What a message meets on
its channel and what an action does to the CRM it asks of its `Surroundings`. Source: protocol §3, §4.7, §1.6.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sandbox.salesbot.comparing import choose, compare, validate
from sandbox.salesbot.effects import Chosen, Effect, Ended, Jumped, Left, Listening, Requested, Shown, Weighed
from sandbox.salesbot.handlers import (
    Act,
    Button,
    Buttons,
    Comparison,
    Conditions,
    Exits,
    Flow,
    Goto,
    Handler,
    Jump,
    Pause,
    Show,
    Stop,
    Validation,
    Validations,
    WaitAnswer,
    Widget,
    WidgetRequest,
)
from sandbox.salesbot.placeholders import Values, resolve, resolve_all, unresolved
from sandbox.salesbot.surroundings import Nowhere, Surroundings

HANDLERS_MAX: Final = 1_000  # between two waits; a flow that needs more goes round in circles
START: Final = Jump("question", 0)
ACCEPT: Final = Act("unsorted", {"value": "accept"})


class Waits(StrEnum):
    """What a bot can be waiting for."""

    MESSAGE = "message"
    TIMER = "timer"  # alone; a pause that also listens waits for a message
    CONTINUE = "continue"


class NotWaiting(RuntimeError):
    """The machine was given something that it does not wait for."""


@dataclass(slots=True)
class _Frame:
    handlers: tuple[Handler, ...]
    next: int = 0
    step: int | None = None  # of a `question` list: its step's `answer` follows the customer's reply
    is_error: bool = False


@dataclass(slots=True)
class _Level:
    """One flow being run: the bot's own, or that of the Widget step it stands in."""

    flow: Flow
    exits: Mapping[str, Jump] | None = None
    frames: list[_Frame] = field(default_factory=list)


class Machine:
    """One run of a Salesbot, from its first step until it ends."""

    def __init__(self, flow: Flow, values: Values, surroundings: Surroundings | None = None) -> None:
        """Stand before the first step; `start` sets it going."""
        self.flow = flow
        self.values = values
        self.waits_for: Waits | None = None
        self._surroundings = surroundings or Nowhere()
        self._levels = [_Level(flow)]
        self._pause: Pause | None = None
        self._effects: list[Effect] = []

    @property
    def timer_seconds(self) -> float | None:
        """Give the length of the timer that the bot waits for now; None without one."""
        return self._pause.seconds if self._pause and self._pause.on_timer else None

    def start(self, at: Jump = START) -> list[Effect]:
        """Run from a step until the bot waits or ends."""
        self._jump(at)
        return self._run()

    def take_message(self, text: str) -> list[Effect]:
        """Go on with what the customer wrote.

        Raises:
            NotWaiting: the bot does not listen now.
        """
        if self.waits_for is not Waits.MESSAGE or self._pause is None or self._pause.on_message is None:
            raise NotWaiting("the bot does not listen")
        self.values.message_text = text
        self._jump(self._pause.on_message)
        return self._run()

    def take_timeout(self) -> list[Effect]:
        """Go on because the timer of the pause ran out.

        Raises:
            NotWaiting: the bot waits for no timer.
        """
        if self._pause is None or self._pause.on_timer is None:
            raise NotWaiting("the bot waits for no timer")
        self._jump(self._pause.on_timer)
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
        self.waits_for, self._pause, self._effects = None, None, []
        for _ in range(HANDLERS_MAX):
            handler = self._next_handler()
            if self._is_paused():
                return self._effects
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
            done = frames.pop()
            if done.step is not None and self._level.flow.steps[done.step].answer:
                self._wait(Pause(Jump("answer", done.step)))  # a step with an answer hears one (protocol §3.1)
                return None
        if not frames:
            return None
        frames[-1].next += 1
        return frames[-1].handlers[frames[-1].next - 1]

    def _execute(self, handler: Handler) -> None:
        match handler:
            case Show():
                self._show(handler)
            case Act():
                self._effects.append(self._surroundings.act(Act(handler.name, self._resolved(handler.params))))
            case WidgetRequest():
                self.waits_for = Waits.CONTINUE
                self._effects.append(Requested(resolve(handler.url, self.values), self._resolved(handler.data)))
            case WaitAnswer():
                self._wait(Pause(handler.jump))
            case Pause():
                self._wait(handler)
            case _:
                self._branch(handler)

    def _branch(self, handler: Conditions | Validations | Buttons | Goto | Exits | Stop | Widget) -> None:
        match handler:
            case Conditions() | Validations():
                self._weigh(handler)
            case Buttons():
                self._choose(handler)
            case Stop(action=action, bot=bot):
                self._end("Its flow stopped it.", Ended("Its flow stopped it.", action, bot, wanted=True))
            case Goto():
                self._effects.append(Jumped(handler.jump))
                self._jump(handler.jump)
            case Exits():
                self._leave(handler.code)
            case Widget():
                self._levels.append(_Level(handler.flow, handler.exits))
                self._jump(START)

    def _wait(self, pause: Pause) -> None:
        self._pause = pause
        self.waits_for = Waits.MESSAGE if pause.on_message else Waits.TIMER
        self._effects.append(Listening(pause.on_message is not None, pause.seconds if pause.on_timer else None))

    def _show(self, handler: Show) -> None:
        text = resolve(handler.value, self.values)
        buttons = tuple(Button(resolve(b.text, self.values), resolve(b.url, self.values)) for b in handler.buttons)
        buttons += tuple(Button(f"({kind})") for kind in handler.quick_replies)
        seen = "\n".join([text, *(button.text for button in buttons)])
        shown = self._surroundings.deliver(Shown(text, buttons, unresolved(seen), handler.attachments))
        self._effects.append(shown)
        if handler.accepts_unsorted and (acted := self._surroundings.act(ACCEPT)).worked:
            self._effects.append(acted)
        if shown.failed:
            self._run_error_handlers()

    def _run_error_handlers(self) -> None:
        """Run the flow's own `error` handlers, or else the outer flow's, which leaves the Widget step."""
        if any(frame.is_error for level in self._levels for frame in level.frames):
            return  # a failure inside them does not start them again
        while not self._level.flow.error and len(self._levels) > 1 and self.flow.error:
            self._levels.pop()
        if self._level.flow.error:
            self._level.frames.append(_Frame(self._level.flow.error, is_error=True))

    def _resolved(self, params: Mapping[str, object]) -> dict[str, object]:
        return {key: resolve_all(item, self.values) for key, item in params.items()}

    def _weigh(self, handler: Conditions | Validations) -> None:
        tested = [self._test(test) for test in handler.tests]
        holds = all(ok for _, ok in tested) if handler.logic == "and" else any(ok for _, ok in tested)
        if isinstance(handler, Validations):
            self.values.last_validation = "1" if holds else "0"
        self._effects.append(Weighed(tuple(terms for terms, _ in tested), holds))
        if holds:
            self._level.frames.append(_Frame(handler.result))

    def _test(self, test: Comparison | Validation) -> tuple[tuple[str, str, str], bool]:
        return self._compare(test) if isinstance(test, Comparison) else self._validate(test)

    def _compare(self, test: Comparison) -> tuple[tuple[str, str, str], bool]:
        listed = (test.term2,) if isinstance(test.term2, str) else test.term2
        right = tuple(value for term in listed for value in self.values.term(term))
        return (test.term1, test.operation, ", ".join(right)), compare(
            self.values.term(test.term1), test.operation, right
        )

    def _validate(self, test: Validation) -> tuple[tuple[str, str, str], bool]:
        value, condition = resolve(test.client_value, self.values), resolve(test.condition, self.values)
        holds = validate(value, kind=test.type, operation=test.operation, condition=condition)
        return (value, f"{test.type} {test.operation}".strip(), condition), holds

    def _choose(self, handler: Buttons) -> None:
        choice = choose(handler.choices, self.values.message_text)
        named = (choice.words[0] if choice.words else choice.pattern or "anything else") if choice else None
        self._effects.append(Chosen(named))
        if choice:
            self._level.frames.append(_Frame(choice.handlers))

    def _jump(self, jump: Jump) -> None:
        handlers = self._level.flow.handlers_at(jump)
        if handlers is None:
            self._end(f"It was sent to step {jump.step}, which the flow does not have.")
        else:
            self._level.frames = [_Frame(handlers, step=jump.step if jump.type == "question" else None)]

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

    def _end(self, reason: str, ended: Ended | None = None) -> None:
        self._levels.clear()
        self._effects.append(ended or Ended(reason))
