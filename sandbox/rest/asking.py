"""What every REST call passes before it is answered: limits, Bearer, pages, JSON; and how it is told in the journal.

Source: protocol §8, §9, §9.3.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from sandbox.accounts import Account
from sandbox.api.access import Caller, find_caller, refuse_by_account, refuse_by_address, unauthorised
from sandbox.api.desk import DESK, Desk
from sandbox.api.problems import invalid, problem
from sandbox.crm.crm import Crm
from sandbox.crm.records import User

PAGE_MAX: Final = 250  # protocol §9
BATCH_MAX: Final = 250
PAGE_USUAL: Final = 50
KEPT_CHARS: Final = 4_000  # of bodies in the journal
JSON = dict[str, Any]


class Refused(Exception):
    """A call that Kommo answers with a problem; `errors` are `{code, path, detail}` of a broken rule."""

    def __init__(self, status: int, detail: str, *, errors: list[dict[str, str]] | None = None) -> None:
        """Keep what the answer says."""
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One call: who asks what.

    Args:
        desk: the sandbox.
        request: the call.
        account: whose Bearer it is.
        user: for whom it acts.
        body: parsed JSON; None without one.
    """

    desk: Desk
    request: web.Request
    account: Account
    user: User
    body: object = None

    @property
    def crm(self) -> Crm:
        """Give the account's CRM."""
        return self.account.crm

    def number(self, name: str) -> int:
        """Give a number of the path."""
        return int(self.request.match_info[name])

    def wants(self, name: str) -> bool:
        """Tell whether `with=` names it."""
        return name in self.request.query.get("with", "").split(",")


Answer = Callable[[Asking], web.Response]


def rest(answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Put an answering function behind limits and Bearer, and tell call and answer in the journal."""

    async def respond(request: web.Request) -> web.StreamResponse:
        desk = request.app[DESK]
        raw = (await request.read()).decode("utf-8", "replace")
        caller = find_caller(desk, request)
        response = _respond(desk, request, raw, caller, answer)
        desk.standin.journal.note(
            "rest",
            account=caller.account.config.subdomain if caller else "",
            remote=request.remote,
            method=request.method,
            path=request.raw_path,
            body=raw[:KEPT_CHARS],
            status=response.status,
            answer=(response.text or "")[:KEPT_CHARS],
        )
        await desk.standin.journal.settled()
        return response

    return respond


def _respond(desk: Desk, request: web.Request, raw: str, caller: Caller | None, answer: Answer) -> web.Response:
    refusal = refuse_by_address(desk, request)
    if refusal:
        return refusal
    if caller is None:
        return unauthorised()
    refusal = refuse_by_account(desk, request, caller.account)
    if refusal:
        return refusal
    try:
        body = _read(request, raw)
        return answer(Asking(desk=desk, request=request, account=caller.account, user=caller.user, body=body))
    except Refused as error:
        return invalid(error.errors) if error.errors else problem(error.status, error.detail)


def _read(request: web.Request, raw: str) -> object:
    if request.method in {"GET", "HEAD"} or not raw:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The request body is not valid JSON") from error


def as_object(value: object, path: str = "") -> JSON:
    """Give a JSON object.

    Raises:
        Refused: it is none.
    """
    if not isinstance(value, dict):
        raise broken("InvalidType", path, "This value should be of type object")
    return value


def as_batch(value: object) -> list[JSON]:
    """Give a list of objects, as collections take them.

    Raises:
        Refused: it is none, or longer than a batch may be.

    Source: protocol §8.
    """
    if not isinstance(value, list) or not value:
        raise broken("InvalidType", "", "This value should be a list with at least one element")
    if len(value) > BATCH_MAX:
        raise Refused(422, f"Limit {BATCH_MAX} per batch")
    return [as_object(item, str(number)) for number, item in enumerate(value)]


def broken(code: str, path: str, detail: str) -> Refused:
    """Make the refusal for one broken rule."""
    return Refused(400, detail, errors=[{"code": code, "path": path, "detail": detail}])


def not_found(what: str) -> Refused:
    """Make the refusal for something that is not there."""
    return Refused(404, f"{what} was not found")


def page_of(asking: Asking, name: str, shaped: Sequence[JSON]) -> web.Response:
    """Answer with one page of a list, or 204 when it is empty.

    Raises:
        Refused: page or limit is no number, or more than 250 are asked for.

    Source: protocol §8, §9.2.
    """
    page, limit = _whole(asking, "page", 1), _whole(asking, "limit", PAGE_USUAL)
    if limit > PAGE_MAX:
        raise Refused(422, f"Limit {PAGE_MAX} per page")
    found = shaped[(page - 1) * limit : page * limit]
    if not found:
        return nothing()
    links = {"self": {"href": f"{asking.account.origin}{asking.request.path}?page={page}&limit={limit}"}}
    if len(shaped) > page * limit:
        links["next"] = {"href": f"{asking.account.origin}{asking.request.path}?page={page + 1}&limit={limit}"}
    return web.json_response({"_page": page, "_links": links, "_embedded": {name: list(found)}})


def embedded(name: str, shaped: Iterable[JSON], *, status: int = 200) -> web.Response:
    """Answer with a list under `_embedded`, as writes do."""
    return web.json_response({"_links": {}, "_embedded": {name: list(shaped)}}, status=status)


def nothing() -> web.Response:
    """Answer that nothing was found: 204. Source: protocol §8."""
    return web.Response(status=204)


def _whole(asking: Asking, name: str, default: int) -> int:
    text = asking.request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise broken("InvalidType", name, "This value should be a whole number from 1")
    return int(text[:9])
