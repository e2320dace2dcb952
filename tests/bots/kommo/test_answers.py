"""Kommo's answer, whatever it looks like, becomes facts and never an error."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.kommo import KommoAnswer
from bots.kommo.answers import read_answer

TOKEN = "long-lived-access-token"


def read(body: object = b"", status: int = 400, **headers: str) -> KommoAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_answer(status, named, raw, access_token=TOKEN)


@pytest.mark.parametrize(
    ("header", "in_body", "seconds"),
    [
        ("300", None, 300.0),
        ("0", None, 0.0),
        ("1.5", None, 1.5),
        (None, 300, 300.0),
        (None, "12", 12.0),
        ("20", 300, 20.0),
        ("soon", 300, 300.0),
        ("-5", 300, 300.0),
        ("nan", None, None),
        ("inf", None, None),
        ("1e12", None, 86_400.0),
        (None, True, None),
        (None, [300], None),
        (None, "9" * 5000, None),
        ("", None, None),
        ("Wed, 99 Nov 2026", None, None),
        (None, None, None),
    ],
)
def test_the_time_to_wait_is_read(header: str | None, in_body: object, seconds: float | None):
    headers = {} if header is None else {"Retry_After": header}
    assert read({"retry_after": in_body}, 429, **headers).retry_after_s == seconds


def test_the_time_to_wait_may_be_a_date():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    waited = read(b"", 429, Retry_After=soon).retry_after_s
    assert waited is not None
    assert 90 < waited <= 101


def test_codes_and_details_of_all_validation_errors_are_read():
    problem = {
        "title": "Bad Request",
        "validation-errors": [
            {"request_id": "0", "errors": [{"code": "TooLong", "detail": "too long"}, {"code": "InvalidType"}]},
            {"request_id": "1", "errors": [{"code": "NotSupportedChoice", "detail": "too long"}]},
        ],
    }
    answer = read(problem)
    assert answer.codes == ("TooLong", "InvalidType", "NotSupportedChoice")
    assert answer.detail == "Bad Request; too long"


@pytest.mark.parametrize(
    "errors",
    [None, "x", [], {}, [None], [[]], [{"errors": None}], [{"errors": {"code": "x"}}], [{"errors": [1, {"code": 5}]}]],
)
def test_validation_errors_of_another_shape_are_none(errors: object):
    assert read({"validation-errors": errors}).codes == ()


def test_an_echo_of_the_access_token_is_taken_out():
    assert TOKEN not in read({"detail": f"bad token {TOKEN}!"}).detail


def test_details_are_cleaned_and_cut():
    answer = read({"detail": "a\u0000\u202e" + "b" * 5000}, X_Request_Id="r\x00" + "1" * 500)
    assert answer.detail == "a" + "b" * 499
    assert len(answer.request_id) == 128


@pytest.mark.parametrize(
    ("body", "content_type", "is_html"),
    [
        (b"<html></html>", "text/html", True),
        (b"  <!doctype html>", "", True),
        (b"", "text/html; charset=utf-8", True),
        (b"{}", "application/json", False),
        (b"Accepted", "text/plain", False),
        (b"", "", False),
    ],
)
def test_a_web_page_is_told_apart(body: bytes, content_type: str, *, is_html: bool):
    assert read(body, Content_Type=content_type).is_html is is_html


def test_the_repr_holds_no_words_of_the_answer():
    assert "customer" not in repr(read({"detail": "customer wrote this"}))


@settings(max_examples=300, deadline=None)
@given(
    body=st.binary(max_size=200)
    | st.recursive(st.none() | st.text() | st.floats(), st.lists, max_leaves=5).map(
        lambda value: json.dumps({"detail": value, "retry_after": value, "validation-errors": value}).encode()
    ),
    headers=st.dictionaries(st.sampled_from(["Retry-After", "Content-Type", "X-Request-Id"]), st.text(max_size=50)),
)
def test_no_answer_makes_it_fail(body: bytes, headers: dict[str, str]):
    answer = read_answer(500, headers, body, access_token=TOKEN)
    assert answer.status == 500
    assert answer.retry_after_s is None or 0 <= answer.retry_after_s <= 86_400
    (answer.detail + answer.request_id).encode("utf-8")
