"""Salesbots made in the designer: a saved Widget step with a greeting before it and a way behind each of its exits.

The step's own flow is frozen: it is read once, when the Salesbot is saved, and no later upload changes it.
Source: protocol §4.4 (frozen), §3.3 (export).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sandbox.salesbot.flows import exit_codes, parse_flow
from sandbox.salesbot.handlers import Flow, Goto, Handler, Jump, Show, Step, Stop, WaitAnswer, Widget

LISTENING: Final = Jump("question", 1)
WIDGET_STEP: Final = Jump("question", 2)
FIRST_OWN_STEP: Final = 3
Way = Literal["listen", "say", "stop"]


@dataclass(frozen=True, slots=True)
class Exit:
    """One exit of the step, as `salesbotDesignerSettings` names it."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where an exit leads: back to listening, to a text and then back, or to the end."""

    to: Way = "listen"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedStep:
    """A Widget step as it was saved.

    Args:
        version: of the widget whose script wrote the flow.
        handler: the step's handler code.
        params: what the owner filled in.
        source: the flow as JSON text, exactly as the script gave it.
        flow: the same, read.
        exits: the step's exits.
        links: where each leads, by code; one left out leads back to listening.
        greeting: what the Salesbot says first; empty for nothing.
        saved_at: unix seconds.
    """

    version: str
    handler: str
    params: Mapping[str, str]
    source: str
    flow: Flow
    exits: tuple[Exit, ...]
    links: Mapping[str, Link]
    greeting: str
    saved_at: float

    @property
    def stray_exits(self) -> tuple[str, ...]:
        """List the exits that the flow leaves by and that the step does not have: they lead nowhere."""
        return tuple(code for code in exit_codes(self.flow) if code not in {known.code for known in self.exits})


@dataclass(frozen=True, slots=True)
class Running:
    """What an account runs; `greets_first` tells whether it runs before the customer has written."""

    flow: Flow
    greets_first: bool


def built(step: SavedStep) -> Running:
    """Build the Salesbot around a step: greet, listen, ask the widget, go on as the exits are linked."""
    own: list[Step] = []
    ways = {one.code: _way(step.links.get(one.code, Link()), own) for one in step.exits}
    hello: tuple[Handler, ...] = (Show(step.greeting),) if step.greeting else ()
    first = (
        Step((*hello, Goto(LISTENING))),
        Step((WaitAnswer(WIDGET_STEP),)),
        Step((Widget(step.flow, ways),)),
    )
    return Running(Flow((*first, *own)), greets_first=True)


def bound(salesbot: object, widget: Flow | None) -> Running:
    """Read an imported Salesbot; its Widget blocks that bring no flow of their own get this one.

    Raises:
        FlowError: it cannot be run here, or it needs a widget's flow and there is none.
    """
    flow = parse_flow(salesbot, place="salesbot", widget=widget)
    return Running(flow, greets_first=False)


def _way(link: Link, own: list[Step]) -> Jump:
    """Give the place that a link leads to; what it needs is added to `own`."""
    if link.to == "listen":
        return LISTENING
    handlers: tuple[Handler, ...] = (Stop(),) if link.to == "stop" else (Show(link.text), Goto(LISTENING))
    own.append(Step(handlers))
    return Jump("question", FIRST_OWN_STEP + len(own) - 1)
