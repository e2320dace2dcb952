"""REST writes: leads, notes, tasks, tags, incoming leads.

Source: protocol §8, §9.3.
"""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from sandbox.crm.acting import CannotAct, settle_unsorted
from sandbox.crm.records import Card, Lead, Task
from sandbox.ids import next_id
from sandbox.rest.asking import Asking, Refused, as_batch, as_object, broken, embedded, not_found
from sandbox.rest.reads import card_of, lead_of
from sandbox.rest.shapes import tag_id

JSON = dict[str, Any]
TEXT_MAX_CHARS: Final = 20_000
LEAD_KEYS: Final = frozenset(
    {"id", "name", "price", "status_id", "pipeline_id", "responsible_user_id", "custom_fields_values"}
    | {"tags_to_add", "tags_to_delete", "updated_at", "request_id"}
)
NOTE_TYPES: Final = (
    *("common", "call_in", "call_out", "service_message", "extended_service_message", "geolocation"),
    *("sms_in", "sms_out", "attachment", "ai_result"),
)


def change_lead(asking: Asking) -> web.Response:
    """Change one lead."""
    lead = lead_of(asking, asking.number("id"))
    _change(asking, lead, as_object(asking.body), "")
    return web.json_response({"id": lead.id, "updated_at": lead.updated_at, "_links": {}})


def change_leads(asking: Asking) -> web.Response:
    """Change several leads; each entry names its own by `id`."""
    changes = [(lead_of(asking, _number(item, "id", str(n))), item) for n, item in enumerate(as_batch(asking.body))]
    for place, (lead, item) in enumerate(changes):
        _change(asking, lead, item, f"{place}.")
    return embedded("leads", [{"id": lead.id, "updated_at": lead.updated_at, "_links": {}} for lead, _ in changes])


def _change(asking: Asking, lead: Lead, wanted: JSON, place: str) -> None:
    """Check all of it, then change: a refused body changes nothing. Custom fields are not told back (protocol §8)."""
    for key in wanted.keys() - LEAD_KEYS:
        raise broken("NotSupportedChoice", f"{place}{key}", "This field was not expected")
    values = _field_values(asking, wanted, place)
    status = _status(asking, lead, wanted, place)
    texts = {key: _tag_names(wanted.get(key), f"{place}{key}") for key in ("tags_to_add", "tags_to_delete")}
    numbers = {str(key): _number(wanted, key, place) for key in ("price", "responsible_user_id") if key in wanted}
    if "responsible_user_id" in numbers and asking.crm.find_user(numbers["responsible_user_id"]) is None:
        raise broken("NotSupportedChoice", f"{place}responsible_user_id", "The account has no such user")
    _apply(asking, lead, wanted, numbers)
    if status:
        asking.crm.move_lead(lead, *status)
    for number, listed in values.items():
        asking.crm.set_field(lead, number, listed)
    asking.crm.tag(lead, texts["tags_to_add"])
    asking.crm.untag(lead, texts["tags_to_delete"])


def _apply(asking: Asking, lead: Lead, wanted: JSON, numbers: Mapping[str, int]) -> None:
    if isinstance(wanted.get("name"), str):
        lead.name = wanted["name"]
    lead.price = numbers.get("price", lead.price)
    if "responsible_user_id" in numbers:
        lead.responsible_user_id = numbers["responsible_user_id"]
        asking.crm.touch(lead, "entity_responsible_changed")
    lead.updated_at = int(asking.crm.now())


def _status(asking: Asking, lead: Lead, wanted: JSON, place: str) -> Any:
    if "status_id" not in wanted:
        return None
    pipeline_id = _number(wanted, "pipeline_id", place) if "pipeline_id" in wanted else lead.pipeline_id
    found = asking.crm.find_status(_number(wanted, "status_id", place), pipeline_id=pipeline_id)
    if found is None or found[1].id != pipeline_id:
        raise broken("NotSupportedChoice", f"{place}status_id", "The pipeline has no such status")
    return found


def _field_values(asking: Asking, wanted: JSON, place: str) -> dict[int, list[str]]:
    listed = wanted.get("custom_fields_values") or []
    if not isinstance(listed, list):
        raise broken("InvalidType", f"{place}custom_fields_values", "This value should be of type array")
    found = {}
    for number, item in enumerate(listed):
        path = f"{place}custom_fields_values.{number}"
        entry = as_object(item, path)
        field_id = _number(entry, "field_id", f"{path}.")
        if asking.crm.find_field(field_id, "leads") is None:
            raise broken("NotSupportedChoice", f"{path}.field_id", "The account has no such custom field")
        found[field_id] = _values(entry.get("values"), f"{path}.values")
    return found


