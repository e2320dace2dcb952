"""CRM records as the JSON that Kommo's REST interface gives.

Source: protocol §8, §8.6, §5.
"""

from typing import Any

from sandbox.accounts import Account, Salesbot
from sandbox.crm.crm import Crm
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

JSON = dict[str, Any]


def lead_json(lead: Lead, account: Account, *, with_contacts: bool = False) -> JSON:
    """Give a lead; its contacts only when they are asked for."""
    embedded: JSON = {"tags": _tags(lead), "companies": []}
    if with_contacts:
        embedded["contacts"] = [{"id": lead.contact_id, "is_main": True, "_links": {}}]
    return {
        "id": lead.id,
        "name": lead.name,
        "price": lead.price,
        "responsible_user_id": lead.responsible_user_id,
        "group_id": 0,
        "status_id": lead.status_id,
        "pipeline_id": lead.pipeline_id,
        "loss_reason_id": None,
        "source_id": lead.source_id,
        "created_by": 0,
        "updated_by": 0,
        "created_at": lead.created_at,
        "updated_at": lead.updated_at,
        "closed_at": None,
        "closest_task_at": None,
        "is_deleted": False,
        "custom_fields_values": _fields(lead, account.crm, "leads"),
        "score": None,
        "account_id": account.config.kommo_id,
        "_links": _links(account, f"/api/v4/leads/{lead.id}"),
        "_embedded": embedded,
    }


def contact_json(contact: Contact, account: Account, *, with_leads: bool = False) -> JSON:
    """Give a contact; its leads only when they are asked for."""
    embedded: JSON = {"tags": _tags(contact), "companies": []}
    if with_leads:
        leads = [lead for lead in account.crm.leads.values() if lead.contact_id == contact.id]
        embedded["leads"] = [{"id": lead.id, "_links": {}} for lead in leads]
    return {
        "id": contact.id,
        "name": contact.name,
        "first_name": contact.name.partition(" ")[0],
        "last_name": contact.name.partition(" ")[2],
        "responsible_user_id": contact.responsible_user_id,
        "group_id": 0,
        "created_by": 0,
        "updated_by": 0,
        "created_at": contact.created_at,
        "updated_at": contact.updated_at,
        "closest_task_at": None,
        "is_deleted": False,
        "custom_fields_values": _fields(contact, account.crm, "contacts"),
        "account_id": account.config.kommo_id,
        "_links": _links(account, f"/api/v4/contacts/{contact.id}"),
        "_embedded": embedded,
    }


def talk_json(talk: Talk, account: Account) -> JSON:
    """Give a talk. Source: protocol §8.6."""
    return {
        "talk_id": talk.id,
        "created_at": talk.created_at,
        "updated_at": talk.updated_at,
        "rate": 0,
        "contact_id": talk.contact_id,
        "chat_id": talk.chat_id,
        "entity_id": talk.lead_id,
        "entity_type": "lead",
        "is_in_work": talk.is_in_work,
        "is_read": talk.is_read,
        "origin": talk.origin,
        "missed_at": None,
        "account_id": account.config.kommo_id,
    }


def message_json(message: Message) -> JSON:
    """Give a message of a talk's history. Source: protocol §8.6."""
    attachment = {"type": "file", "file_name": message.attachment} if message.attachment else None
    return {
        "id": message.id,
        "talk_id": message.talk_id,
        "type": "incoming" if message.author == "client" else "outgoing",
        "text": message.text,
        "author": {"type": message.author},
        "attachment": attachment,
        "delivery_status": message.delivery,
        "created_at": message.created_at,
    }


def bot_json(bot: Salesbot) -> JSON:
    """Give a Salesbot of the list. Source: protocol §5."""
    return {
        "id": bot.id,
        "name": bot.name,
        "type_functionality": "regular",
        "is_visual_editor": True,
        "settings": {"active": True},
        "is_favorite": False,
    }


