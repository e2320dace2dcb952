"""What the readers of Salesbot JSON share: their error, their surroundings, and the smallest values.

Source: protocol §3.1, §3.2.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from sandbox.salesbot.handlers import Flow, Handler, Jump, JumpType, Logic

JUMP_TYPES: Final[tuple[JumpType, ...]] = ("question", "answer", "finish")
NESTING_MAX: Final = 32
Params: TypeAlias = Mapping[str, object]


class FlowError(ValueError):
    """A flow that cannot be run; the text gives the place inside it and the rule."""

    def __init__(self, place: str, rule: str) -> None:
        """Make the one line that a person reads."""
        super().__init__(f"{place}: {rule}")


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a reader stands.

    Args:
        read_handlers: reads a nested list of handlers at a place.
        read_flow: reads a Widget step's own flow at a place.
        widget: the flow of the account's installed widget, for Widget steps that name it and bring none.
        depth: how many handlers it is inside of.
        in_widget: whether the flow is a widget's own.
    """

    read_handlers: Callable[[object, str, "Reading"], tuple[Handler, ...]]
    read_flow: Callable[[object, str, "Reading"], Flow]
    widget: Flow | None = None
    depth: int = 0
    in_widget: bool = False

    def nested(self, raw: object, place: str) -> tuple[Handler, ...]:
        """Read the handlers inside the current one."""
        return self.read_handlers(raw, place, replace(self, depth=self.depth + 1))


@dataclass(frozen=True, slots=True)
class Asked:
    """One handler's params and their place."""

    params: Params
    place: str

    def text(self, key: str, *, default: str | None = None) -> str:
        """Give a text, or the default when it is left out.

        Raises:
            FlowError: it is no text.
        """
        value = self.params.get(key, default)
        if not isinstance(value, str):
            raise FlowError(f"{self.place}.{key}", "must be a text")
        return value

    def items(self, key: str, what: str) -> list[object]:
        """Give a list with at least one entry.

        Raises:
            FlowError: it is none.
        """
        value = self.params.get(key)
        if not isinstance(value, list) or not value:
            raise FlowError(f"{self.place}.{key}", f"must be a list with at least one {what}")
        return value

    def one_of(self, key: str, choices: tuple[str, ...]) -> str:
        """Give one of the choices.

        Raises:
            FlowError: it is none of them.
        """
        value = self.params.get(key)
        if not isinstance(value, str) or value not in choices:
            raise FlowError(f"{self.place}.{key}", f"must be one of {', '.join(choices)}")
        return value

    def logic(self) -> Logic:
        """Give `and` or `or`.

        Raises:
            FlowError: it is neither.
        """
        return "and" if self.one_of("logic", ("and", "or")) == "and" else "or"


def known_only(params: Params, keys: Set[str], place: str) -> None:
    """Refuse a key that the sandbox does not know, so that nothing is passed over in silence.

    Raises:
        FlowError: names the key.
    """
    for key in params:
        if key not in keys:
            raise FlowError(f"{place}.{key}", f"is not known here; known are {', '.join(sorted(keys))}")


def as_object(raw: object, place: str) -> Params:
    """Give an object; an empty list is one too, as PHP writes it (protocol §3.3).

    Raises:
        FlowError: it is none.
    """
    if raw == []:
        return {}
    if not isinstance(raw, dict):
        raise FlowError(place, "must be an object")
    return raw


def read_jump(raw: object, place: str) -> Jump:
    """Read `{"type": …, "step": …}`.

    Raises:
        FlowError: it is malformed.
    """
    if not isinstance(raw, dict):
        raise FlowError(place, "must be an object with type and step")
    step, kind = raw.get("step"), raw.get("type")
    for known in JUMP_TYPES:
        if kind == known:
            if isinstance(step, bool) or not isinstance(step, int):
                raise FlowError(f"{place}.step", "must be a whole number")
            known_only(raw, {"type", "step"}, place)
            return Jump(known, step)
    raise FlowError(f"{place}.type", f"must be one of {', '.join(JUMP_TYPES)}")


def as_text(raw: object, place: str) -> str:
    """Give a text; a number becomes one.

    Raises:
        FlowError: it is neither.
    """
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise FlowError(place, "must be a text")
    return str(raw)
