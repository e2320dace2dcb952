"""Documents to provision: Acme's, and how a test changes it."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from bots.models import Account
from bots.provisioning import Summary, WrongDocument, provision

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "acme-hook-key-of-some-length"
ACCOUNT: dict[str, Any] = {
    "key": KEY,
    "name": "Acme",
    "subdomain": "acme",
    "kommo_id": 31337,
    "integration": {"client_id": "11111111-2222", "client_secret": "first client secret"},
    "access_token": "long-lived token",
    "members": [{"email": "owner@acme.test", "password": "a good long password", "role": "owner"}],
    "providers": [{"name": "main", "provider": "openai", "api_key": "sk-main", "api_base": "https://llm.acme.com/v1"}],
    "bots": [
        {
            "slug": "sales",
            "name": "Sales",
            "prompt": "You sell tea.",
            "knowledge": "Tea is 5 euros.",
            "models": [{"provider": "main", "model": "gpt-4o-mini"}],
            "fallback_text": "A colleague will answer you.",
        }
    ],
}


def a_document(*accounts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Give a document of these accounts, or of Acme with some fields changed."""
    return {"accounts": [copy.deepcopy(account) for account in accounts or ({**ACCOUNT, **changes},)]}


def apply(document: dict[str, Any], **options: Any) -> Summary:
    return provision(document, now=options.pop("now", NOON), **options)


def acme() -> Account:
    return Account.objects.get(kommo_id=31337)


def refusal(document: object) -> str:
    with pytest.raises(WrongDocument) as caught:
        provision(document, now=NOON)
    return str(caught.value)
