"""The token of a widget_request: the only proof that it comes from Kommo.

Two algorithms, one account's own secrets, every check strict, and no word of the token in any error. The signature is
PyJWT's; its claim checks aren't used, because they pass what must not pass here (odd spellings of base64, no `exp`)
and refuse what is only recorded (`aud`).

Source: protocol §1.3.
"""

import base64
import binascii
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from jwt.algorithms import HMACAlgorithm

from bots.kommo.characters import storable
from bots.kommo.errors import TokenRefused
from bots.kommo.jsontext import JsonRefused, read_json

TOKEN_MAX_CHARS = 4096
LEEWAY_SECONDS = 60  # clocks drift
NOTE_MAX_CHARS = 255  # of what is only recorded

Algorithm = Literal["HS256", "HS512"]
SIGNING: dict[Algorithm, HMACAlgorithm] = {
    "HS256": HMACAlgorithm(HMACAlgorithm.SHA256),
    "HS512": HMACAlgorithm(HMACAlgorithm.SHA512),
}
# base64url without padding; the alphabet is checked here because Python's decoder skips foreign characters.
SHAPE = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
ENTITY_ID = re.compile(r"[1-9][0-9]{0,18}")
ENTITY_TYPES = {"2": 2, "12": 12}  # lead, customer
CHECK_SECRET = "Check the integration's secret in the admin."  # noqa: S105
CHECK_ACCOUNT = "Check the account's ids and origin in the admin."


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """What a verified token says.

    Attributes:
        algorithm: "HS256" or "HS512".
        secret_index: which of the given secrets signed it.
        entity_type: 2 lead, 12 customer, None when missing or odd.
        entity_id: 1 to 19 digits, None when missing or odd.
        account_id: Kommo's id of the account, the expected one.
        subdomain: as claimed; a hint, empty when missing.
        bot_type: as claimed, not enforced.
        jti: as claimed, not enforced.
        aud: as claimed, not enforced.
        issued_at: aware, UTC; None when missing.
        expires_at: aware, UTC.
    """

    algorithm: Algorithm
    secret_index: int
    entity_type: int | None
    entity_id: str | None
    account_id: int
    subdomain: str
    bot_type: str
    jti: str
    aud: str
    issued_at: datetime | None
    expires_at: datetime


def verify_token(
    token: object,
    *,
    secrets: Sequence[str],
    kommo_id: int,
    client_id: str,
    origin: str,
    now: datetime,
) -> TokenFacts:
    """Check a token against one account.

    Args:
        token: the raw text, not trimmed.
        secrets: the account's client secrets, current one first; opaque texts of any length, empty ones are skipped.
        kommo_id: the account's id at Kommo.
        client_id: the integration's id, compared exactly.
        origin: the account's origin, compared exactly with `iss`.
        now: aware.

    Raises:
        TokenRefused: it fails a check; `code` says which.
    """
    head, body, signature = _split(token)
    algorithm = _algorithm(_json_object(head))
    signed = f"{head}.{body}".encode("ascii")
    secret_index = _signer(signed, _bytes(signature), secrets=secrets, algorithm=algorithm)
    claims = _json_object(body)
    expires_at = _check_times(claims, now)
    _check_owner(claims, kommo_id=kommo_id, client_id=client_id, origin=origin)
    return TokenFacts(
        algorithm=algorithm,
        secret_index=secret_index,
        entity_type=ENTITY_TYPES.get(_digits(claims.get("entity_type"))),
        entity_id=_entity_id(claims.get("entity_id")),
        account_id=kommo_id,
        subdomain=_note(claims.get("subdomain")),
        bot_type=_note(claims.get("bot_type")),
        jti=_note(claims.get("jti")),
        aud=_note(claims.get("aud")),
        issued_at=_time(claims, "iat") if "iat" in claims else None,
        expires_at=expires_at,
    )


def _split(token: object) -> tuple[str, str, str]:
    if not isinstance(token, str) or not token:
        raise TokenRefused("missing", "must be there", "Call this address from a Salesbot's widget step only.")
    match = SHAPE.fullmatch(token) if len(token) <= TOKEN_MAX_CHARS else None
    if match is None:
        raise _malformed()
    return match[1], match[2], match[3]


