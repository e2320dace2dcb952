"""The handlers that a Salesbot here can run, as typed values.

Source: protocol §3.1, §3.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

JumpType = Literal["question", "answer", "finish"]


@dataclass(frozen=True, slots=True)
class Jump:
    """A place in a flow: one list of handlers of one step."""

    type: JumpType
    step: int


@dataclass(frozen=True, slots=True)
class Button:
    """A choice under a message; `url` is empty unless it is a link."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Show:
    """Say something to the customer; placeholders in `value` are filled when it runs."""

    value: str
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Goto:
    """Go on at another place of the same flow."""

    jump: Jump


@dataclass(frozen=True, slots=True)
class WaitAnswer:
    """Pause until the customer writes, then go on at `jump`."""

    jump: Jump


@dataclass(frozen=True, slots=True)
class WidgetRequest:
    """Call the integration's server and pause until its continue. `data` is JSON with placeholders in its texts."""

    url: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of two texts after their placeholders are filled."""

    term1: str
    term2: str
    operation: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """Run `result` when all (`and`) or any (`or`) of the tests hold."""

    logic: Literal["and", "or"]
    tests: tuple[Comparison, ...]
    result: tuple["Handler", ...]


@dataclass(frozen=True, slots=True)
class Exits:
    """Leave the Widget step by one of its exits."""

    code: str


@dataclass(frozen=True, slots=True)
class Widget:
    """Run a widget's own flow; `exits` says where the outer flow goes on."""

    flow: "Flow"
    exits: Mapping[str, Jump]


Handler: TypeAlias = Show | Goto | WaitAnswer | WidgetRequest | Conditions | Exits | Widget


@dataclass(frozen=True, slots=True)
class Step:
    """The handler lists of one step."""

    question: tuple[Handler, ...] = ()
    answer: tuple[Handler, ...] = ()
    finish: tuple[Handler, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """Steps numbered from 0."""

    steps: tuple[Step, ...]

    def handlers_at(self, jump: Jump) -> tuple[Handler, ...] | None:
        """Give the handlers of a place, or None when the flow has no such step."""
        if not 0 <= jump.step < len(self.steps):
            return None
        step = self.steps[jump.step]
        return {"question": step.question, "answer": step.answer, "finish": step.finish}[jump.type]
