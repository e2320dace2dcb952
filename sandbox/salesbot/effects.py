"""What a Salesbot did, one value per thing, for whoever owns its chat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sandbox.salesbot.handlers import Button, Jump


@dataclass(frozen=True, slots=True)
class Shown:
    """A message to the customer.

    Args:
        text: as it was sent, placeholders filled.
        buttons: choices and links below it.
        leaked: the placeholders that stayed unfilled in it.
        attachments: what went along.
        failed: why the channel did not deliver it; empty when the customer sees it.
    """

    text: str
    buttons: tuple[Button, ...] = ()
    leaked: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Requested:
    """The bot calls the integration's server and waits for its continue."""

    url: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Weighed:
    """Tests were weighed; `terms` are their comparisons as the bot saw them."""

    terms: tuple[tuple[str, str, str], ...]
    holds: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """The customer's reply was matched against choices; `by` is the one that fitted, None when none did."""

    by: str | None


@dataclass(frozen=True, slots=True)
class Jumped:
    """The bot went on at another place."""

    jump: Jump


@dataclass(frozen=True, slots=True)
class Listening:
    """The bot waits: for the customer's next message, for `seconds` (None: no timer), or for what comes first."""

    to_customer: bool = True
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Acted:
    """The bot changed something in the CRM, or tried to; `told` is a sentence."""

    told: str
    worked: bool = True


@dataclass(frozen=True, slots=True)
class Left:
    """The bot left the Widget step by an exit."""

    code: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The bot is over.

    Args:
        reason: a sentence.
        then: what else a `stop` asked for.
        bot: the Salesbot to start, with `salesbot-start`.
        wanted: whether the flow asked for the end, by `stop`.
    """

    reason: str
    then: Literal["", "talk-close", "salesbot-start"] = ""
    bot: int = 0
    wanted: bool = False


Effect: TypeAlias = Shown | Requested | Weighed | Chosen | Jumped | Listening | Acted | Left | Ended
