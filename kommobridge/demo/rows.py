"""The demo's rows: made anew or brought up to date for a sandbox's port, and deleted again.

Every demo row is marked. Each port has accounts of its own, so that two demos on one database keep apart.
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
from kommobridge.demo.content import Business
from kommobridge.demo.conversations import prepare_conversations

LOGIN = "owner@demo.test"
OPERATOR = "operator@demo.test"
KOMMO_ID_BASE = 90_000_000
KOMMO_IDS_EACH = 100_000  # more than there are ports
SALESBOT_ID_BASE = 61_001
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
        Login(email=LOGIN, password=secret("owner")[:16], role="owner of the demo accounts"),
        Login(email=OPERATOR, password=secret("operator")[:16], role="operator of the deployment"),
    )


def account_key(business: Business, port: int) -> str:
    """Give the hook key of a business on a sandbox's port."""
    return f"demo-{business.slug}-{port}-{secret(f'hook {business.slug} {port}')[:16]}"


def sandbox_accounts(port: int, *, hook_origin: str) -> list[dict[str, Any]]:
    """Describe the demo's accounts as the sandbox's config takes them; all live on its one origin."""
    return [_sandbox_account(business, port, hook_origin=hook_origin) for business in content.BUSINESSES]


def _sandbox_account(business: Business, port: int, *, hook_origin: str) -> dict[str, Any]:
    place = content.BUSINESSES.index(business)
    own = f"{business.slug} {port}"
    told = {
        "subdomain": business.subdomain,
        "name": business.name,
        "kommo_id": KOMMO_ID_BASE + place * KOMMO_IDS_EACH + port,
        "salesbot_id": SALESBOT_ID_BASE + place,
        "client_id": str(uuid.uuid5(NAMESPACE, own)),
        "client_secret": secret(f"client secret {own}"),
        "access_token": secret(f"access token {own}"),
        "hook_url": f"{hook_origin}/kommo/{account_key(business, port)}/widget-request/",
        "bot": business.slug,
        "channel": business.channel,
        "encoding": business.encoding,
        "algorithm": business.algorithm,
        "greeting": business.greeting,
    }
    return told | ({"salesbot_flow": business.salesbot} if business.salesbot else {})


def prepare(port: int, *, sandbox_origin: str) -> list[str]:
    """Create or update the demo's accounts of a port, their bots, models, conversations and the logins.

    Returns:
        The models that its bots will ask, in order, as people read them.
    """
    keys = vendor_keys()
    provision(_document(port, keys, sandbox_origin=sandbox_origin), is_demo=True)
    for login in logins():
        user, _ = User.objects.get_or_create(email=login.email, defaults={"is_demo": True})
        user.set_password(login.password)
        user.is_demo, user.is_superuser = True, login.email == OPERATOR
        user.save()
    for business in content.BUSINESSES:
        described = _sandbox_account(business, port, hook_origin="")
        account = Account.objects.get(kommo_id=described["kommo_id"], client_id=described["client_id"], is_demo=True)
        prepare_conversations(account, business, salesbot_id=described["salesbot_id"])
    return [f"{vendor}/{content.MODELS[vendor]}" for vendor in keys] + ["demo/offline (no key needed)"]


def _document(port: int, keys: Mapping[str, VendorKey], *, sandbox_origin: str) -> dict[str, Any]:
    return {
        "accounts": [
            _account_entry(business, port, keys, sandbox_origin=sandbox_origin) for business in content.BUSINESSES
        ]
    }


def _account_entry(
    business: Business, port: int, keys: Mapping[str, VendorKey], *, sandbox_origin: str
) -> dict[str, Any]:
    account = _sandbox_account(business, port, hook_origin="")
    providers = [
        {"name": vendor, "provider": vendor, "api_key": key.key, "api_base": key.base} for vendor, key in keys.items()
    ]
    return {
        "key": account_key(business, port),
        "name": f"{business.name} (demo {port})",
        "subdomain": business.subdomain,
        "kommo_id": account["kommo_id"],
        "origin": sandbox_origin,
        "integration": {name: account[name] for name in ("client_id", "client_secret")},
        "access_token": account["access_token"],
        "members": [{"email": LOGIN, "password": logins()[0].password, "role": "owner"}],
        "providers": [*providers, {"name": "offline", "provider": "demo"}],
        "bots": [_bot_entry(business, keys)],
    }


def _bot_entry(business: Business, keys: Mapping[str, VendorKey]) -> dict[str, Any]:
    models = [{"provider": vendor, "model": content.MODELS[vendor]} for vendor in keys]
    return {
        "slug": business.slug,
        "name": business.bot_name,
        "prompt": business.prompt,
        "knowledge": business.knowledge,
        "fallback_text": business.fallback_text,
        "outputs": business.outputs,
        "offers_buttons": business.offers_buttons,
        "links": business.links,
        "models": [*models, {"provider": "offline", "model": "offline"}],
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
