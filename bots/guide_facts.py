"""What the setup guide goes by: what is known of an account, and what there can be to say about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bots.token_hints import TokenHints


class Remark(StrEnum):
    """What there is to say about a step."""

    ACCOUNT_OFF = "account_off"
    NO_SECRET = "no_secret"  # noqa: S105  names of remarks, no secrets
    NO_TOKEN = "no_token"  # noqa: S105
    UNREADABLE = "unreadable"
    TOKEN_ENDED = "token_ended"  # noqa: S105
    TOKEN_OF_ANOTHER = "token_of_another"  # noqa: S105
    NO_BOT = "no_bot"
    NO_MODEL = "no_model"
    NO_KEY = "no_key"
    BOT_OFF = "bot_off"
    OLD_WIDGET = "old_widget"
    LOCAL_ADDRESS = "local_address"
    REFUSED = "refused"
    ANSWERING = "answering"
    FALLBACK = "fallback"
    NO_WORDS = "no_words"
    NOT_DELIVERED = "not_delivered"


TROUBLES = frozenset(
    {
        Remark.ACCOUNT_OFF,
        Remark.UNREADABLE,
        Remark.TOKEN_ENDED,
        Remark.TOKEN_OF_ANOTHER,
        Remark.BOT_OFF,
        Remark.LOCAL_ADDRESS,
        Remark.REFUSED,
        Remark.FALLBACK,
        Remark.NO_WORDS,
        Remark.NOT_DELIVERED,
    }
)
"""What is wrong. The other remarks tell what is still missing, or what is good to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request of a Widget step.

    Args:
        at: when it came.
        widget_version: as the widget named it; "" for a widget that names none.
        ending: a remark on how it ended; None for one whose reply was delivered in words.
    """

    at: datetime
    widget_version: str = ""
    ending: Remark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one account.

    Args:
        created_at: when the account was entered.
        is_on: neither the operator nor an owner switched it off.
        kommo_id: as entered.
        has_client_id: the integration id is entered.
        has_secret: the secret key is set.
        has_token: the long-lived token is set.
        is_readable: what is set of both can be decrypted.
        token: what the token says of itself.
        has_bot: there is a default bot.
        is_bot_on: it is switched on.
        has_model: it has a model of a provider in use.
        has_key: one of those providers has the key that it needs.
        widget_version: of the last widget that was built, "" for none.
        widget_built_at: when.
        ticks: step codes ticked by hand.
        can_be_reached: the bridge's address isn't one that only this machine or this network knows.
        refused_at: when the newest request was refused for a setting that is wrong; None when it was taken.
        first_request: the oldest one.
        last_request: the newest one.
        first_reply: the oldest request whose answer of the bot's own was delivered.
    """

    created_at: datetime
    is_on: bool
    kommo_id: int
    has_client_id: bool
    has_secret: bool
    has_token: bool
    is_readable: bool
    token: TokenHints
    has_bot: bool
    is_bot_on: bool
    has_model: bool
    has_key: bool
    widget_version: str
    widget_built_at: datetime | None
    ticks: frozenset[str]
    can_be_reached: bool
    refused_at: datetime | None
    first_request: Seen | None
    last_request: Seen | None
    first_reply: Seen | None
