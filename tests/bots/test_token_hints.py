"""What is read out of a long-lived token, and out of texts that look like one."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.token_hints import NO_HINTS, TOKEN_MAX_CHARS, TokenHints, read_token


def jwt_of(claims: object) -> str:
    """Give a token with these claims; its signature is nobody's."""
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def test_a_jwt_tells_its_end_and_its_account():
    hints = read_token(jwt_of({"exp": 1_800_000_000, "account_id": 31337, "aud": "ünïcode?>"}))
    assert hints == TokenHints(datetime.fromtimestamp(1_800_000_000, UTC), 31337)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"exp": "1800000000", "account_id": "31337"},
        {"exp": True, "account_id": False},
        {"exp": 1e300},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": -(10**30)},
        [],
        "exp",
        None,
    ],
    ids=["none", "texts", "booleans", "far", "no number", "endless", "long ago", "a list", "a text", "null"],
)
def test_odd_claims_tell_nothing(claims: object):
    assert read_token(jwt_of(claims)) == NO_HINTS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "an opaque token",
        "a.b",
        "a.b.c.d",
        "head.!!!.sig",
        "head.bm8ganNvbg.sig",
        "head.é.sig",
        "head.8J-YgA.sig",
        jwt_of({"exp": 1_800_000_000, "note": "x" * TOKEN_MAX_CHARS}),
        f"head.{base64.urlsafe_b64encode(b'[' * 5000).decode()}.sig",
    ],
    ids=["empty", "opaque", "two parts", "four parts", "no base64", "no JSON", "no ASCII", "no object", "long", "deep"],
)
def test_any_other_text_tells_nothing(text: str):
    assert read_token(text) == NO_HINTS


@given(text=st.text(max_size=200), body=st.binary(max_size=200))
def test_nothing_that_is_entered_as_a_token_breaks_the_page(text: str, body: bytes):
    read_token(text)
    read_token(f"a.{base64.urlsafe_b64encode(body).decode().rstrip('=')}.c")
