"""What the stand-in is told at start: its accounts, read from JSON and checked field by field.

Shape: `{"rate": 7, "accounts": [{"subdomain": …, "kommo_id": …, …}]}`. Unknown fields are refused by name, so that a
typing mistake cannot pass for a default.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from sandbox.flows import FlowError, parse_flow

RATE_PER_SECOND: Final = 7.0  # protocol §9
TOKEN_LIFE_SECONDS: Final = 1800  # the bot token's life is not documented; 30 min is the browser token's
FIRST_SALESBOT_ID: Final = 61001
PORT_MAX: Final = 65535
WHOLE_MAX: Final = 10**15

Encoding = Literal["form", "json"]
Algorithm = Literal["HS256", "HS512"]
BotType = Literal["salesbot", "marketingbot"]
WhenBusy = Literal["hold", "restart", "parallel"]
Reader = Callable[[str, object], Any]


class ConfigError(ValueError):
    """A value that cannot be used; the text names the field and the rule."""

    def __init__(self, line: str, rule: str = "") -> None:
        """Take the field's name and the rule, or one line that says both."""
        super().__init__(f"{line}: {rule}" if rule else line)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountConfig:
    """One stand-in Kommo account.

    Args:
        subdomain: the account's short name; unique, and its id in the control API.
        kommo_id: the number that tokens carry as `account_id`.
        client_id: integration id, `client_uuid` in tokens.
        client_secret: signs the tokens.
        access_token: the Bearer that a continue must carry; unique among the accounts.
        hook_url: where widget_requests go; empty until the bridge's address is known.
        bot: slug sent as `data.bot`; empty sends none.
        channel: what `{{origin}}` gives.
        encoding: how the widget_request body is written. Both are seen live (protocol §1.2).
        algorithm: how its token is signed. Sources disagree, so both are offered (protocol §1.3).
        greeting: text shown when a chat opens; empty shows none.
        port: a port of its own, which gives the account its own origin; 0 takes a free one.
        salesbot_id: id in return_url; unique among the accounts.
        token_life_s: seconds from `iat` to `exp`.
        when_busy: what a message does that comes while the Salesbot waits for a continue.
        data: further `data` keys of the widget_request, or other values for the usual ones.
        widget_flow: Salesbot JSON of the Widget step, as a widget's `onSalesbotDesignerSave` gives it, used as it is;
            the usual flow when None.
    """

    subdomain: str
    kommo_id: int
    client_id: str
    client_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    hook_url: str = ""
    bot: str = ""
    name: str = ""
    channel: str = "telegram"
    encoding: Encoding = "form"
    algorithm: Algorithm = "HS256"
    greeting: str = ""
    port: int | None = None
    bot_type: BotType = "salesbot"
    salesbot_id: int = 0
    token_life_s: int = TOKEN_LIFE_SECONDS
    when_busy: WhenBusy = "hold"
    data: Mapping[str, str] = field(default_factory=dict)
    widget_flow: list[Any] | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """All accounts and the request limit a second (0 switches it off)."""

    accounts: tuple[AccountConfig, ...]
    rate: float = RATE_PER_SECOND


def _text(place: str, value: object) -> str:
    if not isinstance(value, str):
        raise ConfigError(place, "must be a text")
    return value


def _filled(place: str, value: object) -> str:
    if not _text(place, value).strip():
        raise ConfigError(place, "must not be empty")
    return str(value)


def _matching(pattern: str, rule: str) -> Reader:
    compiled = re.compile(pattern)

    def read(place: str, value: object) -> str:
        if not compiled.fullmatch(_text(place, value)):
            raise ConfigError(place, rule)
        return str(value)

    return read


def _whole(low: int, high: int) -> Reader:
    def read(place: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ConfigError(place, f"must be a whole number from {low} to {high}")
        return value

    return read


def _one_of(*choices: str) -> Reader:
    def read(place: str, value: object) -> str:
        if value not in choices:
            raise ConfigError(place, f"must be one of {', '.join(choices)}")
        return str(value)

    return read


def _web_address(place: str, value: object) -> str:
    address = _text(place, value)
    if address and (urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).hostname):
        raise ConfigError(place, "must be a whole http or https address")
    return address


