"""Remembering why an account's address refused the newest request, so that its owner can read it.

The next request that is taken ends it. Only refusals that a wrong setting causes: a call without any token is a
stranger's, and tells the owner nothing.
"""

import contextlib
from datetime import datetime, timedelta

from django.db import Error as DatabaseError

from bots.kommo import ForeignReturnUrl, TokenRefused
from bots.models import Account

RETURN_URL = "return_url"
OF_SETTINGS = frozenset({"signature", "no-secret", "account", "client", "issuer", "expired", "not-yet", RETURN_URL})
AGAIN = timedelta(seconds=10)  # a flood of refused requests writes no more often


def code_of(error: TokenRefused | ForeignReturnUrl) -> str:
    """Give the code of a refusal: that of the token's check, or `return_url`."""
    return error.code if isinstance(error, TokenRefused) else RETURN_URL


def remember(account: Account, error: TokenRefused | ForeignReturnUrl, *, now: datetime) -> None:
    """Write down when and why a request was refused, unless the row says so already.

    The caller answers Kommo whether this succeeds or not.
    """
    code = code_of(error)
    is_known = account.refused_code == code and account.refused_at is not None and now - account.refused_at < AGAIN
    if code not in OF_SETTINGS or is_known:
        return
    _write(account, refused_at=now, refused_code=code)


def forget(account: Account) -> None:
    """After a request that was taken: the setting is right by now."""
    if account.refused_code:
        _write(account, refused_at=None, refused_code="")


def _write(account: Account, *, refused_at: datetime | None, refused_code: str) -> None:
    """Write the hint; when that fails, the answer to Kommo stands without it."""
    with contextlib.suppress(DatabaseError):
        Account.objects.filter(pk=account.pk).update(refused_at=refused_at, refused_code=refused_code)
