"""Widget_requests for an account, as Kommo would send them to the view, by Django's test client."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from bots.models import Account
from tests.bots.kommo.signing import sign_token

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Door:
    """An account's hook address, with what its Kommo knows."""

    account: Account

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Give a token's claims; None leaves one out."""
        now = int(datetime.now(tz=UTC).timestamp())
        full = {
            "iss": self.account.origin, "aud": "https://bridge.example.com", "iat": now, "nbf": now, "exp": now + 300,
            "account_id": self.account.kommo_id, "client_uuid": self.account.client_id, "entity_type": 2,
            "entity_id": 5000001, "bot_type": "salesbot",
        } | changes  # fmt: skip
        return {name: value for name, value in full.items() if value is not None}

    def token(self, *, secret: str = "", algorithm: str = "HS256", **claims: Any) -> str:
        """Sign a token, by default with the account's current secret."""
        return sign_token(self.claims(**claims), secret or self.account.client_secret, algorithm)

    def return_url(self, continue_id: object = 1) -> str:
        """Give a good return_url."""
        return f"{self.account.origin}/api/v4/salesbot/321/continue/{continue_id}"

    def body(self, continue_id: object = 1, **changes: Any) -> dict[str, Any]:
        """Give a good body with changes; None leaves a part out."""
        full = {
            "token": self.token(),
            "data": {"message": "Do you have it in blue?"},
            "return_url": self.return_url(continue_id),
        } | changes
        return {name: value for name, value in full.items() if value is not None}

    def knock(
        self, body: bytes | dict[str, Any] | None = None, *, content_type: str = JSON, key: str = "", tail: str = "/"
    ) -> Any:
        """Send a body, by default a good one as JSON, and give the test client's response."""
        raw = body if isinstance(body, bytes) else json.dumps(self.body() if body is None else body).encode()
        url = f"/kommo/{key or self.account.key}/widget-request{tail}"
        return Client().generic("POST", url, raw, content_type)


def as_form(body: dict[str, Any]) -> bytes:
    """Write a body as an urlencoded form with brackets; what is empty can't be written so."""
    return urlencode(list(_pairs(body)), errors="surrogatepass").encode()


def _pairs(value: Any, name: str = "") -> list[tuple[str, str]]:
    match value:
        case dict():
            inner = [_pairs(item, f"{name}[{key}]" if name else key) for key, item in value.items()]
        case list():
            inner = [_pairs(item, f"{name}[{place}]") for place, item in enumerate(value)]
        case _:
            return [(name, str(value))]
    return [pair for pairs in inner for pair in pairs]
