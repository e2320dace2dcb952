"""The widget_request on the wire, as a bridge receives it (protocol §1.2, §1.3, §1.4)."""

import json
import socket
import time
from pathlib import Path
from urllib.parse import parse_qsl

import jwt
import pytest

from sandbox.server import SandboxServer
from sandbox.widget_requests import encode
from tests.sandbox.bridge import SECRET, an_account, success, unbracketed

PAYLOADS = Path(__file__).parents[1] / "payloads"


def the_request(sandbox, bridge, text="Hola, ¿qué tal? {{lead.id}} & more"):
    sandbox.say("anna", text)
    return sandbox.wait_until(lambda: bridge.received and bridge.received[0])


def claims_of(received, algorithm="HS256"):
    return jwt.decode(
        received.fields["token"], SECRET, algorithms=[algorithm], audience=None, options={"verify_aud": False}
    )


@pytest.mark.statement("S1.2.fields", "S1.2.data", "S1.2.literal")
@pytest.mark.parametrize("encoding", ["form", "json"])
def test_both_encodings_carry_token_data_and_return_url(sandbox, bridge, encoding):
    sandbox.configure(encoding=encoding, bot="sales", data={"instruction": "Be brief"})

    received = the_request(sandbox, bridge, "Hola, ¿qué tal? 😀 & a=b")

    assert set(received.fields) == {"token", "data", "return_url"}
    chat = sandbox.chat("anna")
    assert received.data == {
        "message": "Hola, ¿qué tal? 😀 & a=b",
        "lead_id": str(chat["lead_id"]),
        "contact_id": str(chat["contact_id"]),
        "name": "anna",
        "talk_id": "{{talk.id}}",
        "origin": "telegram",
        "widget": "sandbox",
        "bot": "sales",
        "instruction": "Be brief",
    }


@pytest.mark.statement("S1.2.form")
def test_the_form_has_the_bracket_names_of_the_recorded_one(sandbox, bridge):
    recorded = parse_qsl((PAYLOADS / "01-widget-request.form").read_text().strip())

    received = the_request(sandbox, bridge)

    assert {name for name, _ in recorded} <= {name for name, _ in parse_qsl(received.raw.decode())}
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    assert b"+" not in received.raw


@pytest.mark.statement("S1.2.json")
def test_the_json_has_the_shape_of_the_documented_one(sandbox, bridge):
    sandbox.configure(encoding="json")
    documented = json.loads((PAYLOADS / "04-widget-request.json").read_text())

    received = the_request(sandbox, bridge)

    assert received.fields.keys() == documented.keys()
    assert received.headers["content-type"] == "application/json"


@pytest.mark.statement("S1.2.texts")
def test_nested_data_becomes_brackets_and_texts():
    data = {"a": {"b": ["x", {"c": 1}]}, "yes": True, "no": False, "none": None, "n": 1.5}

    sent = encode(url="http://b/", token="t", data=data, return_url="u", encoding="form")

    pairs = parse_qsl(sent.body.decode(), keep_blank_values=True)
    assert dict(pairs)["data[a][b][1][c]"] == "1"
    assert unbracketed(pairs)["data"] == {
        "a": {"b": {"0": "x", "1": {"c": "1"}}}, "yes": "1", "no": "", "none": "", "n": "1.5"
    }  # fmt: skip


@pytest.mark.statement(
    "S1.3.HS256",
    "S1.3.HS512",
    "S1.3.iss",
    "S1.3.aud",
    "S1.3.times",
    "S1.3.account",
    "S1.3.client",
    "S1.3.entity",
    "S1.3.bot-type",
)
@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_the_token_has_every_known_claim_and_the_accounts_signature(sandbox, bridge, algorithm):
    sandbox.configure(algorithm=algorithm)
    known = json.loads((PAYLOADS / "05-bot-token-claims.json").read_text())["claims"]

    received = the_request(sandbox, bridge)

    claims = claims_of(received, algorithm)
    assert jwt.get_unverified_header(received.fields["token"])["alg"] == algorithm
    assert claims.keys() == known.keys()
    assert claims["iss"] == sandbox.url
    assert claims["aud"] == bridge.url.split("/kommo/")[0]
    assert (claims["account_id"], claims["subdomain"]) == (31337, "demo")
    assert claims["client_uuid"] == an_account()["client_id"]
    assert (claims["entity_type"], claims["entity_id"]) == (2, sandbox.chat("anna")["lead_id"])
    assert claims["bot_type"] == "salesbot"
    assert claims["exp"] - claims["iat"] == 1800
    assert abs(claims["iat"] - time.time()) < 5


@pytest.mark.statement("S1.3.secret")
def test_a_wrong_secret_does_not_verify_the_token(sandbox, bridge):
    received = the_request(sandbox, bridge)

    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(received.fields["token"], SECRET + "x", algorithms=["HS256"], options={"verify_aud": False})


def test_a_changed_secret_and_token_life_count_from_the_next_message(sandbox, bridge):
    other = "another-secret-of-thirty-two-characters-and-more"
    the_request(sandbox, bridge)
    sandbox.configure(client_secret=other, token_life_s=-5)

    sandbox.say("ben", "hi")
    sandbox.wait_until(lambda: len(bridge.received) == 2)

    token = bridge.received[1].fields["token"]
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(token, other, algorithms=["HS256"], options={"verify_aud": False})


