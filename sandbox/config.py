"""What the stand-in is told at start: its accounts, read from JSON and checked field by field.

Shape: `{"rate": 7, "accounts": [{"subdomain": …, "kommo_id": …, …}]}`. Unknown fields are refused by name, so that a
typing mistake cannot pass for a default.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from sandbox import fields
from sandbox.fields import WHOLE_MAX, ConfigError, Reader

__all__ = ["AccountConfig", "Config", "ConfigError", "parse_config", "read_config"]

RATE_PER_SECOND: Final = 7.0  # protocol §9
BLOCK_AFTER: Final = 20  # "whoever goes on" after a 429 is blocked (protocol §9); how long that takes is not known
BLOCK_SECONDS: Final = 30
TOKEN_LIFE_SECONDS: Final = 1800  # the bot token's life is not documented; 30 min is the browser token's
FIRST_SALESBOT_ID: Final = 61001
PORT_MAX: Final = 65535

Encoding = Literal["form", "json"]
Algorithm = Literal["HS256", "HS512"]
BotType = Literal["salesbot", "marketingbot"]
WhenBusy = Literal["hold", "restart", "parallel"]
OnBadAck = Literal["wait", "fall_through"]
PLANS: Final = ("base", "advanced", "pro", "enterprise", "trial", "technical")


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
        salesbot_flow: Salesbot JSON of the whole Salesbot, or a designer's export of it, used as it is; it starts when
            a customer writes. The usual loop when None.
        salesbots: further Salesbots, `{"id", "name", "flow"}`, that the API or another one can start.
        member_token: a Bearer of a user who is no administrator; empty for none.
        gives_up_s: seconds after which a Salesbot that waits for a continue ends; 0 lets it wait for ever.
        on_bad_ack: whether a Salesbot whose widget_request was not acknowledged goes on waiting or falls through to
            the next handler. Which of them Kommo does is not known (protocol §1.4).
        plan: what the account pays for; decides over the paid chat interface (protocol §8.6).
        unsorted: whether new customers begin as incoming leads (protocol §3.3).
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
    salesbot_flow: object = None
    salesbots: tuple[dict[str, Any], ...] = ()
    member_token: str = field(default="", repr=False)
    gives_up_s: int = 0
    on_bad_ack: OnBadAck = "wait"
    plan: str = "advanced"
    unsorted: bool = False

    @property
    def bot_ids(self) -> tuple[int, ...]:
        """Give the numbers of all its Salesbots."""
        return self.salesbot_id, *(bot["id"] for bot in self.salesbots)


@dataclass(frozen=True, slots=True)
class Config:
    """All accounts and what holds for the whole sandbox.

    Args:
        accounts: at least one.
        rate: requests a second for an address and for an account; 0 switches the limit off.
        block_after: how many refused requests within ten seconds block an address; 0 for never.
        block_s: how long it stays blocked, in seconds.
        bridge_admin_url: where the pages send people who want to see the bridge's side; empty for nowhere.
    """

    accounts: tuple[AccountConfig, ...]
    rate: float = RATE_PER_SECOND
    block_after: int = BLOCK_AFTER
    block_s: int = BLOCK_SECONDS
    bridge_admin_url: str = ""


READERS: Final[dict[str, Reader]] = {
    "subdomain": fields.matching(r"[a-z0-9][a-z0-9-]{0,62}", "must be of a-z, 0-9 and hyphens"),
    "kommo_id": fields.whole(1, WHOLE_MAX),
    "client_id": fields.filled,
    "client_secret": fields.filled,
    "access_token": fields.filled,
    "hook_url": fields.web_address,
    "bot": fields.read_text,
    "name": fields.read_text,
    "channel": fields.matching(r"[A-Za-z0-9_.-]{1,60}", "must be of letters, digits, _ . and -"),
    "encoding": fields.one_of("form", "json"),
    "algorithm": fields.one_of("HS256", "HS512"),
    "greeting": fields.read_text,
    "port": fields.whole(0, PORT_MAX),
    "bot_type": fields.one_of("salesbot", "marketingbot"),
    "salesbot_id": fields.whole(1, WHOLE_MAX),
    "token_life_s": fields.whole(-WHOLE_MAX, WHOLE_MAX),
    "when_busy": fields.one_of("hold", "restart", "parallel"),
    "data": fields.texts_by_name,
    "widget_flow": fields.widget_flow,
    "salesbot_flow": fields.salesbot_flow,
    "salesbots": fields.further_bots,
    "member_token": fields.read_text,
    "gives_up_s": fields.whole(0, WHOLE_MAX),
    "on_bad_ack": fields.one_of("wait", "fall_through"),
    "plan": fields.one_of(*PLANS),
    "unsorted": fields.yes_or_no,
}
REQUIRED: Final = ("subdomain", "kommo_id", "client_id", "client_secret", "access_token")
FIXED: Final = frozenset({"subdomain", "port", "salesbot_id", "salesbots", "bot_type"})  # addresses are made of these


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
    taken = {number for account in accounts for number in account.bot_ids}
    free = (number for number in range(FIRST_SALESBOT_ID, FIRST_SALESBOT_ID + WHOLE_MAX) if number not in taken)
    return tuple(account if account.salesbot_id else replace(account, salesbot_id=next(free)) for account in accounts)


def check_distinct(accounts: Sequence[AccountConfig]) -> None:
    """Refuse two accounts that could not be told apart.

    Raises:
        ConfigError: names the field that two accounts share.
    """
    tokens = [token for account in accounts for token in (account.access_token, account.member_token) if token]
    _check_differ("access_token", tokens)
    _check_differ("subdomain", [account.subdomain for account in accounts])
    _check_differ("salesbot_id", [number for account in accounts for number in account.bot_ids])
    _check_differ("port", [account.port for account in accounts if account.port])


def _check_differ(key: str, values: Sequence[object]) -> None:
    if len(set(values)) < len(values):
        raise ConfigError(f"accounts.{key}", "must differ between accounts")


WHOLE_READERS: Final[dict[str, Reader]] = {
    "block_after": fields.whole(0, WHOLE_MAX),
    "block_s": fields.whole(1, WHOLE_MAX),
    "bridge_admin_url": fields.web_address,
}


def parse_config(raw: object) -> Config:
    """Read the whole config.

    Raises:
        ConfigError: names the first field that is missing, unknown or wrong.
    """
    known = {"accounts", "rate", *WHOLE_READERS}
    if not isinstance(raw, dict) or raw.keys() - known:
        raise ConfigError("config", f"must be an object of {', '.join(sorted(known))}")
    listed = raw.get("accounts")
    if not isinstance(listed, list) or not listed:
        raise ConfigError("accounts", "must be a list with at least one account")
    accounts = _with_salesbot_ids(parse_account(item, place=f"accounts[{n}]") for n, item in enumerate(listed))
    check_distinct(accounts)
    values = {key: read(key, raw[key]) for key, read in WHOLE_READERS.items() if key in raw}
    return with_rate(Config(accounts, **values), raw.get("rate", RATE_PER_SECOND))


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
