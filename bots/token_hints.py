"""What a long-lived token says of itself, for the eye alone: whether it is good only Kommo knows."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

TOKEN_MAX_CHARS = 8_000  # what a page takes; Kommo's have about a thousand


@dataclass(frozen=True, slots=True)
class TokenHints:
    """The claims of a token that help a person, unproved.

    Args:
        expires_at: when it ends; None when it doesn't say.
        kommo_id: the Kommo account that it names; None when it names none.
    """

    expires_at: datetime | None
    kommo_id: int | None


NO_HINTS = TokenHints(None, None)


def read_token(text: str) -> TokenHints:
    """Read what a token says of itself when it is a JWT; nothing of any other text, which may be as good.

    Source: protocol §7.7; the claims beside `exp` are usual and not promised.
    """
    parts = text.split(".")
    if len(parts) != 3 or len(text) > TOKEN_MAX_CHARS:
        return NO_HINTS
    try:
        claims = json.loads(base64.b64decode(parts[1] + "=" * (-len(parts[1]) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        return NO_HINTS
    return TokenHints(_time(claims), _account_id(claims)) if isinstance(claims, Mapping) else NO_HINTS


def _time(claims: Mapping[str, object]) -> datetime | None:
    seconds = claims.get("exp")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _account_id(claims: Mapping[str, object]) -> int | None:
    found = claims.get("account_id")
    return found if isinstance(found, int) and not isinstance(found, bool) else None