def _values(raw: object, path: str) -> list[str]:
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(item, dict) and "value" in item for item in raw):
        raise broken("InvalidType", path, "This value should be a list of objects with value")
    return [str(item["value"]) for item in raw]


def _tag_names(raw: object, path: str) -> list[str]:
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(
        isinstance(item, dict) and isinstance(item.get("name"), str) for item in raw
    ):
        raise broken("InvalidType", path, "This value should be a list of objects with name")
    return [item["name"] for item in raw]


def add_notes(asking: Asking) -> web.Response:
    """Write notes at a lead or contact: a list, as collections take it."""
    entity = asking.request.match_info["entity"]
    card = card_of(asking, entity, asking.number("id"))
    checked = [_note(item, number) for number, item in enumerate(as_batch(asking.body))]
    notes = [asking.crm.add_note(card, "", note_type=kind, params=params) for kind, params in checked]
    return embedded("notes", [{"id": note.id, "entity_id": card.id, "_links": {}} for note in notes])


def _note(item: JSON, number: int) -> tuple[str, JSON]:
    kind, params = item.get("note_type"), as_object(item.get("params"), f"{number}.params")
    if kind not in NOTE_TYPES:
        raise broken("NotSupportedChoice", f"{number}.note_type", f"One of {', '.join(NOTE_TYPES)} is expected")
    if kind == "common" and not isinstance(params.get("text"), str):
        raise broken("InvalidType", f"{number}.params.text", "This value should be of type string")
    if len(str(params.get("text", ""))) > TEXT_MAX_CHARS:
        raise broken("TooLong", f"{number}.params.text", f"It should have {TEXT_MAX_CHARS} characters or less")
    return str(kind), params


def add_tasks(asking: Asking) -> web.Response:
    """Make tasks: a list, as collections take it."""
    tasks = [_task(asking, item, number) for number, item in enumerate(as_batch(asking.body))]
    asking.crm.tasks.extend(tasks)
    for task in tasks:
        asking.crm.record("task_added", task.entity_id, entity_type="lead")
    return embedded("tasks", [{"id": task.id, "_links": {}} for task in tasks])


def _task(asking: Asking, item: JSON, number: int) -> Task:
    text, entity = item.get("text"), item.get("entity_type", "leads")
    if not isinstance(text, str) or not text:
        raise broken("InvalidType", f"{number}.text", "This value should be of type string")
    if entity not in {"leads", "contacts"}:
        raise broken("NotSupportedChoice", f"{number}.entity_type", "One of leads, contacts is expected")
    card: Card | None = (
        card_of(asking, entity, _number(item, "entity_id", f"{number}.")) if "entity_id" in item else None
    )
    return Task(
        id=next_id(),
        text=text,
        entity_id=card.id if card else 0,
        entity_type=entity,
        complete_till=_number(item, "complete_till", f"{number}."),
        task_type_id=_number(item, "task_type_id", f"{number}.") if "task_type_id" in item else 1,
        responsible_user_id=item.get("responsible_user_id") or asking.user.id,
        created_at=int(asking.crm.now()),
    )


def add_tags(asking: Asking) -> web.Response:
    """Make tags: a list of names. Here a tag lives at its leads, so this only gives the numbers back."""
    names = [item.get("name") for item in as_batch(asking.body)]
    for number, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise broken("InvalidType", f"{number}.name", "This value should be of type string")
    return embedded("tags", [{"id": tag_id(str(name)), "name": name, "color": None} for name in names])


def accept_unsorted(asking: Asking) -> web.Response:
    """Accept an incoming lead: `{"user_id", "status_id"}`, both optional."""
    return _settle(asking, accept=True)


def decline_unsorted(asking: Asking) -> web.Response:
    """Decline an incoming lead."""
    return _settle(asking, accept=False)


def _settle(asking: Asking, *, accept: bool) -> web.Response:
    uid = asking.request.match_info["uid"]
    lead = next((one for one in asking.crm.leads.values() if one.unsorted_uid == uid), None)
    if lead is None:
        raise not_found("The incoming lead")
    wanted = as_object(asking.body or {})
    try:
        settle_unsorted(asking.crm, lead, accept=accept, status_id=wanted.get("status_id"))
    except CannotAct as error:
        raise Refused(400, str(error)) from error
    return web.json_response({"uid": uid, "_embedded": {"leads": [{"id": lead.id}]}})


def _number(item: JSON, key: str, place: str) -> int:
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise broken("InvalidType", f"{place}{key}", "This value should be of type int")
    return value
