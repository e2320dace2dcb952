"""The door that Kommo knocks at: which status, in which order of checks, and what is stored behind it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django_q.models import OrmQ
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.models import Account, Exchange, HookKey
from bots.parsers import BODY_MAX_BYTES
from tests.bots.door import FORM, JSON, Door, as_form
from tests.cast import a_bot, an_account

LARGE = b"x" * (BODY_MAX_BYTES + 1)


@pytest.fixture
def door(db: None) -> Door:
    """Give the door of an account with a bot."""
    account = an_account()
    a_bot(account)
    return Door(account)


def stored() -> int:
    """Count exchanges, and see that each has its queue row."""
    assert OrmQ.objects.count() == Exchange.objects.count()
    return Exchange.objects.count()


# taken


def test_a_good_request_is_stored_and_answered_with_an_empty_object(door: Door):
    answer = door.knock()

    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"{}", JSON)
    assert stored() == 1


@pytest.mark.parametrize("tail", ["", "/"], ids=["without the last slash", "with the last slash"])
def test_the_address_works_with_and_without_its_last_slash(door: Door, tail: str):
    assert door.knock(tail=tail).status_code == 200
    assert stored() == 1


def test_a_second_copy_is_taken_and_changes_nothing(door: Door):
    first = door.knock()
    second = door.knock(door.body(data={"message": "Something else"}))

    assert (first.status_code, second.status_code, second.content) == (200, 200, b"{}")
    assert stored() == 1
    assert Exchange.objects.get().text == "Do you have it in blue?"


def test_another_continue_id_is_another_exchange(door: Door):
    door.knock(door.body(1))
    door.knock(door.body(2))

    assert stored() == 2


@pytest.mark.parametrize("data", [None, [], "", "  "], ids=["null", "an empty list", "empty text", "blank text"])
def test_empty_data_is_an_empty_object(door: Door, data: Any):
    answer = door.knock(door.body() | {"data": data})

    assert answer.status_code == 200
    assert Exchange.objects.get().text == ""


def test_absent_data_is_an_empty_object(door: Door):
    assert door.knock(door.body(data=None)).status_code == 200
    assert Exchange.objects.get().text == ""


@pytest.mark.parametrize(
    "content_type", [JSON, "text/json; charset=utf-8", "text/plain", "", FORM], ids=lambda name: name or "none"
)
def test_json_is_read_whatever_its_content_type(door: Door, content_type: str):
    assert door.knock(content_type=content_type).status_code == 200
    assert Exchange.objects.get().text == "Do you have it in blue?"


@pytest.mark.parametrize("content_type", [FORM, "text/plain", "", JSON], ids=lambda name: name or "none")
def test_a_form_is_read_whatever_its_content_type(door: Door, content_type: str):
    assert door.knock(as_form(door.body()), content_type=content_type).status_code == 200
    assert Exchange.objects.get().text == "Do you have it in blue?"


@pytest.mark.parametrize(
    "content_type", ["nonsense", "*/*", "\xff/;=", "a" * 3000], ids=["word", "stars", "odd", "long"]
)
def test_a_content_type_that_is_nonsense_is_no_reason_to_refuse(door: Door, content_type: str):
    assert door.knock(content_type=content_type).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml;q=0.9", "nonsense", "*/*", ""])
def test_a_caller_that_asks_for_another_form_of_answer_is_taken_all_the_same(door: Door, accept: str):
    url = f"/kommo/{door.account.key}/widget-request/?format=xml"
    answer = Client(HTTP_ACCEPT=accept).generic("POST", url, json.dumps(door.body()).encode(), JSON)

    assert (answer.status_code, answer["Content-Type"]) == (200, JSON)


def test_a_form_whose_data_is_json_is_read(door: Door):
    body = door.body() | {"data": json.dumps({"message": "As JSON in a form", "bot": "x"})}

    assert door.knock(as_form(body), content_type=FORM).status_code == 200
    assert Exchange.objects.get().text == "As JSON in a form"


def test_a_multipart_form_is_read(door: Door):
    body = door.body()
    fields = {"token": body["token"], "return_url": body["return_url"], "data[message]": "In parts"}
    answer = Client().post(f"/kommo/{door.account.key}/widget-request/", fields)

    assert answer.status_code == 200
    assert Exchange.objects.get().text == "In parts"


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
fields = st.recursive(
    words,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(names, inner, min_size=1, max_size=3),
    max_leaves=6,
)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None)
@given(data=st.dictionaries(names, fields, min_size=1, max_size=4), encoding=st.sampled_from(["form", "form-json"]))
def test_json_and_form_of_the_same_data_give_equal_rows(data: dict[str, Any], encoding: str):
    door = Door(an_account())
    inner = json.dumps(data) if encoding == "form-json" else data

    assert door.knock(door.body(1, data=data)).status_code == 200
    assert door.knock(as_form(door.body(2) | {"data": inner}), content_type=FORM).status_code == 200

    first, second = Exchange.objects.filter(account=door.account).order_by("pk")
    for name in ("text", "instruction", "origin", "asked_bot", "widget_version", "data", "token_facts"):
        assert getattr(first, name) == getattr(second, name), name
    assert (first.encoding, second.encoding) == ("json", encoding)


# refused, and in which order

Breaking = Callable[[Door], dict[str, Any]]


def unreadable(door: Door) -> dict[str, Any]:
    return {"body": b'{"token": '}


def forged(door: Door) -> dict[str, Any]:
    return {"token": door.token(secret="another-secret-0123456789")}


def foreign(door: Door) -> dict[str, Any]:
    return {"return_url": "https://elsewhere.example.com/api/v4/salesbot/321/continue/1"}


def no_object(door: Door) -> dict[str, Any]:
    return {"data": ["a", "list"]}


def strange_key(door: Door) -> dict[str, Any]:
    return {"key": "nobody-has-this-key"}


def too_large(door: Door) -> dict[str, Any]:
    return {"body": LARGE}


BREAKS: dict[str, tuple[int, str, Breaking]] = {
    "too large": (413, "body", too_large),
    "unknown key": (404, "key", strange_key),
    "unreadable": (400, "body", unreadable),
    "forged token": (401, "token_signature", forged),
    "foreign return_url": (400, "return_url", foreign),
    "data that is no object": (400, "data", no_object),
}
ORDER = list(BREAKS)
PAIRS = [(first, second) for place, first in enumerate(ORDER) for second in ORDER[place + 1 :]]


def break_door(door: Door, *names: str) -> Any:
    """Knock with everything good but what is named; the first named wins where two are about the same part."""
    changes: dict[str, Any] = {}
    for name in reversed(names):
        changes |= BREAKS[name][2](door)
    key, raw = changes.pop("key", ""), changes.pop("body", None)
    return door.knock(raw or door.body() | changes, key=key)


@pytest.mark.parametrize("fault", ORDER)
def test_what_is_wrong_is_refused_with_its_status_and_stores_nothing(door: Door, fault: str):
    answer = break_door(door, fault)

    status, code, _ = BREAKS[fault]
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert len(answer.json()["detail"].split()) >= 4
    assert stored() == 0


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{first} before {second}" for first, second in PAIRS])
def test_of_two_faults_the_earlier_check_speaks(door: Door, first: str, second: str):
    assert break_door(door, first, second).status_code == BREAKS[first][0]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.parametrize("tail", ["", "/"], ids=["without the last slash", "with the last slash"])
def test_only_post_is_taken(door: Door, method: str, tail: str):
    answer = Client().generic(method, f"/kommo/{door.account.key}/widget-request{tail}")

    assert answer.status_code == 405
    assert "POST" in answer["Allow"]


@pytest.mark.parametrize("body", [b"", b"  \r\n", b"[]", b"null", b'"text"', b"\xff\xfe"], ids=repr)
def test_a_body_that_is_none_is_unreadable(door: Door, body: bytes):
    answer = door.knock(body)

    assert (answer.status_code, answer.json()["error"]) == (400, "body")


@pytest.mark.parametrize(
    "token", [None, "", 17, ["a"], "not.a.token"], ids=["absent", "empty", "number", "list", "odd"]
)
def test_a_token_that_is_none_is_refused_as_one(door: Door, token: Any):
    assert door.knock(door.body(token=token)).status_code == 401


@pytest.mark.parametrize("return_url", [None, "", 17, ["a"]], ids=["absent", "empty", "number", "list"])
def test_a_return_url_that_is_none_is_refused_as_one(door: Door, return_url: Any):
    answer = door.knock(door.body(return_url=return_url))

    assert (answer.status_code, answer.json()["error"]) == (400, "return_url")


def test_exactly_256_kib_are_taken(door: Door):
    body = json.dumps(door.body()).encode()
    padded = body[:-1] + b" " * (BODY_MAX_BYTES - len(body)) + body[-1:]

    assert len(padded) == BODY_MAX_BYTES
    assert door.knock(padded).status_code == 200


def test_too_deep_data_is_unreadable(door: Door):
    deep = b'{"data": ' + b'{"a":' * 40 + b"1" + b"}" * 41
    answer = door.knock(deep)

    assert (answer.status_code, answer.json()["error"]) == (400, "body")


def test_a_refusal_repeats_nothing_that_was_sent(door: Door):
    token = door.token(secret="another-secret-0123456789")
    answer = door.knock(door.body(token=token, data={"message": "My words"}))

    assert "My words" not in answer.content.decode()
    assert token not in answer.content.decode()
    assert door.account.client_secret not in answer.content.decode()


# secrets and keys, current and previous


def test_a_token_of_the_previous_secret_is_taken_while_it_is_honoured(door: Door):
    old = door.account.client_secret
    door.account.set_client_secret("the-new-secret-0123456789", now=datetime.now(tz=UTC))
    door.account.save()

    assert door.knock(door.body(token=door.token(secret=old))).status_code == 200
    assert Exchange.objects.get().token_facts["previous_secret"]


def test_a_token_of_the_previous_secret_is_refused_when_its_time_is_over(door: Door):
    old = door.account.client_secret
    door.account.set_client_secret("the-new-secret-0123456789", now=datetime.now(tz=UTC) - timedelta(hours=73))
    door.account.save()

    assert door.knock(door.body(token=door.token(secret=old))).status_code == 401


@pytest.mark.parametrize(("hours", "status"), [(1, 200), (-1, 404)], ids=["while honoured", "afterwards"])
def test_the_previous_key_opens_the_door_for_its_time_only(door: Door, hours: int, status: int):
    HookKey.objects.create(
        account=door.account, value="the-key-before", expires_at=datetime.now(tz=UTC) + timedelta(hours=hours)
    )

    assert door.knock(key="the-key-before").status_code == status


def test_keys_are_told_apart_by_case(door: Door):
    HookKey.objects.filter(account=door.account).update(value="AbCdEfGh-0123456789")

    assert door.knock(key="AbCdEfGh-0123456789").status_code == 200
    assert door.knock(key="abcdefgh-0123456789").status_code == 404


def test_an_account_that_is_switched_off_still_takes_requests_so_that_its_salesbots_go_on(door: Door):
    Account.objects.filter(pk=door.account.pk).update(enabled=False)

    assert door.knock().status_code == 200
    assert stored() == 1


# what is out of order on our side


def test_secrets_that_cannot_be_read_give_503(door: Door):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE bots_account SET client_secret = substr(client_secret, 1, length(client_secret) - 6)")

    answer = door.knock(door.body(token=door.token(secret="any-secret-at-all-0123456789")))

    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert stored() == 0


def failing_at(statement: str) -> Callable[..., Any]:
    """Let the database fail at statements that begin so."""

    def run(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        if sql.startswith(statement):
            raise OperationalError("database or disk is full: canary-words")
        return execute(sql, params, many, context)

    return run


@pytest.mark.parametrize("statement", ["SELECT", "INSERT", 'INSERT INTO "django_q_ormq"'])
def test_a_database_that_fails_gives_503_and_stores_nothing(door: Door, statement: str):
    body = door.body()
    key = door.account.key
    with connection.execute_wrapper(failing_at(statement)):
        answer = door.knock(body, key=key)

    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert "canary" not in answer.content.decode()
    assert stored() == 0
    assert door.knock(body).status_code == 200


# the cost


def test_a_request_costs_few_statements(door: Door, django_assert_max_num_queries: Any):
    door.knock(door.body(1))
    body, key = door.body(2), door.account.key

    with django_assert_max_num_queries(14):
        assert door.knock(body, key=key).status_code == 200


def test_an_answer_sets_no_cookie(door: Door):
    assert not door.knock().cookies
