"""Each fault of the continue endpoint, seen by a client on a socket."""

import threading
import time
from urllib.parse import unquote_to_bytes

import jwt
import pytest
import requests

from tests.sandbox.bridge import SECRET, TOKEN, resume, success


@pytest.fixture
def waiting(sandbox, bridge):
    return sandbox.say("anna", "hi").return_url


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500, 503])
def test_a_status_fault_answers_so_and_accepts_nothing(sandbox, waiting, status):
    sandbox.fault("status", status=status)

    answer = resume(waiting, success())

    assert answer.status_code == answer.json()["status"] == status
    assert sandbox.accepted == []
    assert resume(waiting, success()).status_code == 202


def test_a_429_fault_carries_its_retry_after(sandbox, waiting):
    sandbox.fault("status", status=429, retry_after=300)

    assert resume(waiting, success()).json()["retry_after"] == 300


def test_a_block_page_is_html(sandbox, waiting):
    sandbox.fault("status", status=403, html=True)

    answer = resume(waiting, success())

    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert "<center>nginx</center>" in answer.text


def test_a_status_fault_can_accept_first(sandbox, waiting):
    sandbox.fault("status", status=500, accept=True)

    assert resume(waiting, success("Hello!")).status_code == 500
    assert sandbox.shown("anna") == ["Hello!"]
    assert resume(waiting, success()).status_code == 404


def test_a_connection_dropped_before_leaves_the_salesbot_waiting(sandbox, waiting):
    sandbox.fault("drop_before")

    with pytest.raises(requests.ConnectionError):
        resume(waiting, success())

    assert sandbox.accepted == []
    assert resume(waiting, success()).status_code == 202


def test_a_connection_dropped_after_has_resumed_the_salesbot(sandbox, waiting):
    sandbox.fault("drop_after")

    with pytest.raises(requests.ConnectionError):
        resume(waiting, success("Hello!"))

    assert sandbox.shown("anna") == ["Hello!"]
    assert resume(waiting, success()).status_code == 404


def test_a_lost_answer_has_resumed_the_salesbot_and_says_nothing(sandbox, waiting):
    sandbox.fault("lost", seconds=30)

    with pytest.raises(requests.ReadTimeout):
        requests.post(waiting, json=success("Hello!"), headers={"Authorization": f"Bearer {TOKEN}"}, timeout=(1, 0.3))

    assert sandbox.shown("anna") == ["Hello!"]
    assert resume(waiting, success()).status_code == 404


def test_a_lost_answer_ends_with_a_cut_connection(sandbox, waiting):
    sandbox.fault("lost", seconds=0.2)
    begun = time.monotonic()

    with pytest.raises(requests.ConnectionError):
        resume(waiting, success())

    assert time.monotonic() - begun >= 0.2


def test_an_answer_of_the_wrong_type_is_a_202_that_is_no_json(sandbox, waiting):
    sandbox.fault("wrong_type")

    answer = resume(waiting, success("Hello!"))

    assert (answer.status_code, answer.headers["Content-Type"]) == (202, "application/json; charset=utf-8")
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert sandbox.shown("anna") == ["Hello!"]


@pytest.mark.parametrize(("kind", "status"), [("rate_limit", 429), ("block_page", 403), ("redirect", 307)])
def test_a_named_refusal_has_its_status_and_accepts_nothing(sandbox, waiting, kind, status):
    sandbox.fault(kind)

    answer = resume(waiting, success())

    assert answer.status_code == status
    assert resume(waiting, success()).status_code == 202


def test_the_named_refusals_look_like_kommos(sandbox, waiting):
    for kind in ("rate_limit", "block_page", "redirect"):
        sandbox.fault(kind)

    assert resume(waiting, success()).json()["retry_after"] == 1
    assert resume(waiting, success()).headers["Content-Type"] == "text/html; charset=utf-8"
    assert resume(waiting, success()).headers["Location"] == "/elsewhere"


def claims_of(received):
    return jwt.decode(received.fields["token"], SECRET, algorithms=["HS256"], options={"verify_signature": False})


