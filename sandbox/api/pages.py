"""The pages of the sandbox and the streams that keep an open page fresh."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from aiohttp import web

from sandbox.api.asked import find_chat
from sandbox.api.desk import DESK
from sandbox.chats import CUSTOMER, chat_snapshot

# not named "static": Django would publish the files with the product
FILES: Final = Path(__file__).resolve().parent.parent / "web"
HEARTBEAT_SECONDS: Final = 15
SETTLE_SECONDS: Final = 0.03  # several changes of one moment travel as one
Wake = Callable[[], None]
Unwatch = Callable[[], None]


async def show_index(_request: web.Request) -> web.FileResponse:
    """Show accounts and customers."""
    return web.FileResponse(FILES / "index.html")


async def show_chat_page(request: web.Request) -> web.FileResponse:
    """Show one customer's chat; the page itself opens it."""
    known = request.match_info["account"] in request.app[DESK].standin.accounts
    found = known and CUSTOMER.fullmatch(request.match_info["customer"])
    return web.FileResponse(FILES / ("chat/chat.html" if found else "missing.html"), status=200 if found else 404)


async def stream_chat(request: web.Request) -> web.StreamResponse:
    """Send the chat whole now and after every change, as server-sent events."""
    desk, chat = request.app[DESK], find_chat(request)

    def watch(wake: Wake) -> Unwatch:
        return desk.standin.watch(lambda other: wake() if other is chat else None)

    return await stream(request, watch, lambda: chat_snapshot(chat))


async def stream(
    request: web.Request, watch: Callable[[Wake], Unwatch], news: Callable[[], object]
) -> web.StreamResponse:
    """Send `news` as JSON now and whenever `watch` wakes us, as server-sent events; empty news are kept back."""
    desk, changed = request.app[DESK], asyncio.Event()
    changed.set()
    unwatch = watch(changed.set)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    try:
        await response.prepare(request)
        with desk.answering_long(), suppress(ConnectionResetError):  # the page was closed
            await _stream(response, changed, news)
    except asyncio.CancelledError:
        if not desk.is_stopping:
            raise
        _end_well()
    finally:
        unwatch()
    return response


async def _stream(response: web.StreamResponse, changed: asyncio.Event, news: Callable[[], object]) -> None:
    while True:
        try:
            await asyncio.wait_for(changed.wait(), HEARTBEAT_SECONDS)
        except TimeoutError:
            await response.write(b": still here\n\n")
            continue
        await asyncio.sleep(SETTLE_SECONDS)
        changed.clear()
        if told := news():
            await response.write(b"data: " + json.dumps(told, default=str).encode() + b"\n\n")


def _end_well() -> None:
    """Forget the cancellation: the stream ends as a whole answer, not as a broken one."""
    task = asyncio.current_task()
    if task:
        task.uncancel()
