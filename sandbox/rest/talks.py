"""REST for talks: reading them and their messages, closing them, and the paid way to write into them.

Source: protocol §8.6.
"""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from sandbox.chats import Chat
from sandbox.crm.records import Talk
from sandbox.rest.asking import Asking, Refused, as_object, broken, not_found, page_of
from sandbox.rest.shapes import message_json, talk_json

# Messages a month by plan; the others may not write at all. Source: protocol §8.6.
QUOTA: Final[Mapping[str, int]] = {"trial": 100, "pro": 500, "enterprise": 500, "technical": 10_000}


def show_talk(asking: Asking) -> web.Response:
    """Give a talk."""
    return web.json_response(talk_json(_talk(asking), asking.account))


def list_talks(asking: Asking) -> web.Response:
    """List talks, narrowed by `filter[contact_id]` and `filter[entity_id]`."""
    query = asking.request.query
    found = list(asking.crm.talks.values())
    for key, field in (("contact_id", "contact_id"), ("entity_id", "lead_id")):
        wanted = query.get(f"filter[{key}]") or query.get(key)
        found = [talk for talk in found if wanted is None or str(getattr(talk, field)) == wanted]
    return page_of(asking, "talks", [talk_json(talk, asking.account) for talk in found])


def list_messages(asking: Asking) -> web.Response:
    """List a talk's messages, newest first; reading is not counted."""
    messages = reversed(asking.crm.messages[_talk(asking).id])
    return page_of(asking, "messages", [message_json(message) for message in messages])


def close_talk(asking: Asking) -> web.Response:
    """Close a talk: 202."""
    wanted = as_object(asking.body or {})
    if not isinstance(wanted.get("force_close", False), bool):
        raise broken("InvalidType", "force_close", "This value should be of type bool")
    _talk(asking).is_in_work = False
    return web.Response(status=202, text="Accepted", content_type="text/html")


def send_message(asking: Asking) -> web.Response:
    """Write to the customer past the Salesbot; only some plans may, and only so often."""
    talk = _talk(asking)
    quota = QUOTA.get(asking.account.config.plan)
    if quota is None:
        raise Refused(402, "The account's plan does not include the chat interface")
    sent = sum(message.author == "user" for messages in asking.crm.messages.values() for message in messages)
    if sent >= quota:
        raise Refused(402, f"The account has used its {quota} messages of this month")
    if not talk.is_in_work:
        raise Refused(422, "The talk is closed")
    text = as_object(asking.body).get("text")
    if not isinstance(text, str) or not text:
        raise broken("InvalidType", "text", "This value should be of type string")
    number = asking.desk.standin.speak(asking.account, _chat(asking, talk), text)
    return web.json_response({"id": number}, status=202)


def _talk(asking: Asking) -> Talk:
    talk = asking.crm.talks.get(asking.number("id"))
    if talk is None:
        raise not_found("The talk")
    return talk


def _chat(asking: Asking, talk: Talk) -> Chat:
    chat = asking.account.chat_of(talk.lead_id, "leads")
    if chat is None:
        raise not_found("The talk")
    return chat
