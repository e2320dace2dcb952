"""Signs the token of a widget_request as Kommo does: with the integration's client secret.

Source: protocol §1.3.
"""

import time
import uuid
from typing import Final
from urllib.parse import urlsplit

import jwt

from sandbox.config import AccountConfig

ENTITY_TYPE_LEAD: Final = 2


def bot_claims(account: AccountConfig, *, origin: str, lead_id: int, receiver_url: str) -> dict[str, str | int]:
    """Give every claim that a bot token is known to carry.

    Args:
        account: whose secret will sign.
        origin: the account's own base address, `iss`.
        lead_id: `entity_id`.
        receiver_url: where the request goes; its scheme and host are `aud`.

    Source: protocol §1.3.
    """
    now = int(time.time())
    receiver = urlsplit(receiver_url)
    return {
        "iss": origin,
        "aud": f"{receiver.scheme}://{receiver.netloc}",
        "jti": str(uuid.uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + account.token_life_s,
        "account_id": account.kommo_id,
        "subdomain": account.subdomain,
        "client_uuid": account.client_id,
        "entity_type": ENTITY_TYPE_LEAD,
        "entity_id": lead_id,
        "bot_type": account.bot_type,
    }


def sign(account: AccountConfig, claims: dict[str, str | int]) -> str:
    """Sign claims with the account's client secret, by its algorithm, the secret's text as the key."""
    return jwt.encode(claims, account.client_secret, algorithm=account.algorithm)
