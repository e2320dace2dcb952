"""What every request must pass, and what every answer carries.

The sandbox holds secrets and obeys whoever reaches it, so it answers this machine alone: the client's address and the
Host must be loopback (a foreign page could otherwise reach it by DNS tricks), and its control API takes only JSON from
its own pages or from programs (a foreign page's form cannot send that). An upload is a form, as it is for Kommo; a
browser names the page that sends one, and it must be ours.
"""

import ipaddress
import uuid
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from yarl import URL

from sandbox.api.desk import DESK
from sandbox.api.problems import block_page, problem

CONTROL: Final = "/sandbox/api/"
UPLOADS: Final = "/ajax/"
KOMMO: Final = "/api/"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def is_loopback(host: str | None) -> bool:
    """Tell whether a host name or address means this machine."""
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse strangers; turn the framework's own refusals into the words of the side that was asked."""
    refusal = _refusal(request)
    if refusal:
        return web.json_response({"error": refusal}, status=403)
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _in_words(request, error)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Give every answer the safety headers; those that it has stay."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith(KOMMO):
        response.headers.setdefault("X-Request-Id", uuid.uuid4().hex)  # protocol §9.2


def _refusal(request: web.Request) -> str:
    if not is_loopback(request.remote) or not is_loopback(_host_name(request.host)):
        return "The sandbox answers this machine only, by a loopback address or localhost."
    if not request.path.startswith((CONTROL, UPLOADS)) or request.method in {"GET", "HEAD"}:
        return ""
    if request.headers.get("Origin", f"http://{request.host}") != f"http://{request.host}":
        return "The control API takes no requests from other pages."
    if request.path.startswith(CONTROL) and request.content_type != "application/json":
        return "The control API takes JSON: send Content-Type: application/json."
    return ""


def _host_name(host: str) -> str | None:
    try:
        return URL(f"http://{host}").host
    except ValueError:
        return None


def _in_words(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if request.path.startswith(KOMMO):
        is_blocked = request.app[DESK].limit.is_blocked(request.remote or "")
        return block_page() if is_blocked else problem(error.status, error.reason)
    if request.path.startswith(CONTROL):
        return web.json_response({"error": error.text or error.reason}, status=error.status)
    raise error