@pytest.mark.statement("S1.5.shape")
def test_the_return_url_is_on_the_accounts_origin_with_plain_ids(sandbox, bridge):
    received = the_request(sandbox, bridge)

    assert received.return_url.startswith(f"{sandbox.url}/api/v4/salesbot/61001/continue/")
    assert received.return_url.rsplit("/", 1)[1].isdigit()


@pytest.mark.statement("S1.5.marketingbot")
def test_a_marketing_bots_return_url_and_claim_say_so(bridge):
    account = an_account(hook_url=bridge.url, bot_type="marketingbot", salesbot_id=99)
    bridge.reply = lambda _received: success()
    with SandboxServer({"accounts": [account]}) as sandbox:
        received = the_request(sandbox, bridge)
        sandbox.wait_until(lambda: sandbox.accepted)

    assert "/api/v4/marketingbot/99/continue/" in received.return_url
    assert claims_of(received)["bot_type"] == "marketingbot"


@pytest.mark.statement("S1.2.attachment")
def test_an_attachment_alone_gives_an_empty_message(sandbox, bridge):
    sandbox.say("anna", "", attachment="photo.jpg")

    received = sandbox.wait_until(lambda: bridge.received and bridge.received[0])

    assert received.data["message"] == ""
    assert sandbox.chat("anna")["bubbles"][0]["attachment"] == "photo.jpg"


@pytest.mark.statement("S1.4.not-200", "S1.4.no-retry")
@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 400, 404, 500, 503])
def test_only_200_acknowledges_and_nothing_is_tried_again(sandbox, bridge, status):
    bridge.status = status

    the_request(sandbox, bridge)
    sandbox.wait_until(lambda: sandbox.chat("anna")["state"] == "stuck")

    turn = sandbox.chat("anna")["turns"][0]
    assert (turn["state"], turn["request"]["status"]) == ("stuck", status)
    assert len(bridge.received) == 1


@pytest.mark.statement("S1.4.two-seconds")
def test_an_acknowledgement_after_two_seconds_is_none(sandbox, bridge):
    bridge.delay_s = 2.4

    the_request(sandbox, bridge)
    sandbox.wait_until(lambda: sandbox.chat("anna")["state"] == "stuck")

    request = sandbox.chat("anna")["turns"][0]["request"]
    assert (request["status"], request["error"]) == (None, "no answer in 2 s")
    assert request["ack_ms"] > 1_900


def test_a_bridge_that_is_not_there_is_told_in_plain_words(sandbox, bridge):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        sandbox.configure(hook_url=f"http://127.0.0.1:{port}/x")
        sandbox.say("anna", "hi")
        sandbox.wait_until(lambda: sandbox.chat("anna")["state"] == "stuck")

    titles = [note["title"] for note in sandbox.chat("anna")["turns"][0]["notes"]]
    assert f"The bridge did not acknowledge: no connection to 127.0.0.1:{port}" in titles


def test_a_stuck_salesbot_still_takes_its_continue(sandbox, bridge):
    bridge.status = 500
    the_request(sandbox, bridge)
    sandbox.wait_until(lambda: sandbox.chat("anna")["state"] == "stuck")

    bridge.reply = lambda _received: success("late but here")
    sandbox.duplicate("anna", 1)
    sandbox.wait_until(lambda: sandbox.accepted)

    assert sandbox.shown("anna") == ["late but here"]
    assert sandbox.chat("anna")["state"] == "listening"


def test_copies_go_out_at_once_and_are_the_same_bytes(sandbox, bridge):
    bridge.delay_s = 0.5

    begun = time.monotonic()
    sandbox.say("anna", "five times", copies=5)
    sandbox.wait_until(lambda: len(bridge.received) == 5)

    assert time.monotonic() - begun < 0.5 * 3
    assert len({received.raw for received in bridge.received}) == 1
    sent = [entry["copy"] for entry in sandbox.journal if entry["kind"] == "widget_request"]
    assert sorted(sent) == [False] + [True] * 4


def test_a_request_can_be_sent_again_and_its_answers_are_given(sandbox, bridge):
    the_request(sandbox, bridge)
    bridge.status = 404

    assert sandbox.duplicate("anna", 3) == [404, 404, 404]
    assert len({received.raw for received in bridge.received}) == 1


@pytest.mark.statement("S1.2.headers")
def test_no_header_carries_a_secret_or_a_signature(sandbox, bridge):
    received = the_request(sandbox, bridge)

    assert received.headers.keys() == {"host", "content-type", "content-length", "user-agent", "accept"} | (
        received.headers.keys() & {"accept-encoding", "connection"}
    )


@pytest.mark.statement("S1.3.jti")
def test_each_token_has_an_id_of_its_own(sandbox, bridge):
    for number in range(5):
        sandbox.say(f"c{number}", "hi")
    sandbox.wait_until(lambda: len(bridge.received) == 5)

    assert len({claims_of(received)["jti"] for received in bridge.received}) == 5
    assert len({received.return_url for received in bridge.received}) == 5


@pytest.mark.statement("S1.2.data")
def test_data_has_exactly_the_names_that_the_flow_asks_for(bridge):
    data = {"texto": "{{message_text}}", "cliente": "{{contact.name}}", "version": "1.0.9"}
    ask = {"handler": "widget_request", "params": {"url": bridge.url, "data": data}}
    with SandboxServer({"accounts": [an_account(widget_flow=[{"question": [ask]}])]}) as sandbox:
        received = the_request(sandbox, bridge, "Hola")

    assert received.data == {"texto": "Hola", "cliente": "anna", "version": "1.0.9"}
