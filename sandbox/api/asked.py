"""Reads what a control request asks for; every mistake is named by field and rule."""

import json
from typing import Any

from aiohttp import web

from sandbox.accounts import Account
from sandbox.api.desk import DESK, Desk
from sandbox.chats import CUSTOMER, NAME_MAX_CHARS, Chat

JSON = dict[str, Any]


class WrongRequest(ValueError):
    """A request that cannot be followed; the text names the field and the rule."""


class NotHere(LookupError):
    """The named account or customer does not exist."""


def find_chat(request: web.Request) -> Chat:
    """Give the chat that the path names.

    Raises:
        NotHere: there is none.
    """
    account = find_account(request.app[DESK], request.match_info["account"])
    chat = account.chats.get(request.match_info["customer"])
    if chat is None:
        raise NotHere(f"customer: {request.match_info['customer']} has no chat yet")
    return chat


def find_account(desk: Desk, name: object) -> Account:
    """Give the account of that subdomain, or the only one when `name` is None.

    Raises:
        NotHere: there is none, or several to choose from.
    """
    accounts = desk.standin.accounts
    if name is None and len(accounts) == 1:
        return next(iter(accounts.values()))
    if not isinstance(name, str) or name not in accounts:
        raise NotHere(f"account: must be one of {', '.join(accounts)}")
    return accounts[name]


async def read_body(request: web.Request) -> JSON:
    """Read a JSON object.

    Raises:
        WrongRequest: it is none.
    """
    try:
        asked = json.loads(await request.text())
    except (ValueError, RecursionError) as error:
        raise WrongRequest("body: must be JSON") from error
    if not isinstance(asked, dict):
        raise WrongRequest("body: must be an object")
    return asked


def chat_for(request: web.Request, asked: JSON) -> tuple[Account, Chat]:
    """Find the chat that a body names, or open it.

    Raises:
        WrongRequest: it names no customer, or wrongly.
        NotHere: there is no such account.
    """
    account = find_account(request.app[DESK], asked.get("account"))
    customer, name = read_text(asked, "customer"), read_text(asked, "name").strip()
    channel = read_text(asked, "channel")
    if customer and not CUSTOMER.fullmatch(customer):
        raise WrongRequest("customer: must be 1 to 64 letters, digits, _ . or -, a letter or digit first")
    if not customer and not name:
        raise WrongRequest("customer: give a customer's id or a name for a new one")
    return account, request.app[DESK].standin.open_chat(account, customer=customer, name=name, channel=channel)


def known_chat(request: web.Request, asked: JSON) -> tuple[Account, Chat]:
    """Find the chat that a body names.

    Raises:
        NotHere: there is none.
    """
    account = find_account(request.app[DESK], asked.get("account"))
    chat = account.chats.get(read_text(asked, "customer"))
    if chat is None:
        raise NotHere("customer: has no chat yet")
    return account, chat


def read_text(asked: JSON, key: str, *, limit: int = NAME_MAX_CHARS) -> str:
    """Read a text, empty when it is not given.

    Raises:
        WrongRequest: it is no text, or longer than `limit` characters.
    """
    value = asked.get(key, "")
    if not isinstance(value, str) or len(value) > limit:
        raise WrongRequest(f"{key}: must be a text of at most {limit} characters")
    return value


def read_whole(asked: JSON, key: str, *, high: int) -> int:
    """Read a whole number from 1 to `high`, 1 when it is not given.

    Raises:
        WrongRequest: it is no such number.
    """
    value = asked.get(key, 1)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= high:
        raise WrongRequest(f"{key}: must be a whole number from 1 to {high}")
    return value
