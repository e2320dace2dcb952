"""What a chat fills placeholders with, read from the CRM at the moment it is asked.

Source: protocol §3.4. Left unfilled on purpose, as live accounts did: `{{contact.phone}}`, `{{talk.id}}`.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from sandbox.crm.crm import Crm
from sandbox.crm.records import Card, Contact, Lead
from sandbox.salesbot.placeholders import LIST_SEPARATOR

PLAIN: Final[Mapping[str, Callable[[Lead, Contact], object]]] = {
    "name": lambda _lead, contact: contact.name,
    "contact.name": lambda _lead, contact: contact.name,
    "contact.id": lambda _lead, contact: contact.id,
    "lead.id": lambda lead, _contact: lead.id,
    "lead.name": lambda lead, _contact: lead.name,
    "lead.price": lambda lead, _contact: lead.price,
    "lead.status_id": lambda lead, _contact: lead.status_id,
    "lead.pipeline_id": lambda lead, _contact: lead.pipeline_id,
    "lead.source_id": lambda lead, _contact: lead.source_id,
    "lead.responsible_user_id": lambda lead, _contact: lead.responsible_user_id,
    "lead.tags": lambda lead, _contact: LIST_SEPARATOR.join(lead.tags),
    "contact.tags": lambda _lead, contact: LIST_SEPARATOR.join(contact.tags),
}
FURTHER: Final = ("origin", "chat.origin", "current_date")


class Facts(Mapping[str, str]):
    """The facts of one lead and its contact by placeholder name; alive: they change with the CRM."""

    def __init__(self, crm: Crm, lead: Lead, origin: str) -> None:
        """Read from these."""
        self._crm, self._lead, self._origin = crm, lead, origin

    def __getitem__(self, name: str) -> str:
        """Give a fact.

        Raises:
            KeyError: nothing fills that name.
        """
        found = self._find(name)
        if found is None or found == "":
            raise KeyError(name)
        return str(found)

    def __iter__(self) -> Iterator[str]:
        """Give the names that need no number."""
        return iter((*PLAIN, *FURTHER))

    def __len__(self) -> int:
        """Count those names."""
        return len(PLAIN) + len(FURTHER)

    def _find(self, name: str) -> object:
        contact = self._crm.contacts[self._lead.contact_id]
        if name in PLAIN:
            return PLAIN[name](self._lead, contact)
        if name in {"origin", "chat.origin"}:
            return self._origin
        if name == "current_date":
            return datetime.fromtimestamp(self._crm.now(), UTC).strftime("%d.%m.%Y")
        card = {"lead": self._lead, "contact": contact}.get(name.partition(".")[0])
        return self._of_card(card, name.partition(".")[2]) if card else None

    def _of_card(self, card: Card, name: str) -> object:
        kind, _, rest = name.partition(".")
        if kind == "cf" and rest.isascii() and rest.isdigit():
            return LIST_SEPARATOR.join(card.fields.get(int(rest), ()))
        user = self._crm.find_user(card.responsible_user_id)
        return (
            {"id": user.id, "name": user.name, "email": user.email}.get(rest)
            if user and kind == "responsible"
            else None
        )
