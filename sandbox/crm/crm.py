"""An account's CRM at work: what is in it, and the few ways in which it changes.

Kept in memory by one event loop. Source: protocol §8.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sandbox.crm.records import (
    Card,
    Contact,
    CustomField,
    Event,
    Lead,
    Message,
    Note,
    Pipeline,
    Status,
    Talk,
    Task,
    User,
)
from sandbox.crm.seeds import Seeds
from sandbox.ids import new_uuid, next_id, next_talk_id

EVENTS_MAX: Final = 10_000
MESSAGES_MAX: Final = 5_000
BMP_LAST: Final = "\uffff"
Author = Literal["client", "bot", "user"]


@dataclass(slots=True)
class Crm:
    """All data of one account; `now` gives unix seconds."""

    seeds: Seeds
    now: Callable[[], float]
    leads: dict[int, Lead] = field(default_factory=dict)
    contacts: dict[int, Contact] = field(default_factory=dict)
    talks: dict[int, Talk] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    internal: list[str] = field(default_factory=list)
    messages: dict[int, deque[Message]] = field(default_factory=dict)
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=EVENTS_MAX))

    @property
    def admin(self) -> User:
        """Give the administrator, who made the account's integration."""
        return self.seeds.users[0]

    @property
    def member(self) -> User:
        """Give the first user who is no administrator."""
        return next(user for user in self.seeds.users if not user.is_admin)

    @property
    def main_pipeline(self) -> Pipeline:
        """Give the pipeline that new leads come to."""
        return next(pipeline for pipeline in self.seeds.pipelines if pipeline.is_main)

    def receive_customer(self, name: str, *, origin: str, is_unsorted: bool) -> Talk:
        """Make contact, lead and talk for a customer who writes for the first time."""
        when = int(self.now())
        contact = Contact(id=next_id(), name=name, responsible_user_id=self.admin.id, created_at=when, updated_at=when)
        lead = Lead(
            id=next_id(),
            name="",
            contact_id=contact.id,
            pipeline_id=self.main_pipeline.id,
            status_id=self.main_pipeline.statuses[0 if is_unsorted else 1].id,
            responsible_user_id=self.admin.id,
            created_at=when,
            updated_at=when,
            unsorted_uid=new_uuid().replace("-", "") if is_unsorted else "",
        )
        lead.name = f"Lead #{lead.id}"
        talk = Talk(
            id=next_talk_id(),
            chat_id=new_uuid(),
            contact_id=contact.id,
            lead_id=lead.id,
            origin=origin,
            created_at=when,
            updated_at=when,
        )
        self.contacts[contact.id], self.leads[lead.id], self.talks[talk.id] = contact, lead, talk
        self.messages[talk.id] = deque(maxlen=MESSAGES_MAX)
        self.record("lead_added", lead.id)
        return talk

    def keep_message(
        self, talk: Talk, text: str, *, author: Author, attachment: str = "", failed: bool = False
    ) -> Message:
        """Add a message to a talk's history."""
        message = Message(
            id=new_uuid(),
            talk_id=talk.id,
            text=text,
            author=author,
            created_at=int(self.now()),
            attachment=attachment,
            delivery="error" if failed else "delivered",
        )
        self.messages[talk.id].append(message)
        talk.updated_at, talk.is_read = message.created_at, author != "client"
        self.record("incoming_chat_message" if author == "client" else "outgoing_chat_message", talk.lead_id)
        return message

    def add_note(
        self, card: Card, text: str, *, note_type: str = "common", params: dict[str, Any] | None = None
    ) -> Note:
        """Write a note at a lead or contact."""
        note = Note(
            id=next_id(),
            entity="leads" if isinstance(card, Lead) else "contacts",
            entity_id=card.id,
            created_by=self.admin.id,
            created_at=int(self.now()),
            note_type=note_type,
            params={"text": text} if params is None else params,
        )
        self.notes.append(note)
        self.record(f"{note_type}_note_added", card.id, entity_type=note.entity[:-1])
        return note

    def move_lead(self, lead: Lead, status: Status, pipeline: Pipeline) -> None:
        """Put a lead into a stage."""
        lead.status_id, lead.pipeline_id = status.id, pipeline.id
        self.touch(lead, "lead_status_changed")

    def set_field(self, card: Card, field_id: int, values: Iterable[str]) -> None:
        """Write a custom field; characters beyond the basic plane vanish without a word (protocol §8)."""
        card.fields[field_id] = ["".join(char for char in value if char <= BMP_LAST) for value in values]
        self.touch(card, "custom_field_value_changed")

    def tag(self, card: Card, names: Iterable[str]) -> None:
        """Add tags that it lacks."""
        card.tags.extend(name for name in names if name not in card.tags)
        self.touch(card, "entity_tag_added")

    def untag(self, card: Card, names: Iterable[str]) -> None:
        """Take tags away."""
        gone = set(names)
        card.tags[:] = [name for name in card.tags if name not in gone]
        self.touch(card, "entity_tag_deleted")

    def touch(self, card: Card, event: str) -> None:
        """Note that a lead or contact has changed."""
        card.updated_at = int(self.now())
        self.record(event, card.id, entity_type="lead" if isinstance(card, Lead) else "contact")

    def record(self, kind: str, entity_id: int, *, entity_type: str = "lead") -> None:
        """Add a line to the account's history."""
        self.events.append(
            Event(
                id=new_uuid().replace("-", "")[:26],
                type=kind,
                entity_id=entity_id,
                entity_type=entity_type,
                created_by=self.admin.id,
                created_at=int(self.now()),
            )
        )

    def find_status(self, status_id: int, *, pipeline_id: int) -> tuple[Status, Pipeline] | None:
        """Find a stage: in this pipeline first, for 142 and 143 are in each; None when no pipeline has it."""
        ordered = sorted(self.seeds.pipelines, key=lambda pipeline: pipeline.id != pipeline_id)
        found = ((status, line) for line in ordered for status in line.statuses if status.id == status_id)
        return next(found, None)

    def find_user(self, user_id: int) -> User | None:
        """Find a member of the team."""
        return next((user for user in self.seeds.users if user.id == user_id), None)

    def find_field(self, field_id: int, entity: str) -> CustomField | None:
        """Find a custom field of `leads` or `contacts`."""
        return next((one for one in self.seeds.fields if one.id == field_id and one.entity == entity), None)
