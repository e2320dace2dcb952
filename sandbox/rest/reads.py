"""REST reads: account, leads, contacts, custom fields, pipelines, users, tags, events, notes.

A filter that the sandbox does not know is refused, for passing it over would give a wrong list. Source: protocol §8.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from aiohttp import web

from sandbox.accounts import Account
from sandbox.crm.records import Card, Contact, Lead, Pipeline
from sandbox.rest.asking import Asking, broken, not_found, page_of
from sandbox.rest.shapes import (
    contact_json,
    event_json,
    field_json,
    lead_json,
    note_json,
    pipeline_json,
    status_json,
    tag_id,
    user_json,
)

JSON = dict[str, Any]
EVENT_TYPES: Final = (
    "lead_added",
    "lead_status_changed",
    "incoming_chat_message",
    "outgoing_chat_message",
    "entity_tag_added",
    "entity_tag_deleted",
    "entity_responsible_changed",
    "custom_field_value_changed",
    "sale_field_changed",
    "common_note_added",
    "task_added",
)
WITH_ACCOUNT: Final[Mapping[str, Callable[[Account], object]]] = {
    "amojo_id": lambda account: f"{account.config.kommo_id:08d}-0000-4000-8000-000000000000",
    "uuid": lambda account: f"{account.config.kommo_id:08d}-0000-4000-8000-000000000001",
    "amojo_rights": lambda _account: {"can_direct": True, "can_create_groups": True},
    "users_groups": lambda _account: [{"id": 0, "name": "Sales team"}],
    "task_types": lambda _account: [{"id": 1, "name": "Follow-up"}, {"id": 2, "name": "Meeting"}],
    "version": lambda _account: 11,
    "datetime_settings": lambda _account: {"timezone": "UTC", "timezone_offset": "+00:00", "date_format": "d.m.Y"},
    "drive_url": lambda _account: "https://drive-c.kommo.com",
    "is_api_filter_enabled": lambda _account: True,
}


def show_account(asking: Asking) -> web.Response:
    """Give the account; further facts with `with=`."""
    config = asking.account.config
    further = {name: give(asking.account) for name, give in WITH_ACCOUNT.items() if asking.wants(name)}
    facts: JSON = {
        "id": config.kommo_id,
        "name": config.name or config.subdomain,
        "subdomain": config.subdomain,
        "current_user_id": asking.user.id,
        "country": "US",
        "currency": "USD",
        "currency_symbol": "$",
        "customers_mode": "unavailable",
        "is_unsorted_on": True,
        "contact_name_display_order": 1,
        "_links": {"self": {"href": f"{asking.account.origin}/api/v4/account"}},
    }
    return web.json_response(facts | further)


def show_lead(asking: Asking) -> web.Response:
    """Give a lead."""
    lead = lead_of(asking, asking.number("id"))
    return web.json_response(lead_json(lead, asking.account, with_contacts=asking.wants("contacts")))


def list_leads(asking: Asking) -> web.Response:
    """List leads, narrowed by `query` and `filter[id]`."""
    found = _narrowed(asking, asking.crm.leads.values())
    contacts = asking.wants("contacts")
    return page_of(asking, "leads", [lead_json(one, asking.account, with_contacts=contacts) for one in found])


def show_contact(asking: Asking) -> web.Response:
    """Give a contact."""
    contact = contact_of(asking, asking.number("id"))
    return web.json_response(contact_json(contact, asking.account, with_leads=asking.wants("leads")))


def list_contacts(asking: Asking) -> web.Response:
    """List contacts, narrowed by `query` and `filter[id]`."""
    found = _narrowed(asking, asking.crm.contacts.values())
    leads = asking.wants("leads")
    return page_of(asking, "contacts", [contact_json(one, asking.account, with_leads=leads) for one in found])


def list_contact_chats(asking: Asking) -> web.Response:
    """List the chats of contacts, narrowed by `contact_id`."""
    wanted = _numbers(asking, {"contact_id", "contact_id[]", "filter[contact_id]", "filter[contact_id][]"})
    talks = [talk for talk in asking.crm.talks.values() if not wanted or talk.contact_id in wanted]
    chats = [{"id": talk.id, "contact_id": talk.contact_id, "chat_id": talk.chat_id} for talk in talks]
    return page_of(asking, "chats", chats)


def list_fields(asking: Asking) -> web.Response:
    """List the custom fields of leads, contacts, companies or customers."""
    entity = asking.request.match_info["entity"]
    own = [one for one in asking.crm.seeds.fields if one.entity == entity]
    return page_of(asking, "custom_fields", [field_json(one, asking.account) for one in own])


def list_pipelines(asking: Asking) -> web.Response:
    """List the pipelines."""
    return page_of(asking, "pipelines", [pipeline_json(one, asking.account) for one in asking.crm.seeds.pipelines])


def show_pipeline(asking: Asking) -> web.Response:
    """Give a pipeline."""
    return web.json_response(pipeline_json(_pipeline(asking), asking.account))


def list_statuses(asking: Asking) -> web.Response:
    """List a pipeline's stages."""
    pipeline = _pipeline(asking)
    return page_of(asking, "statuses", [status_json(one, pipeline, asking.account) for one in pipeline.statuses])


