"""What of a value may stand in a log line."""

import enum
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kommobridge.log_values import DEPTH_MAX, HIDDEN, ITEMS_MAX, TEXT_MAX_CHARS, plain


class Talkative:
    """An object that would tell a secret to anybody who prints it."""

    def __repr__(self):
        raise AssertionError("a value was printed")

    __str__ = __repr__


class Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(None, None, id="nothing"),
        pytest.param(True, True, id="a boolean"),
        pytest.param(7, 7, id="a whole number"),
        pytest.param(2**80, "<int>", id="a number beyond 64 bits"),
        pytest.param(float("nan"), "nan", id="a number that JSON doesn't know"),
        pytest.param(Colour.RED, "red", id="an enum"),
        pytest.param(UUID(int=1), "00000000-0000-0000-0000-000000000001", id="a UUID"),
        pytest.param(Decimal("0.10"), "0.10", id="a decimal"),
        pytest.param(PurePosixPath("a/b"), "a/b", id="a path"),
        pytest.param(datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00", id="a moment"),
        pytest.param(date(2026, 1, 2), "2026-01-02", id="a day"),
        pytest.param(timedelta(milliseconds=1500), 1.5, id="a duration in seconds"),
        pytest.param(b"secret", "<6 bytes>", id="bytes"),
        pytest.param(ValueError("secret"), "ValueError", id="an error without its text"),
        pytest.param(json.JSONDecodeError, "json.decoder.JSONDecodeError", id="a class"),
        pytest.param((1, "a"), [1, "a"], id="a tuple"),
        pytest.param({"a": {1: Talkative()}}, {"a": {"1": "<Talkative>"}}, id="an object by its class only"),
    ],
)
def test_a_value_becomes_plain(value, shown):
    assert plain(value) == shown


def test_an_object_is_never_printed():
    assert plain([Talkative(), {Talkative(): 1}]) == ["<Talkative>", {"<Talkative>": 1}]


@pytest.mark.parametrize(
    "name",
    ["client_secret", "access_token", "Authorization", "api_key", "hook_key", "password", "body", "headers", "text"],
)
def test_a_text_under_a_telling_name_is_hidden(name):
    assert plain({name: "abc"}) == {name: HIDDEN}


@pytest.mark.parametrize("name", ["token_count", "message_chars", "account", "error", "event_id"])
def test_a_fact_under_a_harmless_name_is_shown(name):
    assert plain({name: "abc"}) == {name: "abc"}


def test_a_count_of_tokens_is_shown_whatever_its_name():
    assert plain({"tokens": 12}) == {"tokens": 12}


@pytest.mark.parametrize(
    "text",
    [
        "got eyJhbGciOiJIUzI1NiJ9.SECRETpayload.SECRETsignature from them",
        "Authorization: Bearer SECRET-1234",
        "key sk-SECRET12345678 refused",
        "at /kommo/SECRET_hook_key/widget-request/",
        "postgres://user:SECRET@host/name",
        "https://example.com/v1/models?key=SECRET",
        "stored gAAAAABSECRETSECRETSECRETSECRET==",
        "x" * (TEXT_MAX_CHARS - 10) + " Bearer SECRET-1234",
    ],
)
def test_what_looks_like_a_secret_is_taken_out_of_a_text(text):
    assert "SECRET" not in str(plain(text))


def test_a_long_text_is_cut():
    assert plain("x" * 10_000) == "x" * TEXT_MAX_CHARS + "…"


def test_a_long_list_is_cut():
    assert plain(list(range(1000))) == [*range(ITEMS_MAX), "…"]


def test_a_value_that_holds_itself_ends():
    loop: list[object] = []
    loop.append(loop)
    nested: object = "…"
    for _ in range(DEPTH_MAX):
        nested = [nested]
    assert plain(loop) == nested


@given(
    st.recursive(
        st.text() | st.floats() | st.binary() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_the_value_json_takes_the_result(value):
    json.loads(json.dumps(plain(value), allow_nan=False))
