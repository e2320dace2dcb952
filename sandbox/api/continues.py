"""The endpoint that resumes a waiting Salesbot, with Kommo's rules.

Source: protocol §2.1 (request), §2.5 (answers), §9 (limits). In what order Kommo checks is not documented; here a call
must pass limit, token, rights, size, type, rules and only then meet a Salesbot that waits, so that a refused body costs
nothing and can be sent again.
"""

import asyncio
import json
from typing import Final

from aiohttp import web

from sandbox.accounts import Account
from sandbox.api.access import Caller, find_caller, refuse_by_account, refuse_by_address, unauthorised
from sandbox.api.desk import DESK, Desk
from sandbox.api.fault_kinds import Fault
from sandbox.api.faults import misbehave
from sandbox.api.problems import invalid, problem
from sandbox.api.rules import NotJson, RulesBroken, parse_continue
from sandbox.chats import ContinueKey

BODY_MAX_BYTES: Final = 64 * 1024  # protocol §9
ACCEPTED: Final = 202
PATH: Final = "/api/v4/{bot_type:salesbot|marketingbot}/{bot_id:[0-9]{1,19}}/continue/{continue_id:[0-9]{1,19}}"


async def resume(request: web.Request) -> web.StreamResponse:
    """Take a continue: judge it, journal it, answer it, or misbehave as told."""
    with request.app[DESK].answering_long():
        return await _answer(request.app[DESK], request)


async def _answer(desk: Desk, request: web.Request) -> web.StreamResponse:
    key = _key(request)
    body = await _read(request)
    _journal_call(desk, request, key, body)
    fault = desk.faults.take(*_whose(desk, key))
    early = await _misbehave_early(desk, request, key, fault)
    if early:
        return early
    answer = _judge(desk, request, key, body)
    acts = fault if fault and fault.accepts and answer.status == ACCEPTED else None
    status = acts.answer_status if acts else answer.status
    await _journal_answer(desk, key, body=answer.text or "", status=status, fault=acts)
    return await misbehave(acts, request, lambda: answer) if acts else answer


def _key(request: web.Request) -> ContinueKey:
    parts = request.match_info
    return parts["bot_type"], parts["bot_id"], parts["continue_id"]


async def _read(request: web.Request) -> bytes | None:
    """Read the body; None when it is too large."""
    parts, size = [], 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > BODY_MAX_BYTES:
            return None
        parts.append(chunk)
    return b"".join(parts)


def _whose(desk: Desk, key: ContinueKey) -> tuple[str, str]:
    """Give account and customer that a continue id was made for; empty texts when it never existed."""
    waiting = desk.standin.room.find(key)
    return (waiting.chat.account, waiting.chat.customer) if waiting else ("", "")


async def _misbehave_early(
    desk: Desk, request: web.Request, key: ContinueKey, fault: Fault | None
) -> web.StreamResponse | None:
    """Act on a fault that comes before anything is accepted; None when the call is to be judged as usual."""
    if fault is None or fault.accepts:
        return None
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        if request.transport and not request.transport.is_closing():
            return None
    await _journal_answer(desk, key, body="", status=fault.answer_status, fault=fault)
    return await misbehave(fault, request, _cut_off)


def _cut_off() -> web.Response:
    return problem(500, "The connection was cut on demand")


def _judge(desk: Desk, request: web.Request, key: ContinueKey, body: bytes | None) -> web.Response:
    """Say what Kommo would, and resume the Salesbot when that is 202."""
    refusal = refuse_by_address(desk, request)
    if refusal:
        return refusal
    caller = find_caller(desk, request, bot=key[:2])
    if caller is None:
        return unauthorised()
    return refuse_by_account(desk, request, caller.account) or _judge_call(desk, request, key, caller, body)


def _judge_call(desk: Desk, request: web.Request, key: ContinueKey, caller: Caller, body: bytes | None) -> web.Response:
    if not caller.user.is_admin:
        return problem(403, "Only an administrator of the account may continue a Salesbot")
    if body is None:
        return problem(413, f"The request body must not be larger than {BODY_MAX_BYTES} bytes")
    if request.content_type != "application/json":
        return problem(400, "The Content-Type must be application/json")
    return _resume(desk, caller.account, key, body)


def _resume(desk: Desk, account: Account, key: ContinueKey, raw: bytes) -> web.Response:
    try:
        wanted = parse_continue(raw)
    except NotJson as error:
        return problem(400, str(error))
    except RulesBroken as error:
        return invalid(error.errors)
    if not desk.standin.room.is_open(key) or _whose(desk, key)[0] != account.config.subdomain:
        return problem(404, "The record waiting for a result was not found")
    desk.standin.accept(key, wanted.body, wanted.handlers)
    return web.Response(status=ACCEPTED, text="Accepted", content_type="text/html")


def _journal_call(desk: Desk, request: web.Request, key: ContinueKey, body: bytes | None) -> None:
    account, customer = _whose(desk, key)
    desk.standin.journal.note(
        "continue",
        account=account,
        customer=customer,
        key=key,
        remote=request.remote,
        method=request.method,
        path=request.raw_path,
        headers=dict(request.headers),
        body=None if body is None else body.decode("utf-8", "replace"),
    )


async def _journal_answer(desk: Desk, key: ContinueKey, *, body: str, status: int | None, fault: Fault | None) -> None:
    """Note the answer, show trouble in the chat, and return once it is on disk: what was told is never forgotten."""
    account, customer = _whose(desk, key)
    kind = fault.kind if fault else None
    facts = {"account": account, "customer": customer, "key": key, "status": status, "body": body, "fault": kind}
    desk.standin.journal.note("continue_answer", **facts)
    if kind or status != ACCEPTED:
        detail = f"On demand: {kind}" if kind else _plain_detail(body)
        desk.standin.tell_trouble(key, status=status, detail=detail, body=body)
    await desk.standin.journal.settled()


def _plain_detail(body: str) -> str:
    """Say in one line what a problem answer says; a block page is no JSON."""
    if not body.startswith("{"):
        return "The address is blocked: it pressed on after 429"
    told = json.loads(body)
    errors = told.get("validation-errors", [{"errors": []}])[0]["errors"]
    return "; ".join([told["detail"], *(f"{e['code']} at {e['path'] or 'body'}: {e['detail']}" for e in errors)])
