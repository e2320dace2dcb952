"""REST for Salesbots: starting, stopping, listing.

202 means queued: whether anything reaches a customer shows later. Source: protocol §5.
"""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from sandbox.accounts import Salesbot
from sandbox.rest.asking import Asking, Refused, as_object, broken, not_found, page_of
from sandbox.rest.shapes import bot_json

RUN_MAX: Final = 100
ENTITIES: Final[Mapping[object, str]] = {"leads": "leads", "contacts": "contacts"}
ENTITIES_V2: Final[Mapping[object, str]] = {1: "contacts", 2: "leads"}
FUNCTIONALITIES: Final = ("regular", "greeting", "marketing", "nps")
JSON = dict[str, Any]


def list_bots(asking: Asking) -> web.Response:
    """List the Salesbots, narrowed by `filter[id][]` and `filter[type_functionality][]`."""
    query = asking.request.query
    numbers, kinds = set(query.getall("filter[id][]", [])), set(query.getall("filter[type_functionality][]", []))
    for kind in kinds - set(FUNCTIONALITIES):
        raise broken("NotSupportedChoice", "filter[type_functionality]", f"{kind} is none of {FUNCTIONALITIES}")
    found = [bot for bot in asking.account.bots.values() if not numbers or str(bot.id) in numbers]
    return page_of(asking, "items", [bot_json(bot) for bot in found if not kinds or "regular" in kinds])


def show_bot(asking: Asking) -> web.Response:
    """Give a Salesbot."""
    return web.json_response(bot_json(_bot(asking, asking.number("id"))))


def run_bot(asking: Asking) -> web.Response:
    """Start a Salesbot for one lead or contact."""
    _check_right(asking)
    _run(asking, [{**as_object(asking.body), "bot_id": asking.number("id")}], ENTITIES, single=True)
    return _accepted()


def run_bots(asking: Asking) -> web.Response:
    """Start Salesbots for up to a hundred leads or contacts."""
    _check_right(asking)
    _run(asking, _listed(asking.body), ENTITIES)
    return _accepted()


def run_bots_v2(asking: Asking) -> web.Response:
    """Start Salesbots the older way, with numbers for the types."""
    _check_right(asking)
    _run(asking, _listed(asking.body), ENTITIES_V2)
    return web.json_response({"success": True, "_links": {}}, status=202)


def stop_bot(asking: Asking) -> web.Response:
    """Stop a Salesbot at a lead or contact."""
    _check_right(asking)
    bot = _bot(asking, asking.number("id"))
    entity_id, entity = _entity(as_object(asking.body), ENTITIES, "")
    chat = asking.account.chat_of(entity_id, entity)
    if chat is None:
        raise not_found("The entity")
    asking.desk.standin.stop_bot(asking.account, chat, bot.id)
    return _accepted()


def _run(asking: Asking, wanted: list[JSON], types: Mapping[object, str], *, single: bool = False) -> None:
    """Check all of it, then start."""
    starts = []
    for number, item in enumerate(wanted):
        place = "" if single else f"{number}."
        bot = _bot(asking, _number(item, "bot_id", place))
        chat = asking.account.chat_of(*_entity(item, types, place))
        if chat is None:
            raise not_found("The entity")
        starts.append((chat, bot))
    for chat, bot in starts:
        asking.desk.standin.run_bot(asking.account, chat, bot.id)


def _listed(body: object) -> list[JSON]:
    if not isinstance(body, list) or not body:
        raise broken("InvalidType", "", "This value should be a list with at least one element")
    if len(body) > RUN_MAX:
        raise broken("TooMany", "", f"This collection should contain {RUN_MAX} elements or less")
    return [as_object(item, str(number)) for number, item in enumerate(body)]


def _entity(item: JSON, types: Mapping[object, str], place: str) -> tuple[int, str]:
    kind = item.get("entity_type")
    if isinstance(kind, bool) or not isinstance(kind, str | int) or kind not in types:
        raise broken("NotSupportedChoice", f"{place}entity_type", f"One of {', '.join(map(str, types))} is expected")
    return _number(item, "entity_id", place), types[kind]


def _number(item: JSON, key: str, place: str) -> int:
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise broken("InvalidType", f"{place}{key}", "This value should be of type int")
    return value


def _bot(asking: Asking, number: int) -> Salesbot:
    bot = asking.account.bots.get(number)
    if bot is None:
        raise not_found("The bot")
    return bot


def _check_right(asking: Asking) -> None:
    if not asking.user.is_admin:
        raise Refused(403, "Only an administrator of the account may start and stop Salesbots")


def _accepted() -> web.Response:
    return web.Response(status=202, text="Accepted", content_type="text/html")
