"""The designer's addresses: its page, the upload as Kommo has it, the widget's own files, and all of it as JSON.

The script of a zip is code from outside. It is served from the page's own origin, so that the page's policy (scripts
from this origin alone, nothing inline, no eval) holds for it and for whatever it loads. Source: protocol §4.4.
"""

import mimetypes
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import BodyPartReader, web

from sandbox.accounts import Account
from sandbox.api.asked import WrongRequest, find_account, read_body
from sandbox.api.control import answering
from sandbox.api.desk import DESK
from sandbox.api.pages import FILES
from sandbox.designer import designing
from sandbox.designer.archives import UPLOAD_MAX_BYTES
from sandbox.designer.asked import read_settings, read_step, read_zip
from sandbox.designer.judging import Refused
from sandbox.designer.showing import keys_snapshot, shelf_snapshot
from sandbox.salesbot.flows import FlowError

UPLOADED: Final = {"response": True, "langs": {}}
API: Final = "/sandbox/api/designer/{account}"
# what a page may need of a widget; anything else is handed out as plain text, which no browser runs
TYPES: Final = {".js": "text/javascript", ".json": "application/json", ".css": "text/css"}
PICTURE_TYPES: Final = ("image/png", "image/jpeg", "image/gif")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def designer_routes() -> list[web.RouteDef]:
    """List them."""
    return [
        web.get("/designer/{account}", show_page),
        web.get("/designer/{account}/widget/{version}/{name:.+}", show_file),
        web.post("/ajax/widgets/{client_id}/widget/upload/", take_upload),
        web.get(API, answering(show_shelf)),
        web.get(f"{API}/keys", answering(show_keys)),
        web.post(f"{API}/upload", _answering(upload)),
        web.post(f"{API}/install", _answering(install)),
        web.post(f"{API}/remove", _answering(remove)),
        web.post(f"{API}/save", _answering(save)),
        web.post(f"{API}/import", _answering(import_salesbot)),
        web.delete(f"{API}/salesbot", _answering(discard)),
    ]


async def show_page(request: web.Request) -> web.FileResponse:
    """Show an account's designer."""
    known = request.match_info["account"] in request.app[DESK].standin.accounts
    return web.FileResponse(
        FILES / ("designer/designer.html" if known else "missing.html"), status=200 if known else 404
    )


async def show_file(request: web.Request) -> web.Response:
    """Give a file of the newest widget."""
    account = request.app[DESK].standin.accounts.get(request.match_info["account"])
    package = account.shelf.package if account else None
    name = request.match_info["name"]
    if package is None or package.version != request.match_info["version"] or name not in package.files:
        raise web.HTTPNotFound
    return web.Response(body=package.files[name], content_type=_type_of(name))


async def take_upload(request: web.Request) -> web.Response:
    """Take a zip as Kommo's integration window sends it: a form with one file.

    Its answers are as terse as Kommo's; which rule was broken, `GET /sandbox/api/designer/{account}` tells. Of several
    accounts that share an integration the query's `account` names one.
    """
    account = _account_of(request)
    try:
        await designing.upload(request.app[DESK].standin, account, await _file_of(request))
    except Refused as error:
        return web.json_response({"error": error.answer}, status=400)
    return web.json_response(UPLOADED)


async def show_shelf(request: web.Request) -> web.Response:
    """Give the account's widget, its settings and its Salesbot."""
    return web.json_response(shelf_snapshot(_account(request)))


async def show_keys(request: web.Request) -> web.Response:
    """Give the integration's keys, to be entered at the bridge."""
    return web.json_response(keys_snapshot(_account(request)))


async def upload(request: web.Request) -> web.Response:
    """Take a zip, base64 in `zip`: Kommo's answer, and the broken rules beside it."""
    blob = read_zip(await read_body(request))
    try:
        await designing.upload(request.app[DESK].standin, _account(request), blob)
    except Refused as error:
        return web.json_response({"error": error.answer, "broken": list(error.broken)}, status=400)
    return web.json_response(UPLOADED)


async def install(request: web.Request) -> web.Response:
    """Install the widget; with `settings` its window is saved too."""
    settings = read_settings(await read_body(request))
    designing.install(request.app[DESK].standin, _account(request), settings)
    return await show_shelf(request)


async def remove(request: web.Request) -> web.Response:
    """Switch the widget off."""
    designing.remove(request.app[DESK].standin, _account(request))
    return await show_shelf(request)


async def save(request: web.Request) -> web.Response:
    """Save the Salesbot: `{"handler", "params", "source", "exits", "links", "greeting"}`."""
    asked = read_step(await read_body(request))
    designing.save(request.app[DESK].standin, _account(request), asked)
    return await show_shelf(request)


async def import_salesbot(request: web.Request) -> web.Response:
    """Import a designer's export, JSON or text in `salesbot`."""
    asked = await read_body(request)
    if "salesbot" not in asked:
        raise WrongRequest("salesbot: is required, the exported file")
    designing.import_salesbot(request.app[DESK].standin, _account(request), asked["salesbot"])
    return await show_shelf(request)


async def discard(request: web.Request) -> web.Response:
    """Give the account the Salesbot of its config back."""
    designing.discard(request.app[DESK].standin, _account(request))
    return await show_shelf(request)


def _answering(handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (FlowError, designing.NotNow) as error:
            raise WrongRequest(str(error)) from error

    return answering(answer)


def _account(request: web.Request) -> Account:
    return find_account(request.app[DESK], request.match_info["account"])


def _account_of(request: web.Request) -> Account:
    """Give the account whose integration is named, and by the query if several have it."""
    accounts = request.app[DESK].standin.accounts.values()
    client_id, named = request.match_info["client_id"], request.query.get("account")
    for account in accounts:
        if account.config.client_id == client_id and named in (None, account.config.subdomain):
            return account
    raise web.HTTPNotFound


async def _file_of(request: web.Request) -> bytes:
    """Read the form's file, and no more of it than is allowed.

    Raises:
        Refused: there is no file in the form.
    """
    if not request.content_type.startswith("multipart/"):
        raise Refused(("The upload must be a form with a file.",))
    try:
        form = await request.multipart()
        while (part := await form.next()) is not None:
            if isinstance(part, BodyPartReader) and part.filename:
                return await _read(part)
    except (ValueError, RuntimeError) as error:
        raise Refused(("The upload is no form that can be read.",)) from error
    raise Refused(("The form has no file.",))


async def _read(part: BodyPartReader) -> bytes:
    """Read one byte more than allowed at most: the judge then says that it is too large."""
    found = bytearray()
    while len(found) <= UPLOAD_MAX_BYTES and (chunk := await part.read_chunk()):
        found += chunk
    return bytes(found)


def _type_of(name: str) -> str:
    guessed = mimetypes.guess_type(name)[0] or ""
    return TYPES.get(name[name.rfind(".") :], guessed if guessed in PICTURE_TYPES else "text/plain")
