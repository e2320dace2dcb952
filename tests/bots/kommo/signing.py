"""Tokens signed by hand, so that a test can write every wrong thing into one."""

import base64
import hmac
import json
from typing import Any

DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


def part(content: bytes | str) -> str:
    """Write base64url without padding."""
    raw = content.encode("utf-8") if isinstance(content, str) else content
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def signed(head: str, body: str, secret: str, algorithm: str = "HS256") -> str:
    """Sign two parts that are written already."""
    return f"{head}.{body}.{part(hmac.digest(secret.encode(), f'{head}.{body}'.encode(), DIGESTS[algorithm]))}"


def sign_token(claims: Any, secret: str, algorithm: str = "HS256", **header: Any) -> str:
    """Sign claims as Kommo does; header fields can be added or replaced."""
    head = {"typ": "JWT", "alg": algorithm} | header
    return signed(part(json.dumps(head)), part(json.dumps(claims)), secret, algorithm)