def user_json(user: User) -> JSON:
    """Give a member of the team."""
    rights = {"is_admin": user.is_admin, "is_free": False, "is_active": True, "group_id": None, "role_id": None}
    return {"id": user.id, "name": user.name, "email": user.email, "lang": "en", "rights": rights}


def pipeline_json(pipeline: Pipeline, account: Account) -> JSON:
    """Give a pipeline with its stages."""
    return {
        "id": pipeline.id,
        "name": pipeline.name,
        "sort": 1 if pipeline.is_main else 2,
        "is_main": pipeline.is_main,
        "is_unsorted_on": True,
        "is_archive": False,
        "account_id": account.config.kommo_id,
        "_links": _links(account, f"/api/v4/leads/pipelines/{pipeline.id}"),
        "_embedded": {"statuses": [status_json(one, pipeline, account) for one in pipeline.statuses]},
    }


def status_json(status: Status, pipeline: Pipeline, account: Account) -> JSON:
    """Give a stage; the first of a pipeline, for incoming leads, is of type 1."""
    return {
        "id": status.id,
        "name": status.name,
        "sort": status.sort,
        "is_editable": status.id not in {142, 143},
        "pipeline_id": pipeline.id,
        "color": "#fffeb2",
        "type": 1 if status == pipeline.statuses[0] else 0,
        "account_id": account.config.kommo_id,
    }


def field_json(one: CustomField, account: Account) -> JSON:
    """Give a custom field."""
    return {
        "id": one.id,
        "name": one.name,
        "type": one.type,
        "code": one.code or None,
        "sort": 500,
        "entity_type": one.entity,
        "enums": [{"id": number, "value": value, "sort": 1} for number, value in one.enums] or None,
        "account_id": account.config.kommo_id,
    }


def note_json(note: Note, account: Account) -> JSON:
    """Give a note."""
    return {
        "id": note.id,
        "entity_id": note.entity_id,
        "created_by": note.created_by,
        "updated_by": note.created_by,
        "created_at": note.created_at,
        "updated_at": note.created_at,
        "responsible_user_id": note.created_by,
        "group_id": 0,
        "note_type": note.note_type,
        "params": note.params,
        "account_id": account.config.kommo_id,
    }


def task_json(task: Task, account: Account) -> JSON:
    """Give a task."""
    return {
        "id": task.id,
        "text": task.text,
        "entity_id": task.entity_id,
        "entity_type": task.entity_type,
        "complete_till": task.complete_till,
        "task_type_id": task.task_type_id,
        "responsible_user_id": task.responsible_user_id,
        "created_at": task.created_at,
        "is_completed": False,
        "account_id": account.config.kommo_id,
    }


def event_json(event: Event, account: Account) -> JSON:
    """Give a line of the history."""
    return {
        "id": event.id,
        "type": event.type,
        "entity_id": event.entity_id,
        "entity_type": event.entity_type,
        "created_by": event.created_by,
        "created_at": event.created_at,
        "value_after": [],
        "value_before": [],
        "account_id": account.config.kommo_id,
    }


def _links(account: Account, path: str) -> JSON:
    return {"self": {"href": f"{account.origin}{path}"}}


def _tags(card: Card) -> list[JSON]:
    return [{"id": tag_id(name), "name": name, "color": None} for name in card.tags]


def tag_id(name: str) -> int:
    """Give a tag's number; the same name has the same everywhere."""
    return 100_000 + sum(ord(char) * (place + 1) for place, char in enumerate(name))


def _fields(card: Card, crm: Crm, entity: str) -> list[JSON] | None:
    known = {number: crm.find_field(number, entity) for number in card.fields}
    shaped = [
        {
            "field_id": number,
            "field_name": one.name,
            "field_code": one.code or None,
            "field_type": one.type,
            "values": [{"value": value} for value in card.fields[number]],
        }
        for number, one in known.items()
        if one
    ]
    return shaped or None
