"""The JSON control API and who may use it."""

import json
import socket
import time

import pytest
import requests

from sandbox.server import SandboxServer
from tests.sandbox.bridge import SECRET, TOKEN, an_account, resume, success
from tests.sandbox.pausing import PAUSING


@pytest.fixture
def api(sandbox):
    """Call the control API: api("GET", "/accounts"), api("POST", "/messages", {...})."""

    def call(method, path, body=None, **headers):
        sent = {"Content-Type": "application/json"} | headers if body is not None else headers
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return requests.request(method, f"{sandbox.url}/sandbox/api{path}", data=raw, headers=sent, timeout=10)

    return call


def test_a_message_sent_by_api_reaches_the_bridge_and_gives_its_ids(api, sandbox, bridge):
    told = api("POST", "/messages", {"account": "demo", "customer": "anna", "text": "hi"}).json()

    received = sandbox.wait_until(lambda: bridge.received and bridge.received[0])
    assert received.return_url == told["return_url"]
    assert told["return_url"].endswith(f"/continue/{told['continue_id']}")
    assert received.data["lead_id"] == str(told["lead_id"])
    assert told["customer"] == "anna"


def test_a_chat_opened_by_name_gets_an_id_and_keeps_the_name(api, sandbox, bridge):
    ids = [
        api("POST", "/chats", {"name": name}).json()["customer"] for name in ("María José", "Maria Jose", "李", "李")
    ]

    assert ids == ["maria-jose", "maria-jose-2", "customer", "customer-2"]
    sandbox.say("maria-jose", "hi")
    assert sandbox.wait_until(lambda: bridge.received and bridge.received[0]).data["name"] == "María José"


def test_a_chat_has_the_channel_that_it_was_opened_with(api, sandbox, bridge):
    api("POST", "/chats", {"customer": "anna", "channel": "waba"})
    sandbox.say("anna", "hi")

    assert sandbox.wait_until(lambda: bridge.received and bridge.received[0]).data["origin"] == "waba"


def test_a_chat_is_given_whole(api, sandbox):
    resume(sandbox.say("anna", "hi").return_url, success("x" * 5_000))

    chat = api("GET", "/chats/demo/anna").json()

    assert [bubble["text"] for bubble in chat["bubbles"]] == ["hi", "x" * 5_000]
    assert chat["turns"][0]["outcome"] == "success"


def test_accounts_are_listed_without_secrets(api, sandbox):
    sandbox.say("anna", "hi")

    answer = api("GET", "/accounts")

    (account,) = answer.json()["accounts"]
    assert (account["subdomain"], account["origin"]) == ("demo", sandbox.url)
    assert account["chats"][0]["last"]["text"] == "hi"
    assert SECRET not in answer.text
    assert TOKEN not in answer.text


def test_settings_can_be_changed(api, sandbox, bridge):
    assert api("POST", "/accounts/demo", {"encoding": "json", "algorithm": "HS512"}).status_code == 200
    sandbox.say("anna", "hi")

    received = sandbox.wait_until(lambda: bridge.received and bridge.received[0])
    assert received.headers["content-type"] == "application/json"


def test_duplicates_and_stops_work_by_api(api, sandbox, bridge):
    receipt = sandbox.say("anna", "hi")
    sandbox.wait_until(lambda: bridge.received)

    told = api("POST", "/duplicate", {"customer": "anna", "times": 3}).json()
    assert [one["status"] for one in told["answers"]] == [200, 200, 200]
    assert len(bridge.received) == 4
    assert api("POST", "/stop", {"customer": "anna"}).json()["state"] == "listening"
    assert resume(receipt.return_url, success()).status_code == 404


