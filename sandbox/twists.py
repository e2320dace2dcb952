"""How a widget_request may be bent on its way out: the fault side says how, the dispatch does it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Twist:
    """What is wrong with one widget_request.

    Args:
        fault: the kind of fault, for journal and chat; empty when nothing is wrong.
        told: the fault in words, for the chat.
        clock_skew_s: seconds added to `iat`, `nbf` and `exp`, as by an account whose clock is wrong.
        content_type: replaces the true one; empty keeps it.
        copies: how many more of it go out at the same moment.
    """

    fault: str = ""
    told: str = ""
    clock_skew_s: int = 0
    content_type: str = ""
    copies: int = 0


STRAIGHT: Final = Twist()
Twisting: TypeAlias = Callable[[str, str], Twist]  # account and customer give what is wrong with the next request


def no_twist(_account: str, _customer: str) -> Twist:
    """Let every request go out as it should."""
    return STRAIGHT
