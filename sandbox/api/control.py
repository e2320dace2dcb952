"""The JSON control API: what tests and the page use to let customers write and to look at what happened.

Every answer is JSON; a wrong request gets `{"error": "field: rule"}`. `account` may be left out while there is one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final, get_args

from aiohttp import web

from sandbox.accounts import Account
from sandbox.api.asked import (
    NotHere,
    WrongRequest,
    chat_for,
    find_account,
    find_chat,
    known_chat,
    read_body,
    read_text,
    read_whole,
)
from sandbox.api.desk import DESK
from sandbox.api.fault_kinds import WrongFault
from sandbox.chats import NAME_MAX_CHARS, chat_snapshot, chat_summary
from sandbox.clock import MOVE_MAX_SECONDS
from sandbox.config import ConfigError, WhenBusy
from sandbox.dispatch import NothingSent
from sandbox.journal import Entry, as_line
from sandbox.standin import NoHookUrl

JSON = dict[str, Any]
TEXT_MAX_CHARS: Final = 100_000
COPIES_MAX: Final = 1_000
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answering(handler: Handler) -> Handler:
    """Turn what a control handler raises into an answer."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (WrongRequest, WrongFault, ConfigError, NoHookUrl, NothingSent) as error:
            return web.json_response({"error": str(error)}, status=400)
        except NotHere as error:
            return web.json_response({"error": str(error)}, status=404)

    return answer


async def list_accounts(request: web.Request) -> web.Response:
    """Give accounts, without their secrets, a line on each chat, and where the bridge's admin is."""
    standin = request.app[DESK].standin
    accounts = [_account(account) for account in standin.accounts.values()]
    return web.json_response({"accounts": accounts, "bridge_admin_url": standin.bridge_admin_url})


async def change_account(request: web.Request) -> web.Response:
    """Change settings of an account: `{"hook_url": …, "encoding": …}`."""
    account = find_account(request.app[DESK], request.match_info["account"])
    request.app[DESK].standin.configure(account, await read_body(request))
    return web.json_response(_account(account))


async def open_chat(request: web.Request) -> web.Response:
    """Open a customer's chat, a new one if need be: `{"account", "customer" or "name", "channel"}`."""
    chat = chat_for(request, await read_body(request))[1]
    return web.json_response(chat_snapshot(chat))


async def show_chat(request: web.Request) -> web.Response:
    """Give a chat whole."""
    return web.json_response(chat_snapshot(find_chat(request)))


async def send_message(request: web.Request) -> web.Response:
    """Let a customer write: `{"account", "customer", "text", …}`; further fields as in `StandIn.say`, `open_chat`."""
    asked = await read_body(request)
    text = read_text(asked, "text", limit=TEXT_MAX_CHARS)
    attachment = read_text(asked, "attachment", limit=NAME_MAX_CHARS)
    copies = read_whole(asked, "copies", high=COPIES_MAX)
    when_busy = asked.get("when_busy")
    if when_busy is not None and when_busy not in get_args(WhenBusy):
        raise WrongRequest(f"when_busy: must be one of {', '.join(get_args(WhenBusy))}")
    account, chat = chat_for(request, asked)
    standin = request.app[DESK].standin
    said = standin.say(account, chat, text=text, attachment=attachment, copies=copies, when_busy=when_busy)
    return web.json_response(asdict(said))


async def duplicate(request: web.Request) -> web.Response:
    """Send a chat's last widget_request again: `{"account", "customer", "times"}`; answers when all are answered."""
    asked = await read_body(request)
    times = read_whole(asked, "times", high=COPIES_MAX)
    account, chat = known_chat(request, asked)
    acks = await request.app[DESK].standin.dispatch.send_again(account, chat, times)
    return web.json_response({"answers": [asdict(ack) for ack in acks]})


async def stop_bots(request: web.Request) -> web.Response:
    """Stop the chat's Salesbots and start one that listens: `{"account", "customer"}`."""
    account, chat = known_chat(request, await read_body(request))
    request.app[DESK].standin.stop_bots(account, chat)
    return web.json_response(chat_snapshot(chat))


async def show_clock(request: web.Request) -> web.Response:
    """Give the sandbox's own time, unix seconds; timers of Salesbots go by it."""
    return web.json_response({"now": request.app[DESK].standin.clock.now()})


async def move_clock(request: web.Request) -> web.Response:
    """Move the sandbox's own time forward: `{"seconds": 3600}`; timers that end meanwhile go off."""
    asked, standin = await read_body(request), request.app[DESK].standin
    seconds = asked.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= MOVE_MAX_SECONDS:
        raise WrongRequest(f"seconds: must be a number over 0, at most {MOVE_MAX_SECONDS}")
    standin.journal.note("clock_moved", seconds=seconds)
    standin.clock.advance(seconds)
    return web.json_response({"now": standin.clock.now()})


async def show_journal(request: web.Request) -> web.Response:
    """Give the journal as JSON lines; `account`, `customer`, `kind` and `after` (a seq) narrow it."""
    query = request.query
    after = query.get("after", "0")
    if not (after.isascii() and after.isdigit()):
        raise WrongRequest("after: must be a number")
    exact = {key: query[key] for key in ("account", "customer", "kind") if key in query}

    def wanted(entry: Entry) -> bool:
        return entry["seq"] > int(after) and all(entry.get(key) == value for key, value in exact.items())

    lines = b"".join(as_line(entry) for entry in request.app[DESK].standin.journal.entries(wanted))
    return web.Response(body=lines, content_type="application/x-ndjson", charset="utf-8")


def _account(account: Account) -> JSON:
    shown = ("subdomain", "kommo_id", "name", "channel", "hook_url", "bot", "encoding", "algorithm", "bot_type")
    facts = {key: getattr(account.config, key) for key in (*shown, "salesbot_id", "when_busy", "token_life_s")}
    chats = [chat_summary(chat) for chat in account.chats.values()]
    return {**facts, "origin": account.origin, "is_designed": account.shelf.running is not None, "chats": chats}