def _malformed() -> TokenRefused:
    return TokenRefused("malformed", "must be three parts of unpadded base64url, the first two JSON objects")


def _bytes(part: str) -> bytes:
    """Decode one part; only the one canonical spelling passes, so that a token has no twin."""
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise _malformed() from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != part.encode("ascii"):
        raise _malformed()
    return decoded


def _json_object(part: str) -> dict[str, object]:
    try:
        value = read_json(_bytes(part).decode("utf-8"))
    except (JsonRefused, UnicodeDecodeError):
        raise _malformed() from None
    if not isinstance(value, dict):
        raise _malformed()
    return value


def _algorithm(header: Mapping[str, object]) -> Algorithm:
    """Take the algorithm; other header fields (kid, jku, jwk) are never looked at.

    An extension that must be understood (crit, and b64 with it) changes what is signed, so it is refused.
    """
    if "crit" in header or "b64" in header:
        raise _malformed()
    match header.get("alg"):
        case "HS256":
            return "HS256"
        case "HS512":
            return "HS512"
    raise TokenRefused("algorithm", "must be signed with HS256 or HS512")


def _signer(signed: bytes, signature: bytes, *, secrets: Sequence[str], algorithm: Algorithm) -> int:
    """Say which secret signed; all are tried, each compared in constant time."""
    usable = [(index, secret) for index, secret in enumerate(secrets) if secret]
    if not usable:
        raise TokenRefused("no-secret", "can't be checked: the account has no client secret", CHECK_SECRET)
    hmac = SIGNING[algorithm]
    # not prepare_key: a client secret is opaque, even one that looks like a certificate or is short
    fits = [
        index for index, secret in usable if hmac.verify(signed, secret.encode("utf-8", "surrogatepass"), signature)
    ]
    if not fits:
        raise TokenRefused("signature", "must be signed with the account's client secret", CHECK_SECRET)
    return fits[0]


def _check_times(claims: Mapping[str, object], now: datetime) -> datetime:
    expires_at = _time(claims, "exp")
    if (now - expires_at).total_seconds() >= LEEWAY_SECONDS:
        raise TokenRefused("expired", "must not be expired", "Check this server's clock.")
    for name in ("nbf", "iat"):
        if name in claims and (_time(claims, name) - now).total_seconds() > LEEWAY_SECONDS:
            raise TokenRefused("not-yet", "must not be of the future", "Check this server's clock.")
    return expires_at


def _time(claims: Mapping[str, object], name: str) -> datetime:
    seconds = claims.get(name)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
        raise TokenRefused("malformed", f"must have a time in {name}")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        raise TokenRefused("malformed", f"must have a time in {name}") from None


def _check_owner(claims: Mapping[str, object], *, kommo_id: int, client_id: str, origin: str) -> None:
    if _digits(claims.get("account_id")) != str(kommo_id):
        raise TokenRefused("account", "must be of this account", CHECK_ACCOUNT)
    # the documentation's table spells it client_uid, the libraries client_uuid
    clients = [claims[name] for name in ("client_uuid", "client_uid") if name in claims]
    if not clients or any(client != client_id for client in clients):
        raise TokenRefused("client", "must be of this account's integration", CHECK_ACCOUNT)
    if "iss" in claims and claims["iss"] != origin:
        raise TokenRefused("issuer", "must be issued by the account's origin", CHECK_ACCOUNT)


def _digits(value: object) -> str:
    """Give a whole number, or digits, as text; everything else, "True" too, is empty."""
    text = str(value) if isinstance(value, int | str) else ""
    return text if re.fullmatch(r"[0-9]{1,19}", text) else ""


def _entity_id(value: object) -> str | None:
    """Give an entity's id; zero and odd spellings would throw strangers into one conversation."""
    text = _digits(value)
    return text if ENTITY_ID.fullmatch(text) else None


def _note(value: object) -> str:
    """Give a claim that is only recorded as a short text that any database takes."""
    if value is None:
        return ""
    return storable(value if isinstance(value, str) else repr(value))[:NOTE_MAX_CHARS]
