"""States of an exchange, the moves between them, and the one function that moves.

The state tells delivery, the outcome tells content::

    received -> answering -> answered -> sending -> delivered | gone | rejected | unknown
       ^------------'                                    any open state -> failed

The only other UPDATE of `state` is the claim, beside the queries in `bots.models.exchanges`.
"""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bots.models import Exchange


class State(StrEnum):
    """Where an exchange stands on its way to the customer."""

    RECEIVED = "received"  # stored, nobody works on it
    ANSWERING = "answering"  # a worker asks the model
    ANSWERED = "answered"  # the reply is stored, not sent
    SENDING = "sending"  # a continue call is out, or due again
    DELIVERED = "delivered"  # Kommo took it
    GONE = "gone"  # the Salesbot waits no more
    REJECTED = "rejected"  # Kommo refused it for good
    UNKNOWN = "unknown"  # it may have arrived; nobody can tell
    FAILED = "failed"  # Kommo could not be told in time


class Outcome(StrEnum):
    """What the reply is: becomes `{{json.status}}` and the widget's exit."""

    SUCCESS = "success"
    HANDOFF = "handoff"
    SILENT = "silent"
    FAIL = "fail"


OPEN = frozenset({State.RECEIVED, State.ANSWERING, State.ANSWERED, State.SENDING})
SETTLED = frozenset(State) - OPEN

MOVES: dict[State, frozenset[State]] = {
    # straight to answered: the fallback when the answer deadline has passed, or an account that is switched off
    State.RECEIVED: frozenset({State.ANSWERING, State.ANSWERED, State.FAILED}),
    # back to received: the lease was lost, or a retry is due later
    State.ANSWERING: frozenset({State.RECEIVED, State.ANSWERED, State.FAILED}),
    State.ANSWERED: frozenset({State.SENDING, State.FAILED}),
    # sending to sending: nothing arrived, or the one probe after an answer that got lost
    State.SENDING: frozenset({State.SENDING, State.DELIVERED, State.GONE, State.REJECTED, State.UNKNOWN, State.FAILED}),
    State.DELIVERED: frozenset(),
    State.GONE: frozenset(),
    State.REJECTED: frozenset(),
    State.UNKNOWN: frozenset(),
    State.FAILED: frozenset(),
}


class ForbiddenMove(RuntimeError):
    """Our own code asked for a move that the table does not have: a defect."""


def move(exchange: "Exchange", to: State, *, now: datetime, why: str = "", **changes: Any) -> bool:
    """Move an exchange, if it still stands where we last saw it and our claim still holds.

    Args:
        exchange: the row as this worker claimed it; it is brought up to date when the move succeeds.
        to: the state to reach.
        now: aware time of the move.
        why: a code for the timeline, never customer text.
        changes: other columns written by the same statement.

    Returns:
        False when another process was first; then nothing was written.

    Raises:
        ForbiddenMove: the table has no such move.
    """
    seen = State(exchange.state)
    if to not in MOVES[seen]:
        raise ForbiddenMove(f"{seen} -> {to} (exchange {exchange.pk})")
    timeline = [*exchange.timeline, timeline_entry(to, now=now, why=why)]
    changes = {"state": to.value, "state_since": now, "timeline": timeline, **changes}
    if to in SETTLED:
        changes |= {"settled_at": now, "lease_until": None, "retry_at": None, "post_out": False}
    rows = type(exchange)._default_manager.filter(pk=exchange.pk, state=seen.value, claim=exchange.claim)
    if not rows.update(**changes):
        return False
    for name, value in changes.items():
        setattr(exchange, name, value)
    return True


def timeline_entry(state: State, *, now: datetime, why: str = "", who: str = "") -> dict[str, str]:
    """Give one line of an exchange's timeline: state, UTC time, and why or who where it is known."""
    entry = {"state": state.value, "at": now.isoformat(timespec="milliseconds")}
    return entry | ({"why": why} if why else {}) | ({"who": who} if who else {})
