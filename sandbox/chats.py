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

from sandbox.clock import Alarm, Clock
from sandbox.crm.records import Talk
from sandbox.ids import next_id
from sandbox.salesbot.handlers import Button
from sandbox.salesbot.interpreter import Machine, Waits

JSON = dict[str, Any]
ContinueKey: TypeAlias = tuple[str, str, str]  # bot type, Salesbot id, continue id: as written in the path
Tone = Literal["plain", "good", "wait", "bad"]
TurnState = Literal["waiting", "stuck", "done", "stopped"]

CUSTOMER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
NAME_MAX_CHARS: Final = 80


@dataclass(slots=True, kw_only=True)
class Bubble:
    """One message of a chat.

    Args:
        author: `person` is a member of the team.
        text: may be empty with an attachment.
        attachment: what the customer sent along, by name.
        attachments: what the bot sent along.
        buttons: choices and links below it.
        leaked: placeholders that reached the customer unfilled.
        failed: why the channel did not deliver it; empty when the customer sees it.
        turn: the turn it belongs to.
        id: its number.
        at: unix seconds.
    """

    author: Literal["customer", "bot", "person"]
    text: str
    attachment: str = ""
    attachments: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()
    leaked: tuple[str, ...] = ()
    failed: str = ""
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
        shown: texts that the customer saw.
        failed: why the channel did not deliver the others.
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
    failed: list[str] = field(default_factory=list)
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
    """One run of a Salesbot in a chat.

    Args:
        machine: what it does.
        bot_id: which Salesbot it is.
        turn: what it works on now or did last.
        waiting_key: the continue that it waits for.
        alarm: the timer that it waits for.
        is_beside: whether it may run beside others, which no real Kommo allows.
        started_by: how many Salesbots started one another before it, without a pause.
    """

    machine: Machine
    bot_id: int
    turn: Turn | None = None
    waiting_key: ContinueKey | None = None
    alarm: Alarm | None = None
    is_beside: bool = False
    started_by: int = 0

    @property
    def listens(self) -> bool:
        """Tell whether it waits for the customer."""
        return self.machine.waits_for is Waits.MESSAGE

    def quiet(self) -> None:
        """Let its timer not ring."""
        if self.alarm:
            self.alarm.cancel()
            self.alarm = None


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
    talk: Talk
    clock: Clock
    bubbles: list[Bubble] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    held: deque[Said] = field(default_factory=deque)
    heard_at: float | None = None
    version: int = 0

    @property
    def lead_id(self) -> int:
        """Give the number of the customer's lead."""
        return self.talk.lead_id

    @property
    def contact_id(self) -> int:
        """Give the number of the customer's contact."""
        return self.talk.contact_id

    @property
    def state(self) -> str:
        """Tell what it waits for.

        `thinking` (a continue), `stuck` (a continue, after a bad acknowledgement), `listening` (the customer),
        `paused` (a timer alone), `unstarted` (the first message, which starts a Salesbot) or `ended`.
        """
        waiting = [run.turn for run in self.runs if run.waiting_key and run.turn]
        if waiting:
            return "stuck" if all(turn.state == "stuck" for turn in waiting) else "thinking"
        if any(run.listens for run in self.runs):
            return "listening"
        if self.runs:
            return "paused"
        return "ended" if self.turns else "unstarted"

    @property
    def silent_s(self) -> float:
        """Say how long ago the customer wrote last; 0 when never."""
        return 0.0 if self.heard_at is None else self.clock.now() - self.heard_at

    def new_turn(self) -> Turn:
        """Begin the next turn."""
        turn = Turn(number=len(self.turns) + 1)
        self.turns.append(turn)
        return turn


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
        **_waiting(chat),
        "contact_id": chat.contact_id,
        "talk_id": chat.talk.id,
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


def _waiting(chat: Chat) -> JSON:
    """Tell the sandbox's time and the next timer of the chat."""
    alarms = [run.alarm.at for run in chat.runs if run.alarm and not run.alarm.is_cancelled]
    seconds = [run.machine.timer_seconds for run in chat.runs if run.machine.timer_seconds]
    return {
        "clock": chat.clock.now(),
        "waits_until": min(alarms, default=None),
        "waits_for": f"a pause of {in_words(min(seconds))}" if seconds else "",
    }


def in_words(seconds: float) -> str:
    """Write a length of time as people say it."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _bubble(bubble: Bubble) -> JSON:
    return {
        "id": bubble.id,
        "from": bubble.author,
        "text": bubble.text,
        "attachment": bubble.attachment,
        "buttons": [{"text": button.text, "url": button.url} for button in bubble.buttons],
        "attachments": list(bubble.attachments),
        "leaked": list(bubble.leaked),
        "failed": bubble.failed,
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