@pytest.mark.parametrize("seconds", [-7200, 45], ids=["in the past", "a little ahead"])
def test_a_wrong_clock_moves_every_time_of_the_token(sandbox, bridge, seconds):
    sandbox.fault("clock_skew", seconds=seconds)

    sandbox.say("anna", "hi")
    sandbox.say("ben", "hi")

    sandbox.wait_until(lambda: len(bridge.received) == 2)
    skewed, true = sorted((claims_of(one) for one in bridge.received), key=lambda claims: claims["entity_id"])
    assert {name: skewed[name] - true[name] for name in ("iat", "nbf", "exp")} == pytest.approx(
        dict.fromkeys(("iat", "nbf", "exp"), seconds), abs=2
    )


def test_a_duplicated_request_is_the_same_in_each_byte(sandbox, bridge):
    sandbox.fault("duplicate", copies=4)

    sandbox.say("anna", "hi")

    sandbox.wait_until(lambda: len(bridge.received) == 4)
    assert len({one.raw for one in bridge.received}) == 1


def test_a_request_of_the_wrong_type_has_its_usual_body(sandbox, bridge):
    sandbox.fault("request_type", content_type="application/octet-stream")

    sandbox.say("anna", "hi")

    received = sandbox.wait_until(lambda: bridge.received and bridge.received[0])
    assert received.headers["content-type"] == "application/octet-stream"
    assert b"data[message]=hi" in unquote_to_bytes(received.raw)


@pytest.mark.parametrize("kind", ["clock_skew", "duplicate", "request_type"])
def test_a_broken_request_is_told_in_chat_and_journal(sandbox, bridge, kind):
    sandbox.fault(kind)

    sandbox.say("anna", "hi")

    titles = [note["title"] for note in sandbox.chat("anna")["turns"][0]["notes"]]
    assert "The widget_request is broken on demand" in titles
    (entry,) = [entry for entry in sandbox.journal if entry["kind"] == "request_fault"]
    assert (entry["fault"], entry["customer"]) == (kind, "anna")


def test_a_fault_of_requests_leaves_continues_alone(sandbox, waiting):
    sandbox.fault("duplicate")

    assert resume(waiting, success()).status_code == 202
    assert sandbox.faults()[0]["count"] == 1


def test_a_fault_that_is_switched_off_keeps_its_count(sandbox, waiting):
    sandbox.fault("status", status=500, on=False)

    assert resume(waiting, success()).status_code == 202
    assert [(fault["on"], fault["count"]) for fault in sandbox.faults()] == [(False, 1)]


def test_a_redirect_names_the_other_address_and_accepts_nothing(sandbox, waiting):
    sandbox.fault("redirect", url="http://127.0.0.1:1/elsewhere")

    answer = resume(waiting, success())

    assert (answer.status_code, answer.headers["Location"]) == (307, "http://127.0.0.1:1/elsewhere")
    assert sandbox.accepted == []


def test_a_huge_body_goes_on_until_the_client_has_enough(sandbox, waiting):
    sandbox.fault("huge")

    with requests.post(
        waiting, json=success(), headers={"Authorization": "Bearer access-token-of-demo"}, stream=True, timeout=10
    ) as answer:
        got = sum(len(chunk) for chunk, _ in zip(answer.iter_content(65536), range(160), strict=False))

    assert answer.status_code == 202
    assert got >= 10_000_000
    assert len(sandbox.accepted) == 1


def test_a_huge_body_has_the_size_that_was_asked_for(sandbox, waiting):
    sandbox.fault("huge", size=100_000)

    assert len(resume(waiting, success()).content) == 100_000


def test_a_slow_answer_comes_late_and_has_accepted_at_once(sandbox, waiting):
    sandbox.fault("slow", seconds=1)
    begun = time.monotonic()
    thread = threading.Thread(target=lambda: resume(waiting, success("Hello!")))
    thread.start()

    sandbox.wait_until(lambda: sandbox.shown("anna"))
    assert thread.is_alive()
    thread.join()
    assert time.monotonic() - begun >= 1