def test_the_clock_is_moved_and_a_pause_is_over(bridge):
    bridge.reply = lambda _received: success("Hello!")
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url, salesbot_flow=PAUSING)]}, rate=0) as sandbox:
        clock = f"{sandbox.url}/sandbox/api/clock"
        sandbox.say("anna", "hi")
        sandbox.wait_until(lambda: sandbox.chat("anna")["waits_until"])
        before = requests.get(clock, timeout=10).json()["now"]

        requests.post(clock, json={"seconds": 3_500}, timeout=10)
        assert sandbox.shown("anna") == ["Hello!"]
        after = requests.post(clock, json={"seconds": 100}, timeout=10).json()["now"]

        assert sandbox.shown("anna") == ["Hello!", "Are you still there?"]
        assert after - before == pytest.approx(3_600, abs=5)
        assert [entry["seconds"] for entry in sandbox.journal if entry["kind"] == "clock_moved"] == [3_500, 100]


@pytest.mark.parametrize("seconds", [0, -1, 8_760 * 3_600 + 1, True, "60", None])
def test_the_clock_goes_forward_alone_and_a_year_at_most(api, seconds):
    answer = api("POST", "/clock", {"seconds": seconds})

    assert answer.status_code == 400
    assert "seconds: must be a number over 0" in answer.json()["error"]


def test_the_bridges_admin_is_told_where_the_config_names_it():
    with SandboxServer({"accounts": [an_account()], "bridge_admin_url": "http://127.0.0.1:1/admin/"}) as sandbox:
        told = requests.get(f"{sandbox.url}/sandbox/api/accounts", timeout=10).json()

    assert told["bridge_admin_url"] == "http://127.0.0.1:1/admin/"


def test_the_journal_tells_everything_in_order_with_two_clocks(api, sandbox):
    resume(sandbox.say("anna", "hi").return_url, success("Hello!"))
    sandbox.wait_until(lambda: any(entry["kind"] == "widget_request_answer" for entry in sandbox.journal))

    entries = [json.loads(line) for line in api("GET", "/journal").text.splitlines()]

    kinds = [entry["kind"] for entry in entries]
    for kind in ("message", "widget_request", "continue", "continue_accepted", "shown", "continue_answer"):
        assert kinds.count(kind) == 1
    assert kinds.index("message") < kinds.index("widget_request")
    assert kinds.index("continue") < kinds.index("continue_accepted") < kinds.index("continue_answer")
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert all(abs(entry["wall"] - time.time()) < 60 and entry["monotonic"] <= time.monotonic() for entry in entries)
    called = entries[kinds.index("continue")]
    assert called["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(called["body"]) == success("Hello!")


def test_the_journal_can_be_narrowed(api, sandbox):
    sandbox.say("anna", "one")
    sandbox.say("ben", "two")

    narrowed = api("GET", "/journal?kind=message&customer=ben").text.splitlines()
    assert [json.loads(line)["text"] for line in narrowed] == ["two"]
    last = json.loads(narrowed[0])["seq"]
    assert all(json.loads(line)["seq"] > last for line in api("GET", f"/journal?after={last}").text.splitlines())


@pytest.mark.parametrize(
    ("path", "body", "status", "line"),
    [
        ("/messages", {"customer": "anna", "text": 5}, 400, "text: must be a text"),
        ("/messages", {"customer": "an na", "text": "hi"}, 400, "customer: must be 1 to 64 letters"),
        ("/messages", {"text": "hi"}, 400, "customer: give a customer's id"),
        ("/messages", {"account": "nope", "customer": "anna", "text": "hi"}, 404, "account: must be one of demo"),
        ("/messages", {"customer": "anna", "text": "x", "copies": 0}, 400, "copies: must be a whole number"),
        ("/messages", {"customer": "anna", "text": "x", "when_busy": "wait"}, 400, "when_busy: must be one of hold"),
        ("/messages", [], 400, "body: must be an object"),
        ("/messages", b"{", 400, "body: must be JSON"),
        ("/duplicate", {"customer": "nobody"}, 404, "customer: has no chat yet"),
        ("/stop", {"customer": "nobody"}, 404, "customer: has no chat yet"),
        ("/accounts/demo", {"subdomain": "other"}, 400, "account.subdomain: is fixed"),
        ("/accounts/demo", {"encoding": "xml"}, 400, "account.encoding: must be one of form, json"),
        ("/faults", {"kind": "status", "account": "nope"}, 404, "account: must be one of demo"),
        ("/nothing", {}, 404, "Not Found"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_request_is_told_by_field_and_rule(api, path, body, status, line):
    answer = api("POST", path, body)

    assert answer.status_code == status
    assert line in answer.json()["error"]


def test_a_duplicate_before_anything_was_sent_is_told(api):
    api("POST", "/chats", {"customer": "anna"})

    assert "no widget_request yet" in api("POST", "/duplicate", {"customer": "anna"}).json()["error"]


def test_without_a_hook_url_a_message_says_what_is_missing():
    with SandboxServer() as sandbox:
        answer = requests.post(
            f"{sandbox.url}/sandbox/api/messages", json={"customer": "anna", "text": "hi"}, timeout=10
        )

    assert answer.status_code == 400
    assert "hook_url" in answer.json()["error"]


def test_a_changed_token_must_not_be_another_accounts(bridge):
    rival = an_account(subdomain="rival", access_token="rival-token", hook_url=bridge.url)
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url), rival]}) as sandbox:
        with pytest.raises(ValueError, match=r"accounts\.access_token: must differ"):
            sandbox.configure("rival", access_token=TOKEN)
        url = sandbox.say("anna", "hi", account="rival").return_url

        assert resume(url, success(), token="rival-token").status_code == 202


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", "[::2]", "a b"]
)
def test_a_foreign_host_name_is_refused_everywhere(sandbox, api, host):
    url = sandbox.say("anna", "hi").return_url
    for path in ("/", "/sandbox/api/accounts", "/sandbox/api/journal", "/chat/demo/anna", "/static/chat/chat.js"):
        assert requests.get(sandbox.url + path, headers={"Host": host}, timeout=10).status_code in {400, 403}
    assert resume(url, success(), Host=host).status_code in {400, 403}
    assert sandbox.accepted == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9999", "[::1]:80", "LOCALHOST"])
