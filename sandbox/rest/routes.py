"""The addresses of the REST interface. Source: protocol §5, §8, §8.6."""

from typing import Final

from aiohttp import web

from sandbox.rest import bots, reads, talks, writes
from sandbox.rest.asking import rest

V4: Final = "/api/v4"
ID: Final = "{id:[0-9]{1,15}}"
CARDS: Final = "{entity:leads|contacts}"


def rest_routes() -> list[web.RouteDef]:
    """List them; a fixed word stands before a pattern that would take it."""
    return [*_account_routes(), *_card_routes(), *_bot_routes(), *_talk_routes()]


def _account_routes() -> list[web.RouteDef]:
    return [
        web.get(f"{V4}/account", rest(reads.show_account)),
        web.get(f"{V4}/users", rest(reads.list_users)),
        web.get(f"{V4}/users/{ID}", rest(reads.show_user)),
        web.get(f"{V4}/leads/pipelines", rest(reads.list_pipelines)),
        web.get(f"{V4}/leads/pipelines/{ID}", rest(reads.show_pipeline)),
        web.get(f"{V4}/leads/pipelines/{ID}/statuses", rest(reads.list_statuses)),
        web.get(f"{V4}/{{entity:leads|contacts|companies|customers}}/custom_fields", rest(reads.list_fields)),
        web.get(f"{V4}/events", rest(reads.list_events)),
        web.get(f"{V4}/events/types", rest(reads.list_event_types)),
        web.post(f"{V4}/tasks", rest(writes.add_tasks)),
    ]


def _card_routes() -> list[web.RouteDef]:
    return [
        web.get(f"{V4}/leads", rest(reads.list_leads)),
        web.patch(f"{V4}/leads", rest(writes.change_leads)),
        web.get(f"{V4}/leads/{ID}", rest(reads.show_lead)),
        web.patch(f"{V4}/leads/{ID}", rest(writes.change_lead)),
        web.post(f"{V4}/leads/unsorted/{{uid:[0-9a-f]{{32}}}}/accept", rest(writes.accept_unsorted)),
        web.delete(f"{V4}/leads/unsorted/{{uid:[0-9a-f]{{32}}}}/decline", rest(writes.decline_unsorted)),
        web.get(f"{V4}/contacts", rest(reads.list_contacts)),
        web.get(f"{V4}/contacts/chats", rest(reads.list_contact_chats)),
        web.get(f"{V4}/contacts/{ID}", rest(reads.show_contact)),
        web.get(f"{V4}/{CARDS}/tags", rest(reads.list_tags)),
        web.post(f"{V4}/{CARDS}/tags", rest(writes.add_tags)),
        web.get(f"{V4}/{CARDS}/{ID}/notes", rest(reads.list_notes)),
        web.post(f"{V4}/{CARDS}/{ID}/notes", rest(writes.add_notes)),
    ]


def _bot_routes() -> list[web.RouteDef]:
    return [
        web.get(f"{V4}/bots", rest(bots.list_bots)),
        web.get(f"{V4}/bots/{ID}", rest(bots.show_bot)),
        web.post(f"{V4}/bots/run", rest(bots.run_bots)),
        web.post(f"{V4}/bots/{ID}/run", rest(bots.run_bot)),
        web.post(f"{V4}/bots/{ID}/stop", rest(bots.stop_bot)),
        web.post("/api/v2/salesbot/run", rest(bots.run_bots_v2)),
    ]


def _talk_routes() -> list[web.RouteDef]:
    return [
        web.get(f"{V4}/talks", rest(talks.list_talks)),
        web.get(f"{V4}/talks/{ID}", rest(talks.show_talk)),
        web.get(f"{V4}/talks/{ID}/messages", rest(talks.list_messages)),
        web.post(f"{V4}/talks/{ID}/close", rest(talks.close_talk)),
        web.post(f"{V4}/talks/{ID}/send_message", rest(talks.send_message)),
    ]
