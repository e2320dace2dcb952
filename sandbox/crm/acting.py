"""Carries out what a Salesbot's `action` asks of the CRM, and tells what was done.

What cannot be done (a stage that is not there, say) is told and changes nothing: a real bot goes on, too.
Source: protocol §3.2, §3.3 (incoming leads).
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Final

from sandbox.crm.crm import Crm
from sandbox.crm.records import LOST, Card, Lead
from sandbox.salesbot.effects import Acted
from sandbox.salesbot.handlers import Act

Params = Mapping[str, object]
FORMULA_MAX_CHARS: Final = 200
BUDGET_MAX: Final = 10**15
OPERATORS: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class CannotAct(ValueError):
    """An action that changes nothing; the text says why."""


def carry_out(act: Act, crm: Crm, lead: Lead) -> Acted:
    """Do what the action says to the lead or its contact."""
    if lead.unsorted_uid and act.name not in FOR_INCOMING:
        return Acted(f"{act.name} changed nothing: nobody has accepted the incoming lead yet.", worked=False)
    try:
        return Acted(ACTIONS[act.name](act.params, crm, lead))
    except CannotAct as error:
        return Acted(f"{act.name} changed nothing: {error}.", worked=False)


def budget_of(text: str) -> int:
    """Work out a budget: a number, or a formula of numbers with + - * / and brackets.

    Raises:
        CannotAct: it is neither.
    """
    try:
        value = _worth(ast.parse(text[:FORMULA_MAX_CHARS].strip(), mode="eval").body)
    except (SyntaxError, ZeroDivisionError, ValueError, RecursionError, MemoryError) as error:
        raise CannotAct(f'"{text[:FORMULA_MAX_CHARS]}" is no number') from error
    if not 0 <= value <= BUDGET_MAX:
        raise CannotAct(f"a budget is a number from 0 to {BUDGET_MAX}")
    return round(value)


def _worth(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_worth(inner)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
            return OPERATORS[type(sign)](_worth(left), _worth(right))
    raise ValueError("not arithmetic")


def _card(params: Params, crm: Crm, lead: Lead, key: str = "type") -> Card:
    return lead if str(params.get(key)) == "2" else crm.contacts[lead.contact_id]


def _name(card: Card) -> str:
    return f"lead {card.id}" if isinstance(card, Lead) else f"contact {card.id}"


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _number(value: object, what: str) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit()):
        raise CannotAct(f'"{text}" is no number of a {what}')
    return int(text)


def _set_tag(params: Params, crm: Crm, lead: Lead) -> str:
    card, tags = _card(params, crm, lead), _texts(params["value"])
    crm.tag(card, tags)
    return f"Tagged {_name(card)} with {', '.join(tags)}"


def _unset_tag(params: Params, crm: Crm, lead: Lead) -> str:
    card, tags = _card(params, crm, lead), _texts(params["value"])
    crm.untag(card, tags)
    return f"Took the tag {', '.join(tags)} off {_name(card)}"


def _change_status(params: Params, crm: Crm, lead: Lead) -> str:
    found = crm.find_status(_number(params["value"], "stage"), pipeline_id=lead.pipeline_id)
    if found is None:
        raise CannotAct(f"no pipeline has the stage {params['value']}")
    crm.move_lead(lead, *found)
    return f"Moved the lead to {found[0].name} in {found[1].name}"


def _set_custom_field(params: Params, crm: Crm, lead: Lead) -> str:
    card = _card(params, crm, lead)
    wanted = params.get("custom_fields_id") or params.get("custom_field")
    found = crm.find_field(_number(wanted, "custom field"), "leads" if isinstance(card, Lead) else "contacts")
    if found is None:
        raise CannotAct(f"{_name(card)} has no custom field {wanted}")
    before = card.fields.get(found.id, []) if params.get("option") == "add" else []
    crm.set_field(card, found.id, [*before, str(params["value"])])
    return f"Wrote the field {found.name} of {_name(card)}"


def _set_budget(params: Params, crm: Crm, lead: Lead) -> str:
    lead.price = budget_of(str(params["value"]))
    crm.touch(lead, "sale_field_changed")
    return f"Set the lead's budget to {lead.price:,}"


def _change_responsible(params: Params, crm: Crm, lead: Lead) -> str:
    user = crm.find_user(_number(params["value"], "user"))
    if user is None:
        raise CannotAct(f"the account has no user {params['value']}")
    lead.responsible_user_id = user.id
    crm.touch(lead, "entity_responsible_changed")
    return f"Made {user.name} responsible for the lead"


def _add_note(params: Params, crm: Crm, lead: Lead) -> str:
    card = _card(params, crm, lead, "element_type")
    crm.add_note(card, str(params["text"]))
    return f"Wrote a note at {_name(card)}"


def _subscribe(params: Params, _crm: Crm, lead: Lead) -> str:
    who = f"{params['type']} {params.get('value') or ''}".strip()
    if who not in lead.subscribers:
        lead.subscribers.append(who)
    return f"Subscribed {who} to the chat"


def _unsubscribe(params: Params, _crm: Crm, lead: Lead) -> str:
    who = f"{params['type']} {params.get('value') or ''}".strip()
    lead.subscribers[:] = [] if params["type"] == "all" else [one for one in lead.subscribers if one != who]
    return f"Unsubscribed {who} from the chat"


def settle_unsorted(crm: Crm, lead: Lead, *, accept: bool, status_id: int | None = None) -> None:
    """Accept an incoming lead into a stage (its pipeline's first when None), or decline it.

    Raises:
        CannotAct: it is not incoming any more, or there is no such stage.
    """
    if not lead.unsorted_uid:
        raise CannotAct("the lead is not an incoming one any more")
    line = next(line for line in crm.seeds.pipelines if line.id == lead.pipeline_id)
    wanted = line.statuses[1].id if status_id is None else status_id
    found = crm.find_status(wanted if accept else LOST, pipeline_id=lead.pipeline_id)
    if found is None:
        raise CannotAct(f"no pipeline has the stage {wanted}")
    lead.unsorted_uid = ""
    crm.move_lead(lead, *found)


def _unsorted(params: Params, crm: Crm, lead: Lead) -> str:
    settle_unsorted(crm, lead, accept=params["value"] == "accept")
    return "Accepted the incoming lead" if params["value"] == "accept" else "Declined the incoming lead"


def _send_internal(params: Params, crm: Crm, _lead: Lead) -> str:
    crm.internal.append(str(params["message"]))
    return "Wrote in the team's own chat"


ACTIONS: Final[Mapping[str, Callable[[Params, Crm, Lead], str]]] = {
    "unsorted": _unsorted,
    "change_status": _change_status,
    "set_tag": _set_tag,
    "unset_tag": _unset_tag,
    "set_custom_fields": _set_custom_field,
    "set_budget": _set_budget,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "change_responsible_user": _change_responsible,
    "add_note": _add_note,
    "send_internal": _send_internal,
}
FOR_INCOMING: Final = frozenset({"unsorted", "send_internal", "add_note"})
