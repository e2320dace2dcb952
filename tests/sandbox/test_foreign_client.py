"""A bridge that somebody else wrote, from the documentation alone: the standard library, no word of ours.

It answers in three turns over each way that a widget_request is written, breaks each rule of a continue on purpose,
and reads the lead. What it relies on is what docs/kommo-protocol.md says.
"""

import base64
import hashlib
import hmac
import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from sandbox.server import SandboxServer

SECRET = "a-client-secret-that-the-page-of-the-integration-shows-once-to-its-owner"
BEARER = "a-long-lived-token"


class ForeignBridge:
    """Takes widget_requests, acknowledges them at once, and keeps what it needs for the continue."""

    def __init__(self):
        self.requests: list[dict[str, Any]] = []
        bridge = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                bridge.requests.append(bridge.read(self.headers["Content-Type"], body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Hook)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    def read(self, content_type, body):
        if content_type == "application/json":
            asked = json.loads(body)
            token, message, url = asked["token"], asked["data"]["message"], asked["return_url"]
        else:
            form = dict(parse_qsl(body.decode(), keep_blank_values=True))
            token, message, url = form["token"], form["data[message]"], form["return_url"]
        return {"claims": self.verified(token), "message": message, "return_url": url}

    def verified(self, token):
        head, claims, signature = token.split(".")
        digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[json.loads(unpacked(head))["alg"]]
        assert hmac.compare_digest(
            hmac.new(SECRET.encode(), f"{head}.{claims}".encode(), digest).digest(), unpacked(signature)
        )
        return json.loads(unpacked(claims))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def unpacked(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def call(method, url, body=None, *, bearer=BEARER, content_type="application/json"):
    """Call as curl would; gives status, content type and body."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    headers = {"Authorization": f"Bearer {bearer}"} | ({"Content-Type": content_type} if body is not None else {})
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request(method, target, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    told = answer.status, answer.headers.get("Content-Type", ""), answer.read().decode()
    connection.close()
    return told


@pytest.fixture
def bridge():
    with ForeignBridge() as running:
        yield running


@pytest.fixture
def sandbox(bridge):
    account = {
        "subdomain": "acme",
        "kommo_id": 31000001,
        "client_id": "00000000-0000-4000-8000-000000000002",
        "client_secret": SECRET,
        "access_token": BEARER,
        "hook_url": bridge.url,
    }
    with SandboxServer({"accounts": [account]}, rate=0) as running:
        yield running


def next_request(sandbox, bridge, text):
    seen = len(bridge.requests)
    sandbox.say("client", text)
    sandbox.wait_until(lambda: len(bridge.requests) > seen)
    return bridge.requests[-1]


@pytest.mark.statement("S1.2.form", "S1.2.json", "S1.3.HS256", "S1.3.HS512")
@pytest.mark.parametrize(("encoding", "algorithm"), [("form", "HS512"), ("json", "HS256"), ("form", "HS256")])
def test_a_foreign_bridge_holds_a_conversation_of_three_turns(sandbox, bridge, encoding, algorithm):
    sandbox.configure(encoding=encoding, algorithm=algorithm)

    for text in ("Hola, ¿tienen viajes?", "¿y los domingos?", "gracias 😀"):
        asked = next_request(sandbox, bridge, text)
        assert asked["message"] == text
        data = {"status": "success", "message": f"You wrote: {text}", "show": "1"}
        assert call("POST", asked["return_url"], {"data": data})[::2] == (202, "Accepted")

    assert sandbox.shown("client")[-1] == "You wrote: gracias 😀"
    assert len(sandbox.shown("client")) == 3
    claims = bridge.requests[-1]["claims"]
    assert (claims["account_id"], claims["subdomain"], claims["entity_type"]) == (31000001, "acme", 2)


def show(value, **more):
    return {"handler": "show", "params": {"type": "text", "value": value, **more}}


BUTTONS = {"handler": "show", "params": {"type": "buttons", "value": "?", "buttons": ["b"] * 26}}


@pytest.mark.parametrize(
    ("body", "changes", "status", "code"),
    [
        ({"execute_handlers": [show("x" * 81)]}, {}, 400, "TooLong"),
        ({"execute_handlers": [show("x")] * 11}, {}, 400, "TooMany"),
        ({"execute_handlers": [BUTTONS]}, {}, 400, "TooMany"),
        ({"execute_handlers": [{"handler": "stop", "params": {}}]}, {}, 400, "NotSupportedChoice"),
        ({"data": "text"}, {}, 400, "InvalidType"),
        ({"data": {}}, {"bearer": "wrong"}, 401, None),
        ({"data": {}}, {"content_type": "text/plain"}, 400, None),
    ],
    ids=["81 characters", "11 handlers", "26 buttons", "stop", "data is text", "wrong token", "no JSON"],
)
def test_what_the_documentation_forbids_is_refused_and_the_salesbot_waits_on(
    sandbox, bridge, body, changes, status, code
):
    url = next_request(sandbox, bridge, "hi")["return_url"]

    told, content_type, answer = call("POST", url, body, **changes)

    assert (told, content_type.partition(";")[0]) == (status, "application/problem+json")
    problem = json.loads(answer)
    assert (problem["status"], problem["type"]) == (status, f"https://httpstatus.es/{status}")
    if code:
        assert problem["validation-errors"][0]["errors"][0]["code"] == code
    assert call("POST", url, {"data": {"status": "silent", "show": "0"}})[0] == 202
    assert call("POST", url, {"data": {}})[0] == 404


@pytest.mark.statement("S2.1.not-the-token")
def test_the_bots_own_token_is_no_bearer(sandbox, bridge):
    sandbox.say("client", "hi")
    sandbox.wait_until(lambda: bridge.requests)
    (entry,) = [entry for entry in sandbox.journal if entry["kind"] == "widget_request"]
    token = dict(parse_qsl(entry["body"]))["token"]

    assert call("POST", bridge.requests[0]["return_url"], {"data": {}}, bearer=token)[0] == 401


def test_a_foreign_bridge_reads_and_changes_the_lead_it_was_asked_about(sandbox, bridge):
    lead = next_request(sandbox, bridge, "hi")["claims"]["entity_id"]
    base = sandbox.url + "/api/v4"

    assert json.loads(call("GET", f"{base}/account?with=version")[2])["subdomain"] == "acme"
    assert call("PATCH", f"{base}/leads/{lead}", {"price": 90, "tags_to_add": [{"name": "hot"}]})[0] == 200
    told = json.loads(call("GET", f"{base}/leads/{lead}?with=contacts")[2])
    assert (told["price"], told["_embedded"]["tags"][0]["name"]) == (90, "hot")
    contact = told["_embedded"]["contacts"][0]["id"]
    assert json.loads(call("GET", f"{base}/contacts/{contact}")[2])["name"] == "client"
    assert call("GET", f"{base}/leads?query=no-such-lead")[0] == 204