def list_users(asking: Asking) -> web.Response:
    """List the team."""
    return page_of(asking, "users", [user_json(user) for user in asking.crm.seeds.users])


def show_user(asking: Asking) -> web.Response:
    """Give a member of the team."""
    user = asking.crm.find_user(asking.number("id"))
    if user is None:
        raise not_found("The user")
    return web.json_response(user_json(user))


def list_tags(asking: Asking) -> web.Response:
    """List the tags that leads or contacts have."""
    cards = asking.crm.leads if asking.request.match_info["entity"] == "leads" else asking.crm.contacts
    names = sorted({name for card in cards.values() for name in card.tags})
    return page_of(asking, "tags", [{"id": tag_id(name), "name": name, "color": None} for name in names])


def list_events(asking: Asking) -> web.Response:
    """List the history, newest first, narrowed by `filter[type]` and `filter[entity_id]`."""
    known = {"filter[type]", "filter[type][]", "filter[entity_id]", "filter[entity_id][]", "filter[entity]"}
    _check_known(asking, known | {"filter[entity][]"})
    types = {part for key in ("filter[type]", "filter[type][]") for part in _texts(asking, key)}
    numbers = _numbers(asking, {"filter[entity_id]", "filter[entity_id][]"}, known=known | {"filter[entity][]"})
    kinds = {part for key in ("filter[entity]", "filter[entity][]") for part in _texts(asking, key)}
    found = [
        event
        for event in reversed(asking.crm.events)
        if (not types or event.type in types)
        and (not numbers or event.entity_id in numbers)
        and (not kinds or event.entity_type in kinds)
    ]
    return page_of(asking, "events", [event_json(event, asking.account) for event in found])


def list_event_types(asking: Asking) -> web.Response:
    """List the types of events that happen here."""
    return page_of(asking, "events_types", [{"key": key, "type": 1} for key in EVENT_TYPES])


def list_notes(asking: Asking) -> web.Response:
    """List the notes of a lead or contact."""
    entity = asking.request.match_info["entity"]
    card = card_of(asking, entity, asking.number("id"))
    found = [note for note in asking.crm.notes if note.entity == entity and note.entity_id == card.id]
    return page_of(asking, "notes", [note_json(note, asking.account) for note in found])


def lead_of(asking: Asking, number: int) -> Lead:
    """Find a lead.

    Raises:
        Refused: there is none; Kommo answers 404.
    """
    lead = asking.crm.leads.get(number)
    if lead is None:
        raise not_found("The lead")
    return lead


def contact_of(asking: Asking, number: int) -> Contact:
    """Find a contact.

    Raises:
        Refused: there is none.
    """
    contact = asking.crm.contacts.get(number)
    if contact is None:
        raise not_found("The contact")
    return contact


def card_of(asking: Asking, entity: str, number: int) -> Card:
    """Find a lead or a contact.

    Raises:
        Refused: there is none.
    """
    return lead_of(asking, number) if entity == "leads" else contact_of(asking, number)


def _pipeline(asking: Asking) -> Pipeline:
    number = asking.number("id")
    found = next((one for one in asking.crm.seeds.pipelines if one.id == number), None)
    if found is None:
        raise not_found("The pipeline")
    return found


def _narrowed(asking: Asking, cards: Collection[Any]) -> list[Any]:
    wanted = _numbers(asking, {"filter[id]", "filter[id][]"})
    query = asking.request.query.get("query", "").casefold()
    found = [card for card in cards if not wanted or card.id in wanted]
    return [card for card in found if query in _searched(card)] if query else found


def _searched(card: Card) -> str:
    values = [value for listed in card.fields.values() for value in listed]
    return "\n".join([str(card.id), card.name, *values]).casefold()


def _texts(asking: Asking, key: str) -> list[str]:
    return [part for value in asking.request.query.getall(key, []) for part in value.split(",")]


def _numbers(asking: Asking, keys: set[str], *, known: set[str] | None = None) -> set[int]:
    """Give the numbers under these keys of the query; other filters are refused."""
    _check_known(asking, known or keys)
    texts = [text for key in keys for text in _texts(asking, key)]
    if not all(text.isascii() and text.isdigit() for text in texts):
        raise broken("InvalidType", min(keys), "This value should be a number")
    return {int(text) for text in texts}


def _check_known(asking: Asking, known: Collection[str]) -> None:
    for key in asking.request.query:
        if key.startswith("filter") and key not in known:
            raise broken("NotSupportedChoice", key, f"The sandbox knows no such filter here; it has {sorted(known)}")
