"""What an account's CRM holds, as data.

Source: protocol §8, §8.6.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

WON: Final = 142  # the same two numbers close every pipeline (protocol §8)
LOST: Final = 143
EntityName = Literal["leads", "contacts"]


@dataclass(frozen=True, slots=True)
class User:
    """A member of the team."""

    id: int
    name: str
    email: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class Status:
    """A stage of a pipeline."""

    id: int
    name: str
    sort: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline and its stages, first to last."""

    id: int
    name: str
    statuses: tuple[Status, ...]
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class CustomField:
    """A field that the account made; `code` is empty unless Kommo gave one, as for phones."""

    id: int
    name: str
    type: str
    entity: EntityName
    code: str = ""
    enums: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True, kw_only=True)
class Card:
    """What leads and contacts share; `fields` are texts by field id."""

    id: int
    name: str
    responsible_user_id: int
    created_at: int
    updated_at: int
    tags: list[str] = field(default_factory=list)
    fields: dict[int, list[str]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Contact(Card):
    """A person."""


@dataclass(slots=True, kw_only=True)
class Lead(Card):
    """A deal; `unsorted_uid` is filled while it is an incoming lead that nobody accepted."""

    contact_id: int
    pipeline_id: int
    status_id: int
    price: int = 0
    source_id: int | None = None
    unsorted_uid: str = ""
    subscribers: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Talk:
    """A conversation with a customer on one channel."""

    id: int
    chat_id: str
    contact_id: int
    lead_id: int
    origin: str
    created_at: int
    updated_at: int
    is_in_work: bool = True
    is_read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a talk; `delivery` is `delivered`, or `error` when the channel refused it."""

    id: str
    talk_id: int
    text: str
    author: Literal["client", "bot", "user"]
    created_at: int
    attachment: str = ""
    delivery: Literal["delivered", "error"] = "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note at a lead or contact; `params` depend on its type."""

    id: int
    entity: EntityName
    entity_id: int
    created_by: int
    created_at: int
    note_type: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do at a lead or contact."""

    id: int
    text: str
    entity_id: int
    entity_type: str
    complete_till: int
    task_type_id: int
    responsible_user_id: int
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A line of an account's history."""

    id: str
    type: str
    entity_id: int
    entity_type: str
    created_by: int
    created_at: int
