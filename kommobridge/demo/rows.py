"""The demo's rows: made anew or brought up to date for a sandbox's port, and deleted again.

Every demo row is marked. Each port has an account of its own, so that two demos on one database keep apart.
"""

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from bots.models import Account, Exchange, User
from bots.provisioning import provision
from kommobridge.base.environment import VendorKey, vendor_keys
from kommobridge.demo import content

LOGIN = "owner@demo.test"
OPERATOR = "operator@demo.test"
KOMMO_ID_BASE = 90_000_000
NAMESPACE = uuid.UUID("5f0d7a52-6a3e-4a44-9d1c-1d6f8f2f3c11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An address and a password, to be printed."""

    email: str
    password: str
    role: str


def secret(purpose: str) -> str:
    """Derive a secret from SECRET_KEY: the same in every run, and nobody else's."""
    return hmac.new(settings.SECRET_KEY.encode(), f"demo:{purpose}".encode(), hashlib.sha256).hexdigest()[:32]


def logins() -> tuple[Login, Login]:
    """Give the demo's two logins; they work on loopback only (`kommobridge.logins`)."""
    return (
        Login(email=LOGIN, password=secret("owner")[:16], role="owner of the demo account"),
        Login(email=OPERATOR, password=secret("operator")[:16], role="operator of the deployment"),
    )


def account_key(port: int) -> str:
    """Give the hook key of the demo account on a sandbox's port."""
    return f"demo-{port}-{secret(f'hook {port}')[:16]}"


def sandbox_account(port: int, *, hook_origin: str) -> dict[str, Any]:
    """Describe the demo account as the sandbox's config takes it."""
    return {
        "subdomain": "demo",
        "name": "Leaf & Kettle",
        "kommo_id": KOMMO_ID_BASE + port,
        "client_id": str(uuid.uuid5(NAMESPACE, str(port))),
        "client_secret": secret(f"client secret {port}"),
        "access_token": secret(f"access token {port}"),
        "hook_url": f"{hook_origin}/kommo/{account_key(port)}/widget-request/",
        "bot": content.BOT_SLUG,
        "channel": "telegram",
        "greeting": "Leaf & Kettle, good day! How can we help?",
    }


def prepare(port: int, *, sandbox_origin: str) -> list[str]:
    """Create or update the demo account of a port, its bot, models and logins.

    Returns:
        The models that its bot will ask, in order, as people read them.
    """
    keys = vendor_keys()
    provision(_document(port, keys, sandbox_origin=sandbox_origin), is_demo=True)
    for login in logins():
        user, _ = User.objects.get_or_create(email=login.email, defaults={"is_demo": True})
        user.set_password(login.password)
        user.is_demo, user.is_superuser = True, login.email == OPERATOR
        user.save()
    return [f"{vendor}/{content.MODELS[vendor]}" for vendor in keys] + ["demo/offline (no key needed)"]


def _document(port: int, keys: Mapping[str, VendorKey], *, sandbox_origin: str) -> dict[str, Any]:
    account = sandbox_account(port, hook_origin="")
    providers = [
        {"name": vendor, "provider": vendor, "api_key": key.key, "api_base": key.base} for vendor, key in keys.items()
    ]
    models = [{"provider": vendor, "model": content.MODELS[vendor]} for vendor in keys]
    return {
        "accounts": [
            {
                "key": account_key(port),
                "name": f"Leaf & Kettle (demo on port {port})",
                "subdomain": "demo",
                "kommo_id": account["kommo_id"],
                "origin": sandbox_origin,
                "integration": {name: account[name] for name in ("client_id", "client_secret")},
                "access_token": account["access_token"],
                "members": [{"email": LOGIN, "password": logins()[0].password, "role": "owner"}],
                "providers": [*providers, {"name": "offline", "provider": "demo"}],
                "bots": [
                    {
                        "slug": content.BOT_SLUG,
                        "name": content.BOT_NAME,
                        "prompt": content.PROMPT,
                        "knowledge": content.KNOWLEDGE,
                        "fallback_text": content.FALLBACK_TEXT,
                        "outputs": content.OUTPUTS,
                        "models": [*models, {"provider": "offline", "model": "offline"}],
                    }
                ],
            }
        ]
    }


def remove() -> int:
    """Delete every demo row: accounts with all that is in them, and the demo's logins.

    Returns:
        How many accounts were deleted.
    """
    with transaction.atomic():
        accounts = Account.objects.filter(is_demo=True)
        count = accounts.count()
        # a demo's open exchanges wait for a sandbox that is gone
        Exchange.objects.filter(account__in=accounts).delete()
        for account in accounts:
            account.delete()
        User.objects.filter(is_demo=True).delete()
    return count
