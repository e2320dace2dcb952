"""An account's widget: the values that its zip is built from, the version that this zip has, the Salesbot around it.

The admin's download and `manage.py widget` both come here, so that they never give two contents the same version.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypedDict
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bots.models import Account, Membership
from bots.widget import (
    SILENCE_DAYS,
    Hosts,
    build_salesbot,
    build_widget,
    content_digest,
    is_older,
    next_version,
    raised,
)

AMOCRM_HOSTS: Final = (".amocrm.ru", ".amocrm.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An account's widget, ready to upload.

    Args:
        version: x.y.z.
        content: the zip.
        digest: of its content, the version left out.
        is_newest: False when a version was asked for that doesn't come after the account's last one; Kommo may refuse
            such an upload, and it isn't remembered.
    """

    version: str
    content: bytes
    digest: str
    is_newest: bool


class _Values(TypedDict):
    hook_url: str
    account_name: str
    support_link: str
    support_email: str
    hosts: Hosts


def widget_of(
    account: Account,
    *,
    newer: bool = False,
    version: str = "",
    support_link: str = "",
    support_email: str = "",
    hosts: Hosts | None = None,
) -> Built:
    """Build an account's widget and remember its version.

    The same content keeps its version, so that a download may be repeated and gives the same bytes; other content gets
    the next one. The account's row is locked meanwhile: two downloads at once agree.

    Args:
        account: its widget fields follow what was stored.
        newer: raise the version without a change, for an upload that Kommo takes only as a newer one.
        version: x.y.z to use instead; remembered when it comes after the account's last one.
        support_link: PUBLIC_URL when empty.
        support_email: that of the account's first owner when empty.
        hosts: by the account's origin when None.

    Raises:
        CannotBuild: naming the value that is wrong.
    """
    with transaction.atomic():
        stored = Account.objects.select_for_update().get(pk=account.pk)
        values = _values(stored, support_link=support_link, support_email=support_email, hosts=hosts)
        digest = content_digest(**values)
        planned = raised(stored.widget_version) if newer and stored.widget_version else _next(stored, digest)
        chosen = version or planned
        content = build_widget(version=chosen, **values)
        is_repeated = (chosen, digest) == (stored.widget_version, stored.widget_digest)
        is_later = not stored.widget_version or is_older(stored.widget_version, than=chosen)
        if is_later:
            _remember(stored, version=chosen, digest=digest)
    account.widget_version, account.widget_digest = stored.widget_version, stored.widget_digest
    account.widget_built_at = stored.widget_built_at
    return Built(version=chosen, content=content, digest=digest, is_newest=is_later or is_repeated)


def salesbot_of(account: Account, *, greeting: str = "", silence_days: int | None = SILENCE_DAYS) -> bytes:
    """Build the Salesbot that an account imports; see `build_salesbot`.

    Raises:
        CannotBuild: naming the value that is wrong.
    """
    return build_salesbot(name=f"KommoBridge {account.name}", greeting=greeting, silence_days=silence_days)


def version_to_come(account: Account) -> str:
    """Say which version a download would have now.

    Raises:
        CannotBuild: naming the value that is wrong.
    """
    return _next(account, _known_digest(**_values(account)))


def has_changed_since_built(account: Account) -> bool:
    """Say whether the widget would hold something else now than when it was last built; False when it never was.

    Raises:
        CannotBuild: naming the value that is wrong.
    """
    return bool(account.widget_digest) and _known_digest(**_values(account)) != account.widget_digest


# Lists ask it for each account. It reads half a megabyte of files, which stay the same while a process runs.
_known_digest = lru_cache(maxsize=1024)(content_digest)


def _next(account: Account, digest: str) -> str:
    return next_version(account.widget_version, account.widget_digest, digest)


def _remember(account: Account, *, version: str, digest: str) -> None:
    account.widget_version, account.widget_digest, account.widget_built_at = version, digest, timezone.now()
    account.save(update_fields=["widget_version", "widget_digest", "widget_built_at"])


def _values(
    account: Account, *, support_link: str = "", support_email: str = "", hosts: Hosts | None = None
) -> _Values:
    of_origin: Hosts = "amocrm" if account.origin.endswith(AMOCRM_HOSTS) else "kommo"
    return {
        "hook_url": account.hook_url,
        "account_name": account.name,
        "support_link": support_link or settings.PUBLIC_URL,
        "support_email": support_email or _support_email(account),
        "hosts": hosts or of_origin,
    }


def _support_email(account: Account) -> str:
    """Give whom the account's people ask: its first owner, else an address at the bridge's host.

    Looks through `all()`, so that memberships that were fetched with many accounts cost no query here.
    """
    owners = [one for one in account.memberships.all() if one.role == Membership.Role.OWNER and one.user.is_active]
    first = min(owners, key=lambda one: one.pk, default=None)
    return first.user.email if first else f"support@{urlsplit(settings.PUBLIC_URL).hostname}"
