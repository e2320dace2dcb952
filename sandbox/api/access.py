"""Who may call Kommo's addresses here: the limits, the blocked addresses, and whose Bearer it is.

Source: protocol §2.1 (administrator), §2.5 (401, 403, 429), §9 (limits).
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from sandbox.accounts import Account
from sandbox.api.desk import Desk
from sandbox.api.problems import block_page, problem
from sandbox.crm.records import User

RETRY_AFTER_SECONDS: Final = 1


@dataclass(frozen=True, slots=True)
class Caller:
    """The account and the user that a Bearer stands for."""

    account: Account
    user: User


def refuse_by_address(desk: Desk, request: web.Request) -> web.Response | None:
    """Give the answer for an address that is blocked or too fast; None when it may call."""
    address = request.remote or ""
    if desk.limit.is_blocked(address):
        return block_page()
    return None if desk.limit.admits(f"address {address}") else _too_many(desk, request)


def refuse_by_account(desk: Desk, request: web.Request, account: Account) -> web.Response | None:
    """Give the answer for an account that is called too often; None when there is room."""
    name = account.config.subdomain
    return None if desk.limit.admits(f"account {name}") else _too_many(desk, request)


def unauthorised() -> web.Response:
    """Give the answer for a missing or wrong Bearer."""
    return problem(401, "The access token is missing, wrong or of another account")


def find_caller(desk: Desk, request: web.Request, *, bot: tuple[str, str] | None = None) -> Caller | None:
    """Find whose Bearer it is, among the accounts on the port that was called.

    Args:
        desk: the sandbox.
        request: the call.
        bot: bot type and Salesbot id of the path, if it has them: then only the account that owns it counts, for
            another one's token is as wrong there as on its host.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    accounts = [desk.standin.accounts[name] for name in desk.ports.get(_port(request), ())]
    owner = next((account for account in accounts if bot and _owns(account, bot)), None)
    return _by_token([owner] if owner else accounts, token)


def _by_token(accounts: Iterable[Account], token: str) -> Caller | None:
    for account in accounts:
        if _same(account.config.access_token, token):
            return Caller(account, account.crm.admin)
        if account.config.member_token and _same(account.config.member_token, token):
            return Caller(account, account.crm.member)
    return None


def _owns(account: Account, bot: tuple[str, str]) -> bool:
    return account.config.bot_type == bot[0] and bot[1] in map(str, account.config.bot_ids)


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode("utf-8", "surrogateescape"), right.encode("utf-8", "surrogateescape"))


def _port(request: web.Request) -> int:
    """Give the port that the call came in on."""
    name = request.transport.get_extra_info("sockname") if request.transport else None
    return int(name[1]) if name else 0


def _too_many(desk: Desk, request: web.Request) -> web.Response:
    desk.limit.refuse(request.remote or "")
    return problem(429, "Too many requests", retry_after=RETRY_AFTER_SECONDS)