def test_a_slow_answer_that_nobody_waits_for_accepts_nothing_when_told_so(sandbox, waiting):
    sandbox.fault("slow", seconds=0.4, accept=False)

    with pytest.raises(requests.Timeout):
        requests.post(
            waiting, json=success(), headers={"Authorization": "Bearer access-token-of-demo"}, timeout=(1, 0.1)
        )

    sandbox.wait_until(lambda: [e for e in sandbox.journal if e["kind"] == "continue_answer"])
    assert sandbox.accepted == []
    assert resume(waiting, success()).status_code == 202


def test_a_slow_answer_told_not_to_accept_first_accepts_in_the_end(sandbox, waiting):
    sandbox.fault("slow", seconds=0.2, accept=False)

    assert resume(waiting, success()).status_code == 202
    assert len(sandbox.accepted) == 1


def test_a_dripping_answer_is_a_202_that_takes_its_time(sandbox, waiting):
    sandbox.fault("drip", seconds=1)
    begun = time.monotonic()

    answer = resume(waiting, success())

    assert (answer.status_code, answer.text) == (202, "..")
    assert time.monotonic() - begun >= 0.9


@pytest.mark.parametrize("kind", ["drop_after", "lost", "wrong_type", "huge", "slow", "drip"])
def test_a_fault_after_acceptance_does_not_hide_a_refusal(sandbox, waiting, kind):
    sandbox.fault(kind)

    assert resume(waiting, success(), token="wrong").status_code == 401


def test_a_fault_acts_as_often_as_it_was_told(sandbox, waiting):
    sandbox.fault("status", status=500, count=2)

    assert [resume(waiting, success()).status_code for _ in range(3)] == [500, 500, 202]
    assert sandbox.faults() == []


def test_a_fault_for_one_customer_spares_the_others(sandbox, waiting):
    sandbox.fault("status", status=500, customer="ben")
    other = sandbox.say("ben", "hi").return_url

    assert resume(waiting, success()).status_code == 202
    assert resume(other, success()).status_code == 500


def test_faults_act_in_their_order(sandbox, waiting):
    sandbox.fault("status", status=503)
    sandbox.fault("status", status=429)

    assert [resume(waiting, success()).status_code for _ in range(3)] == [503, 429, 202]


def test_a_fault_is_told_in_chat_and_journal(sandbox, waiting):
    sandbox.fault("drop_before")
    with pytest.raises(requests.ConnectionError):
        resume(waiting, success())

    (told,) = sandbox.chat("anna")["turns"][0]["refused"]
    assert (told["status"], told["detail"]) == (None, "On demand: drop_before")
    (entry,) = [entry for entry in sandbox.journal if entry["kind"] == "continue_answer"]
    assert (entry["status"], entry["fault"]) == (None, "drop_before")


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"kind": "explode"}, "kind: must be one of status"),
        ({"kind": ["status"]}, "kind: must be one of status"),
        ({"kind": "status", "code": 500}, "code: is not known"),
        ({"kind": "drop_after", "accept": False}, "accept: is not known"),
        ({"kind": "status", "status": "500"}, "status: must be a whole number"),
        ({"kind": "status", "status": 99}, "status: must be from 200 to 599"),
        ({"kind": "status", "count": 0}, "count: must be from 1"),
        ({"kind": "status", "count": True}, "count: must be a whole number"),
        ({"kind": "status", "on": 1}, "on: must be true or false"),
        ({"kind": "slow", "seconds": -1}, "seconds: must be from 0"),
        ({"kind": "clock_skew", "seconds": -90_000}, "seconds: must be from -86400"),
        ({"kind": "duplicate", "copies": 1}, "copies: must be from 2"),
        ({"kind": "redirect", "url": ""}, "url: must be of printable"),
        ({"kind": "request_type", "content_type": "text/plain\r\nX: y"}, "content_type: must be of printable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox, fields, line):
    with pytest.raises(ValueError, match=line):
        sandbox.fault(**fields)
