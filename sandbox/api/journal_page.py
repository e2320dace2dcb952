"""The journal as a page: the stream of entries that its sequence diagram is drawn from, tokens masked.

The JSON lines of the control API and the file keep everything as it was, since a stand-in's secrets are made up; a page
is what people share on a screen, so Bearer tokens and the tokens of widget_requests are cut there.
"""

import re
from typing import Any, Final

from aiohttp import web

from sandbox.api.desk import DESK
from sandbox.api.pages import FILES, Unwatch, Wake, stream
from sandbox.journal import Entry

SHOWN_MAX: Final = 400  # entries; older ones are in the JSON lines
BODY_MAX_CHARS: Final = 20_000
BEARER: Final = re.compile(r"(?i)\b(bearer\s+)(\S+)")
JWT: Final = re.compile(r"\beyJ[\w-]{6,}\.[\w-]+\.[\w-]+")
ENDS: Final = 4  # characters that stay readable, to tell two tokens apart
MASK_FROM_CHARS: Final = 12  # a shorter token would be half told by its end


async def show_journal_page(_request: web.Request) -> web.FileResponse:
    """Show the journal page."""
    return web.FileResponse(FILES / "journal" / "journal.html")


async def stream_journal(request: web.Request) -> web.StreamResponse:
    """Send the last entries and then each new one, as lists; `account` and `customer` narrow them."""
    journal, seen = request.app[DESK].standin.journal, 0
    exact = {key: request.query[key] for key in ("account", "customer") if request.query.get(key)}

    def watch(wake: Wake) -> Unwatch:
        return journal.watch(wake)

    def news() -> list[Entry]:
        nonlocal seen
        fresh = journal.latest(SHOWN_MAX, after=seen, wanted=lambda entry: concerns(entry, exact))
        seen = journal.last_seq  # past those that are not wanted too, or each wake-up would search them again
        return [masked(entry) for entry in fresh]

    return await stream(request, watch, news)


def concerns(entry: Entry, exact: dict[str, str]) -> bool:
    """Tell whether an entry is about this account and customer, or about everybody."""
    return all(entry.get(key, "") in {"", value} for key, value in exact.items())


def masked(value: Any) -> Any:
    """Give an entry, or a part of one, with its tokens cut and long texts shortened."""
    if isinstance(value, str):
        return _masked_text(value)
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return value


def _masked_text(text: str) -> str:
    if len(text) > BODY_MAX_CHARS:
        text = f"{text[:BODY_MAX_CHARS]}… ({len(text):,} characters; the JSON lines have them all)"
    text = BEARER.sub(lambda found: f"{found[1]}{_cut(found[2])}", text)
    return JWT.sub(lambda found: _cut(found[0]), text)


def _cut(token: str) -> str:
    return f"•••{token[-ENDS:]}" if len(token) >= MASK_FROM_CHARS else "•••"
