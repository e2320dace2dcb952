"""The handlers that a Salesbot here can run, as typed values.

Source: protocol §3.1, §3.2, §3.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

JumpType = Literal["question", "answer", "finish"]
Logic = Literal["and", "or"]
Json: TypeAlias = Mapping[str, object]


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
    """Say something to the customer; placeholders in its texts are filled when it runs.

    Args:
        value: the text.
        buttons: choices or links below it.
        attachments: what goes along, by name or file id (`send_message` only).
        quick_replies: questions for the customer's own phone or e-mail address.
        accepts_unsorted: whether the incoming lead is accepted by it.
    """

    value: str
    buttons: tuple[Button, ...] = ()
    attachments: tuple[str, ...] = ()
    quick_replies: tuple[str, ...] = ()
    accepts_unsorted: bool = False


@dataclass(frozen=True, slots=True)
class Goto:
    """Go on at another place of the same flow."""

    jump: Jump


@dataclass(frozen=True, slots=True)
class WaitAnswer:
    """Pause until the customer writes, then go on at `jump`."""

    jump: Jump


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for what comes first: a message, or the end of a time.

    Args:
        on_message: where it goes on when the customer writes; None when it does not listen.
        on_timer: where it goes on when the time is over; None without a timer.
        seconds: the timer's length.
    """

    on_message: Jump | None
    on_timer: Jump | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class WidgetRequest:
    """Call the integration's server and pause until its continue. `data` is JSON with placeholders in its texts."""

    url: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of two terms after their placeholders are filled; `term2` may be a list."""

    term1: str
    term2: str | tuple[str, ...]
    operation: str


@dataclass(frozen=True, slots=True)
class Validation:
    """One check of what the customer gave; `condition` is a text, a number or a range as text."""

    client_value: str
    type: str
    condition: str
    operation: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """Run `result` when all (`and`) or any (`or`) of the tests hold."""

    logic: Logic
    tests: tuple[Comparison, ...]
    result: tuple["Handler", ...]


@dataclass(frozen=True, slots=True)
class Validations:
    """Run `result` when the checks hold; whether they did stays in `{{last_validation_result}}`."""

    logic: Logic
    tests: tuple[Validation, ...]
    result: tuple["Handler", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One branch on the customer's reply: by words, by pattern, or (with neither) for anything else."""

    words: tuple[str, ...]
    pattern: str
    handlers: tuple["Handler", ...]


@dataclass(frozen=True, slots=True)
class Buttons:
    """Branch on the customer's reply; the first choice that fits runs."""

    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Exits:
    """Leave the Widget step by one of its exits."""

    code: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End the bot; before that close the talk, or let another bot start."""

    action: Literal["", "talk-close", "salesbot-start"] = ""
    bot: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """Change something in the CRM; placeholders in `params` are filled when it runs."""

    name: str
    params: Json


@dataclass(frozen=True, slots=True)
class Widget:
    """Run a widget's own flow; `exits` says where the outer flow goes on."""

    flow: "Flow"
    exits: Mapping[str, Jump]


Handler: TypeAlias = (
    Show | Goto | WaitAnswer | Pause | WidgetRequest | Conditions | Validations | Buttons | Exits | Stop | Act | Widget
)


@dataclass(frozen=True, slots=True)
class Step:
    """The handler lists of one step."""

    question: tuple[Handler, ...] = ()
    answer: tuple[Handler, ...] = ()
    finish: tuple[Handler, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """Steps numbered from 0; `error` runs when a message could not be delivered."""

    steps: tuple[Step, ...]
    error: tuple[Handler, ...] = ()

    def handlers_at(self, jump: Jump) -> tuple[Handler, ...] | None:
        """Give the handlers of a place, or None when the flow has no such step.

        The designer writes `finish` as the type of a jump to a block that ends the bot, and puts that block's handlers
        under `question`. Source: protocol §3.3.
        """
        if not 0 <= jump.step < len(self.steps):
            return None
        step = self.steps[jump.step]
        if jump.type == "finish":
            return step.finish or step.question
        return step.question if jump.type == "question" else step.answer
