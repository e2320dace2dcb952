"""The customers' chats as data: bubbles that the customer sees, and turns that tell what the Salesbot did.

Kept in memory by one event loop and handed out as plain JSON; the page and tests read the same snapshot.
"""

import itertools
import re
import time
import unicodedata
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from sandbox.handlers import Button
from sandbox.interpreter import Machine, Waits

JSON = dict[str, Any]
ContinueKey: TypeAlias = tuple[str, str, str]  # bot type, Salesbot id, continue id: as written in the path
Tone = Literal["plain", "good", "wait", "bad"]
TurnState = Literal["waiting", "stuck", "done", "stopped"]

CUSTOMER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
NAME_MAX_CHARS: Final = 80

# Ids start at the clock, so that a restarted sandbox never uses one again that a bridge still has in its database.
_ids: Final = itertools.count(int(time.time() * 1000))


def next_id() -> int:
    """Give an id that no other thing of this or an earlier run has."""
    return next(_ids)


@dataclass(slots=True, kw_only=True)
class Bubble:
    """One message that the customer sees; `leaked` are placeholders that reached them unfilled."""

    author: Literal["customer", "bot"]
    text: str
    attachment: str = ""
    buttons: tuple[Button, ...] = ()
    leaked: tuple[str, ...] = ()
    turn: int | None = None
    id: int = field(default_factory=next_id)
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Note:
    """One line of what the Salesbot did, `ms` after its turn began."""

    ms: int
    tone: Tone
    title: str
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class Turn:
    """One customer message and all that followed from it.

    Args:
        number: 1, 2, … within the chat.
        request: what the widget_request said, with `status` and `ack_ms` once they are known.
        continued: the accepted continue, `{"body": …, "after_ms": …}`.
        refused: continue calls that got no plain 202, `{"status", "detail", "body"}`; without a status when cut off.
        unseen: sentences on what happened but stayed hidden from the customer.
    """

    number: int
    state: TurnState = "waiting"
    outcome: str = ""
    notes: list[Note] = field(default_factory=list)
    request: JSON | None = None
    continued: JSON | None = None
    refused: list[JSON] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    started_at: float = field(default_factory=time.time)
    started: float = field(default_factory=time.monotonic)
    took_ms: int | None = None

    def ms(self) -> int:
        """Say how long ago the turn began."""
        return round((time.monotonic() - self.started) * 1000)

    def tell(self, title: str, *, tone: Tone = "plain", detail: str = "") -> None:
        """Add a line of what happened now."""
        self.notes.append(Note(self.ms(), tone, title, detail))


@dataclass(slots=True, eq=False)
class Run:
    """One run of the account's Salesbot in a chat; `turn` is what it works on now or did last."""

    machine: Machine
    turn: Turn | None = None
    waiting_key: ContinueKey | None = None

    @property
    def listens(self) -> bool:
        """Tell whether it waits for the customer."""
        return self.machine.waits_for is Waits.MESSAGE


@dataclass(frozen=True, slots=True)
class Said:
    """A customer's message on its way to the Salesbot."""

    text: str
    bubble: Bubble
    copies: int = 1


@dataclass(slots=True, kw_only=True, eq=False)
class Chat:
    """One customer of one account. `held` are messages that wait until the Salesbot listens again."""

    account: str
    customer: str
    name: str
    channel: str
    lead_id: int = field(default_factory=next_id)
    contact_id: int = field(default_factory=next_id)
    bubbles: list[Bubble] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    held: deque[Said] = field(default_factory=deque)
    version: int = 0

    @property
    def state(self) -> str:
        """Tell `listening`, `thinking` (awaits a continue), `stuck` (so, after a bad acknowledgement) or `ended`."""
        waiting = [run.turn for run in self.runs if run.waiting_key and run.turn]
        if waiting:
            return "stuck" if all(turn.state == "stuck" for turn in waiting) else "thinking"
        return "listening" if self.runs else "ended"

    def new_turn(self) -> Turn:
        """Begin the next turn."""
        turn = Turn(number=len(self.turns) + 1)
        self.turns.append(turn)
        return turn

    def placeholders(self) -> dict[str, str]:
        """Give what this chat fills in. Source: protocol §3.4."""
        return {
            "name": self.name,
            "contact.name": self.name,
            "contact.id": str(self.contact_id),
            "lead.id": str(self.lead_id),
            "lead.name": f"Lead #{self.lead_id}",
            "origin": self.channel,
        }


def customer_id_from(name: str, taken: Mapping[str, object]) -> str:
    """Make a customer id out of a person's name, unlike those taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48] or "customer"
    return next(
        name for name in itertools.chain([stem], (f"{stem}-{n}" for n in itertools.count(2))) if name not in taken
    )


def chat_snapshot(chat: Chat) -> JSON:
    """Give the whole chat as JSON."""
    return {
        **chat_summary(chat),
        "contact_id": chat.contact_id,
        "held": len(chat.held),
        "bubbles": [_bubble(bubble) for bubble in chat.bubbles],
        "turns": [_turn(turn) for turn in chat.turns],
    }


def chat_summary(chat: Chat) -> JSON:
    """Give one line on a chat as JSON."""
    last = chat.bubbles[-1] if chat.bubbles else None
    return {
        "account": chat.account,
        "customer": chat.customer,
        "name": chat.name,
        "channel": chat.channel,
        "lead_id": chat.lead_id,
        "state": chat.state,
        "version": chat.version,
        "messages": len(chat.bubbles),
        "last": {"from": last.author, "text": last.text or last.attachment, "at": last.at} if last else None,
    }


def _bubble(bubble: Bubble) -> JSON:
    return {
        "id": bubble.id,
        "from": bubble.author,
        "text": bubble.text,
        "attachment": bubble.attachment,
        "buttons": [{"text": button.text, "url": button.url} for button in bubble.buttons],
        "leaked": list(bubble.leaked),
        "turn": bubble.turn,
        "at": bubble.at,
    }


def _turn(turn: Turn) -> JSON:
    return {
        "number": turn.number,
        "state": turn.state,
        "outcome": turn.outcome,
        "started_at": turn.started_at,
        "took_ms": turn.took_ms,
        "notes": [{"ms": n.ms, "tone": n.tone, "title": n.title, "detail": n.detail} for n in turn.notes],
        "request": turn.request,
        "continue": turn.continued,
        "refused": turn.refused,
        "shown": turn.shown,
        "unseen": turn.unseen,
    }