def test_every_name_of_this_machine_is_served(sandbox, host):
    assert requests.get(f"{sandbox.url}/sandbox/api/accounts", headers={"Host": host}, timeout=10).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": "application/json", "Origin": "http://evil.example"},
        {"Content-Type": "application/json", "Origin": "null"},
        {"Content-Type": "application/json", "Origin": "http://127.0.0.1:1"},
    ],
    ids=["text", "form", "multipart", "foreign page", "null origin", "other port"],
)
def test_what_a_foreign_page_could_send_is_refused(sandbox, api, headers):
    answer = api("POST", "/messages", {"customer": "anna", "text": "hi"}, **headers)

    assert answer.status_code == 403
    assert api("GET", "/accounts").json()["accounts"][0]["chats"] == []


def test_no_answer_opens_itself_to_other_origins(sandbox, api):
    preflight = requests.options(
        f"{sandbox.url}/sandbox/api/messages",
        headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"},
        timeout=10,
    )

    for answer in (preflight, api("GET", "/journal", Origin="http://evil.example")):
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert not preflight.ok


def test_it_listens_on_loopback_alone(sandbox):
    port = int(sandbox.url.rsplit(":", 1)[1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; names this machine's outward address
        outward = probe.getsockname()[0]
    if outward.startswith("127."):
        pytest.skip("this machine has no outward address")

    with pytest.raises(OSError, match="refused"), socket.create_connection((outward, port), timeout=2):
        pass


def test_an_open_chat_page_hears_of_every_change(sandbox):
    sandbox.say("anna", "hi")
    with requests.get(f"{sandbox.url}/sandbox/api/chats/demo/anna/events", stream=True, timeout=10) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        lines = (line for line in stream.iter_lines(decode_unicode=True) if line.startswith("data: "))
        assert json.loads(next(lines)[6:])["state"] == "thinking"
        resume(sandbox.chat("anna")["turns"][0]["request"]["return_url"], success("Hello!"))

        assert next(chat for chat in (json.loads(line[6:]) for line in lines) if chat["state"] == "listening")


def test_the_events_of_a_chat_that_is_not_there_are_404(api):
    assert api("GET", "/chats/demo/nobody/events").status_code == 404
    assert api("GET", "/chats/demo/nobody").status_code == 404