def _texts_by_name(place: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ConfigError(place, "must be an object of texts")
    return {str(key): _text(f"{place}.{key}", item) for key, item in value.items()}


def _widget_flow(place: str, value: object) -> list[Any] | None:
    if value is None:
        return None
    try:
        parse_flow(value, place=place)
    except FlowError as error:
        raise ConfigError(*error.args) from error
    steps: Any = json.loads(value) if isinstance(value, str) else value
    return list(steps.values() if isinstance(steps, dict) else steps)  # parse_flow has seen that it is one of these


READERS: Final[dict[str, Reader]] = {
    "subdomain": _matching(r"[a-z0-9][a-z0-9-]{0,62}", "must be of a-z, 0-9 and hyphens"),
    "kommo_id": _whole(1, WHOLE_MAX),
    "client_id": _filled,
    "client_secret": _filled,
    "access_token": _filled,
    "hook_url": _web_address,
    "bot": _text,
    "name": _text,
    "channel": _matching(r"[A-Za-z0-9_.-]{1,60}", "must be of letters, digits, _ . and -"),
    "encoding": _one_of("form", "json"),
    "algorithm": _one_of("HS256", "HS512"),
    "greeting": _text,
    "port": _whole(0, PORT_MAX),
    "bot_type": _one_of("salesbot", "marketingbot"),
    "salesbot_id": _whole(1, WHOLE_MAX),
    "token_life_s": _whole(-WHOLE_MAX, WHOLE_MAX),
    "when_busy": _one_of("hold", "restart", "parallel"),
    "data": _texts_by_name,
    "widget_flow": _widget_flow,
}
REQUIRED: Final = ("subdomain", "kommo_id", "client_id", "client_secret", "access_token")
FIXED: Final = frozenset({"subdomain", "port", "salesbot_id", "bot_type"})  # addresses are made of these


def _read_fields(raw: object, place: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ConfigError(place, "must be an object")
    for key in raw:
        if key not in READERS:
            raise ConfigError(f"{place}.{key}", f"is not known; known are {', '.join(READERS)}")
    return {key: READERS[key](f"{place}.{key}", value) for key, value in raw.items()}


def parse_account(raw: object, *, place: str = "account") -> AccountConfig:
    """Read one account of the config.

    Raises:
        ConfigError: names the field that is missing, unknown or wrong.
    """
    values = _read_fields(raw, place)
    for key in REQUIRED:
        if key not in values:
            raise ConfigError(f"{place}.{key}", "is required")
    return AccountConfig(**values)


def change_account(account: AccountConfig, changes: object) -> AccountConfig:
    """Give the account with some of its settings changed.

    Raises:
        ConfigError: a setting is unknown, wrong, or part of the account's addresses.
    """
    values = _read_fields(changes, "account")
    for key in FIXED & values.keys():
        raise ConfigError(f"account.{key}", "is fixed while the sandbox runs")
    return replace(account, **values)


def _with_salesbot_ids(accounts: Iterable[AccountConfig]) -> tuple[AccountConfig, ...]:
    accounts = tuple(accounts)
    taken = {account.salesbot_id for account in accounts}
    free = (number for number in range(FIRST_SALESBOT_ID, FIRST_SALESBOT_ID + 2 * len(accounts)) if number not in taken)
    return tuple(account if account.salesbot_id else replace(account, salesbot_id=next(free)) for account in accounts)


def check_distinct(accounts: Sequence[AccountConfig]) -> None:
    """Refuse two accounts that could not be told apart.

    Raises:
        ConfigError: names the field that two accounts share.
    """
    for key in ("subdomain", "access_token", "salesbot_id"):
        values = [getattr(account, key) for account in accounts]
        if len(set(values)) < len(values):
            raise ConfigError(f"accounts.{key}", "must differ between accounts")
    ports = [account.port for account in accounts if account.port]
    if len(set(ports)) < len(ports):
        raise ConfigError("accounts.port", "must differ between accounts")


def parse_config(raw: object) -> Config:
    """Read the whole config.

    Raises:
        ConfigError: names the first field that is missing, unknown or wrong.
    """
    if not isinstance(raw, dict) or raw.keys() - {"accounts", "rate"}:
        raise ConfigError("config", 'must be an object with "accounts" and, if wanted, "rate"')
    listed = raw.get("accounts")
    if not isinstance(listed, list) or not listed:
        raise ConfigError("accounts", "must be a list with at least one account")
    accounts = _with_salesbot_ids(parse_account(item, place=f"accounts[{n}]") for n, item in enumerate(listed))
    check_distinct(accounts)
    return with_rate(Config(accounts), raw.get("rate", RATE_PER_SECOND))


def with_rate(config: Config, rate: object) -> Config:
    """Give the config with another request limit a second; 0 switches it off.

    Raises:
        ConfigError: it is no number from 0.
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < WHOLE_MAX:
        raise ConfigError("rate", "must be a number of requests a second; 0 switches the limit off")
    return replace(config, rate=float(rate))


def read_config(path: Path) -> Config:
    """Read the config from a JSON file.

    Raises:
        ConfigError: the file cannot be read, is not JSON, or holds a wrong value.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError("--config", f"cannot read {path} ({error.strerror})") from error
    except ValueError as error:
        raise ConfigError("--config", f"{path} is not JSON ({error})") from error
    return parse_config(raw)


def demo_config() -> Config:
    """Give one account with secrets made up on the spot, for a start without a config file."""
    account = AccountConfig(
        subdomain="demo",
        kommo_id=31337,
        client_id="00000000-0000-4000-8000-000000031337",
        client_secret=secrets.token_urlsafe(32),
        access_token=secrets.token_urlsafe(32),
        name="Demo",
        salesbot_id=FIRST_SALESBOT_ID,
    )
    return Config(accounts=(account,))
