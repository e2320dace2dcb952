"""Origins of Kommo accounts: scheme and host, the only place that an account's calls ever go to."""

import re
from collections.abc import Collection

from bots.kommo.errors import BadOrigin
from kommobridge.base.faults import Fault

# Shared hosts of Kommo that look like an account's: the web site, API and file shards.
ACCOUNT_ORIGIN = re.compile(
    r"https://(?!www\.|api-|drive-[a-z]\.)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.(?:kommo\.com|amocrm\.com|amocrm\.ru)"
)


def check_origin(origin: str, *, extra: Collection[str]) -> str:
    """Hand an account's origin back when it is one.

    Args:
        origin: scheme and host, lower case, nothing after it: `https://acme.kommo.com`.
        extra: origins outside Kommo's domains that the deployment allows, compared whole; http and ports are theirs
            to decide.

    Raises:
        BadOrigin: it is none of both.

    Source: protocol §1.5.
    """
    if is_extra_origin(origin, extra) or ACCOUNT_ORIGIN.fullmatch(origin):
        return origin
    rule = "must be https://SUBDOMAIN.kommo.com, .amocrm.com or .amocrm.ru, in lower case, without port, path or slash"
    raise BadOrigin(Fault("origin", rule, "Another origin works only when KOMMO_EXTRA_ORIGINS names it exactly."))


def is_extra_origin(origin: str, extra: Collection[str]) -> bool:
    """Say whether the deployment named this origin itself, so that address checks don't apply to it."""
    return any(origin == allowed for allowed in extra)
