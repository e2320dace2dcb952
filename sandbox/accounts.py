"""Running accounts, and the list of who waits for which continue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.chats import Chat, ContinueKey, Run, Turn
from sandbox.config import AccountConfig
from sandbox.crm.crm import Crm
from sandbox.designer.shelves import Shelf
from sandbox.salesbot.handlers import Flow
from sandbox.widget_requests import Outgoing


@dataclass(frozen=True, slots=True)
class Salesbot:
    """One of an account's Salesbots."""

    id: int
    name: str
    flow: Flow


@dataclass(slots=True, eq=False)
class Account:
    """A stand-in account at work; `last_request` is kept per customer, to be sent again; `shelf` is its designer's."""

    config: AccountConfig
    origin: str
    bots: dict[int, Salesbot]
    crm: Crm
    chats: dict[str, Chat] = field(default_factory=dict)
    last_request: dict[str, Outgoing] = field(default_factory=dict)
    shelf: Shelf = field(default_factory=Shelf)

    @property
    def main_bot(self) -> Salesbot:
        """Give the Salesbot that the customers' messages start."""
        return self.bots[self.config.salesbot_id]

    @property
    def greets_first(self) -> bool:
        """Tell whether its Salesbot runs from the moment a chat opens; a flow of one's own waits for a message."""
        if self.shelf.running:
            return self.shelf.running.greets_first
        return self.config.salesbot_flow is None

    @property
    def runs_usual_flow(self) -> bool:
        """Tell whether its Salesbot is the sandbox's own, neither the config's nor one made in the designer."""
        return self.config.salesbot_flow is None and self.shelf.running is None

    def chat_of(self, entity_id: int, entity: str) -> Chat | None:
        """Find the chat of a lead (`leads`) or contact (`contacts`)."""
        key = "lead_id" if entity == "leads" else "contact_id"
        return next((chat for chat in self.chats.values() if getattr(chat, key) == entity_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A continue that was answered 202, for tests. `wall` and `monotonic` are seconds."""

    account: str
    customer: str
    key: ContinueKey
    body: Mapping[str, Any]
    wall: float
    monotonic: float

    @property
    def data(self) -> Mapping[str, Any]:
        """Give the continue's `data`."""
        return self.body.get("data") or {}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A continue id and what it was made for."""

    chat: Chat
    run: Run
    turn: Turn


class WaitingRoom:
    """Every continue id that was handed out, and which of them are still good. Source: protocol §1.6, §2.5 (404)."""

    def __init__(self) -> None:
        """Start empty."""
        self._all: dict[ContinueKey, Waiting] = {}
        self._open: set[ContinueKey] = set()

    def add(self, key: ContinueKey, waiting: Waiting) -> None:
        """Let a Salesbot wait for this id."""
        self._all[key] = waiting
        self._open.add(key)
        waiting.run.waiting_key = key

    def take(self, key: ContinueKey) -> Waiting:
        """Give what waits for this id and use the id up.

        Raises:
            KeyError: nothing waits for it.
        """
        self._open.remove(key)
        waiting = self._all[key]
        waiting.run.waiting_key = None
        return waiting

    def is_open(self, key: ContinueKey) -> bool:
        """Tell whether a Salesbot waits for this id."""
        return key in self._open

    def find(self, key: ContinueKey) -> Waiting | None:
        """Give what the id was made for, also when it is used up."""
        return self._all.get(key)

    def give_up(self, run: Run) -> None:
        """Let a run wait no more: a continue for it finds nothing from now on."""
        if run.waiting_key:
            self.take(run.waiting_key)


def return_url_of(account: Account, key: ContinueKey) -> str:
    """Write a continue address on the account's own origin. Source: protocol §1.5."""
    return f"{account.origin}/api/v4/{key[0]}/{key[1]}/continue/{key[2]}"
