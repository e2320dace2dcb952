"""Installing a widget, saving a Salesbot with its step, and what then runs, all by the JSON side of the designer."""

import base64
import json
from typing import Any

import pytest
import requests

from sandbox.server import SandboxServer
from tests.sandbox.bridge import Bridge, an_account, success
from tests.sandbox.pausing import PAUSING
from tests.sandbox.widgets import a_manifest, a_widget, designer, files_of, packed, upload

EXITS = [{"code": "good", "title": "Fine"}, {"code": "bad", "title": "Not fine"}]


def a_source(bridge: Bridge, *, version: str = "1.0.0", **data: str) -> str:
    """Give a flow as a widget's script gives it: ask, show, leave by `good` on success, else by `bad`."""
    asked = {"message": "{{message_text}}", "version": version, **data}
    leave = {"handler": "exits", "params": {"value": "good"}}
    test = {"term1": "{{json.status}}", "term2": "success", "operation": "="}
    good = {"handler": "conditions", "params": {"logic": "and", "conditions": [test], "result": [leave]}}
    show = {"handler": "show", "params": {"type": "text", "value": "{{json.message}}"}}
    request = {"handler": "widget_request", "params": {"url": bridge.url, "data": asked}}
    goto = {"handler": "goto", "params": {"type": "question", "step": 1}}
    last = {"handler": "exits", "params": {"value": "bad"}}
    return json.dumps([{"question": [request, goto]}, {"question": [show, good, last]}])


def a_step(bridge: Bridge, **changes: Any) -> dict[str, Any]:
    whole = {"handler": "ask", "params": {"topic": "rooms", "who": ""}, "source": a_source(bridge), "exits": EXITS}
    return {**whole, "links": {"bad": {"to": "say", "text": "A person comes."}}, "greeting": "Hello!"} | changes


def ready(sandbox: SandboxServer) -> None:
    """Upload and install the test's widget, its settings saved."""
    assert upload(sandbox, a_widget()).ok
    assert designer(sandbox, "/install", {"settings": {"team": "sales"}}).ok


def echo(received: Any) -> dict[str, Any]:
    status = "fail" if received.data["message"] == "bad" else "success"
    return success(f"You wrote {received.data['message']} to {received.data['version']}", status=status)


def finish(sandbox: SandboxServer) -> None:
    sandbox.wait_until(lambda: sandbox.chat("anna")["state"] in {"listening", "ended"})


def test_a_zip_can_be_uploaded_as_json_and_the_broken_rules_come_along(sandbox):
    good = designer(sandbox, "/upload", {"zip": base64.b64encode(a_widget()).decode()})
    bad = designer(sandbox, "/upload", {"zip": base64.b64encode(b"x").decode()})
    no_base64 = designer(sandbox, "/upload", {"zip": "?"})

    assert good.json() == {"response": True, "langs": {}}
    broken = ["The file is no zip archive, or a damaged one."]
    assert (bad.status_code, bad.json()) == (400, {"error": "Something went wrong", "broken": broken})
    assert (no_base64.status_code, no_base64.json()) == (400, {"error": "zip: must be the file in base64"})


@pytest.mark.statement("S4.4.saved-once", "S4.6.statuses")
def test_a_step_is_offered_only_when_the_widget_is_installed_and_its_settings_were_saved_once(sandbox, bridge):
    upload(sandbox, a_widget())
    before = designer(sandbox).json()["widget"]
    refused = designer(sandbox, "/save", a_step(bridge))
    installed = designer(sandbox, "/install", {}).json()["widget"]
    saved = designer(sandbox, "/install", {"settings": {"team": "sales"}}).json()["widget"]

    told = [(widget["status"], widget["is_offered"]) for widget in (before, installed, saved)]
    assert told == [("install", False), ("not_configured", False), ("installed", True)]
    assert refused.status_code == 400
    assert "install the widget and save its settings once" in refused.json()["error"]


def test_a_required_setting_must_not_stay_empty(sandbox):
    upload(sandbox, a_widget())

    refused = designer(sandbox, "/install", {"settings": {"team": " ", "secret": "s"}})

    assert (refused.status_code, refused.json()["error"]) == (400, "settings: team must not stay empty")
    assert designer(sandbox).json()["widget"]["status"] == "install"


def test_nothing_can_be_installed_before_an_upload(sandbox):
    assert designer(sandbox, "/install", {}).json() == {"error": "widget: nothing was uploaded yet"}


def test_a_widget_without_a_settings_window_is_offered_at_once(sandbox):
    upload(
        sandbox,
        packed(files_of(a_manifest(lambda whole: (whole.pop("settings"), whole["widget"].update(installation=False))))),
    )

    assert designer(sandbox, "/install", {}).json()["widget"]["status"] == "installed"


@pytest.mark.statement("S4.7.codes", "S4.6.exits")
def test_a_chat_runs_through_the_exits_of_a_saved_step(sandbox, bridge):
    bridge.reply = echo
    ready(sandbox)

    assert designer(sandbox, "/save", a_step(bridge)).ok
    for text in ("one", "bad", "two"):
        sandbox.say("anna", text)
        finish(sandbox)

    said = ["Hello!", "You wrote one to 1.0.0", "You wrote bad to 1.0.0", "A person comes.", "You wrote two to 1.0.0"]
    assert sandbox.shown("anna") == said
    assert [turn["outcome"] for turn in sandbox.chat("anna")["turns"]] == ["good", "bad", "good"]


def test_an_exit_that_leads_to_the_end_ends_the_salesbot_and_the_next_message_starts_it_anew(sandbox, bridge):
    bridge.reply = echo
    ready(sandbox)
    designer(sandbox, "/save", a_step(bridge, links={"good": {"to": "stop"}}))

    sandbox.say("anna", "one")
    sandbox.wait_until(lambda: sandbox.chat("anna")["state"] == "ended")
    sandbox.say("anna", "two")
    sandbox.wait_until(lambda: len(bridge.received) == 2)


@pytest.mark.statement("S4.4.frozen")
def test_a_newer_widget_changes_nothing_until_the_salesbot_is_saved_again(sandbox, bridge):
    bridge.reply = echo
    ready(sandbox)
    designer(sandbox, "/save", a_step(bridge))
    upload(sandbox, a_widget(version="2.0.0"))

    sandbox.say("anna", "one")
    finish(sandbox)
    frozen = designer(sandbox).json()["step"]
    designer(sandbox, "/save", a_step(bridge, source=a_source(bridge, version="2.0.0")))
    sandbox.say("anna", "two")
    finish(sandbox)

    assert (frozen["version"], frozen["is_old"]) == ("1.0.0", True)
    assert sandbox.shown("anna") == ["Hello!", "You wrote one to 1.0.0", "You wrote two to 2.0.0"]
    assert designer(sandbox).json()["step"]["is_old"] is False


def test_a_run_that_waits_for_the_bridge_goes_on_as_it_began(sandbox, bridge):
    ready(sandbox)
    designer(sandbox, "/save", a_step(bridge))
    sandbox.say("anna", "one")
    first = sandbox.wait_until(lambda: bridge.received and bridge.received[0])
    designer(sandbox, "/save", a_step(bridge, links={}))

    answer = requests.post(
        first.return_url,
        json=success("Late", status="fail"),
        headers={"Authorization": "Bearer access-token-of-demo"},
        timeout=10,
    )

    assert answer.status_code == 202
    assert sandbox.shown("anna")[-2:] == ["Late", "A person comes."]


def test_a_widget_that_is_switched_off_leaves_the_saved_salesbot(sandbox, bridge):
    bridge.reply = echo
    ready(sandbox)
    designer(sandbox, "/save", a_step(bridge))

    assert designer(sandbox, "/remove", {}).json()["widget"]["status"] == "install"
    sandbox.say("anna", "one")
    finish(sandbox)

    assert sandbox.shown("anna")[-1] == "You wrote one to 1.0.0"
    assert designer(sandbox, "/save", a_step(bridge)).status_code == 400


WRONG = {
    "a source that is an object": ({"source": []}, "source: onSalesbotDesignerSave must return the flow as JSON text"),
    "a source that is nothing": ({"source": None}, "as JSON text"),
    "a source that is no JSON": ({"source": "["}, "source: must be JSON"),
    "a source over 64 KB": (
        {"source": json.dumps([{"question": [], "x": "y" * 70_000}])},
        "must not be larger than 65536",
    ),
    "a source far too large": ({"source": "x" * 300_000}, "must not be larger than 65536"),
    "an unknown handler": (
        {"source": json.dumps([{"question": [{"handler": "send_sms"}]}])},
        'handler "send_sms" is not known here',
    ),
    "a jump to nowhere": (
        {"source": json.dumps([{"question": [{"handler": "goto", "params": {"type": "question", "step": 7}}]}])},
        "has no step 7",
    ),
    "a Widget step inside": (
        {
            "source": json.dumps(
                [{"question": [{"handler": "widget", "params": {"widget_source": "[{}]", "exits": {}}}]}]
            )
        },
        "must not hold a Widget step",
    ),
    "another step": ({"handler": "sing"}, "the designer does not offer this step"),
    "no exits": ({"exits": []}, "exits: must be a list of 1 to 50"),
    "an exit without a code": ({"exits": [{"title": "x"}]}, "exits[0]: must be an object with the text code"),
    "two exits of one code": ({"exits": EXITS * 2}, "exits: must not name a code twice"),
    "a link to nowhere": ({"links": {"good": {"to": "moon"}}}, "links.good.to: must be one of listen, say, stop"),
    "a link to an empty text": ({"links": {"good": {"to": "say", "text": " "}}}, "links.good.text"),
    "params that are no texts": ({"params": {"topic": 7}}, "params.topic: must be a text"),
    "a greeting that is no text": ({"greeting": 7}, "greeting: must be a text"),
}


@pytest.mark.statement("S4.6.text")
@pytest.mark.parametrize(("changes", "rule"), WRONG.values(), ids=WRONG.keys())
def test_a_step_that_cannot_be_run_is_refused_by_name_and_nothing_is_saved(sandbox, bridge, changes, rule):
    ready(sandbox)

    refused = designer(sandbox, "/save", a_step(bridge, **changes))

    assert refused.status_code == 400
    assert rule in refused.json()["error"]
    assert designer(sandbox).json()["step"] is None


def test_exits_that_the_flow_uses_and_the_step_does_not_have_are_told(sandbox, bridge):
    ready(sandbox)

    told = designer(sandbox, "/save", a_step(bridge, exits=EXITS[:1])).json()

    assert told["step"]["stray_exits"] == ["bad"]


def an_export() -> dict[str, Any]:
    flow = {str(number): step for number, step in enumerate(PAUSING)}
    for code in ("good", "bad"):
        flow["0"]["question"][0]["params"]["exits"][code] = {"type": "question", "step": 1}
    return {"type_functionality": 0, "model": {"name": "x", "type": 2, "text": json.dumps(flow)}}


@pytest.mark.statement("S3.3.export")
@pytest.mark.parametrize("is_text", [True, False], ids=["as text", "as JSON"])
def test_an_imported_salesbot_runs_with_the_step_that_was_saved(sandbox, bridge, is_text):
    bridge.reply = echo
    ready(sandbox)
    designer(sandbox, "/save", a_step(bridge))
    export = json.dumps(an_export()) if is_text else an_export()

    told = designer(sandbox, "/import", {"salesbot": export}).json()
    sandbox.say("anna", "one")
    finish(sandbox)

    assert (told["imported"], told["runs"]) == (True, True)
    assert sandbox.shown("anna") == ["You wrote one to 1.0.0"]
    sandbox.advance(3600)
    assert sandbox.shown("anna")[-1] == "Are you still there?"


def test_a_salesbot_imported_first_waits_for_its_step(sandbox, bridge):
    bridge.reply = echo
    ready(sandbox)

    before = designer(sandbox, "/import", {"salesbot": an_export()}).json()
    after = designer(sandbox, "/save", a_step(bridge)).json()
    sandbox.say("anna", "one")
    finish(sandbox)

    assert (before["runs"], after["runs"]) == (False, True)
    assert sandbox.shown("anna") == ["You wrote one to 1.0.0"]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({}, "salesbot: is required"),
        ({"salesbot": "nonsense"}, "salesbot: must be JSON"),
        ({"salesbot": {"type_functionality": 0, "model": {"text": "[{}, 7]"}}}, "must be an object"),
        ({"salesbot": [{"question": [{"handler": "meta", "params": {}}]}]}, 'handler "meta" is documented by Kommo'),
    ],
    ids=["nothing", "no JSON", "a broken step", "a handler that is not run here"],
)
def test_an_import_that_cannot_be_run_is_refused_by_name(sandbox, body, rule):
    refused = designer(sandbox, "/import", body)

    assert refused.status_code == 400
    assert rule in refused.json()["error"]
    assert designer(sandbox).json()["imported"] is False


def test_the_usual_salesbot_comes_back_when_the_designers_is_discarded(sandbox, bridge):
    bridge.reply = lambda received: success(f"usual {received.data.get('version', 'flow')}")
    ready(sandbox)
    designer(sandbox, "/save", a_step(bridge))

    told = designer(sandbox, "/salesbot", method="DELETE").json()
    sandbox.say("anna", "one")
    finish(sandbox)

    assert (told["runs"], told["step"]) == (False, None)
    assert sandbox.shown("anna") == ["usual flow"]


def test_a_salesbot_of_the_config_that_is_set_later_takes_the_designers_place(sandbox, bridge):
    ready(sandbox)
    designer(sandbox, "/save", a_step(bridge))
    sandbox.configure(encoding="json")
    kept = designer(sandbox).json()["runs"]

    sandbox.configure(salesbot_flow=PAUSING)

    assert (kept, designer(sandbox).json()["runs"]) == (True, False)


def test_a_designed_salesbot_needs_no_hook_url_of_the_config(bridge):
    bridge.reply = echo
    with SandboxServer({"accounts": [an_account()]}, rate=0) as sandbox:
        ready(sandbox)
        designer(sandbox, "/save", a_step(bridge))
        sandbox.say("anna", "one")
        finish(sandbox)

        assert sandbox.shown("anna")[-1] == "You wrote one to 1.0.0"


def test_what_is_done_in_the_designer_is_told_in_the_journal_without_the_settings_values(sandbox, bridge):
    upload(sandbox, a_widget())
    designer(sandbox, "/install", {"settings": {"team": "sales", "secret": "hush-hush"}})
    designer(sandbox, "/save", a_step(bridge))
    designer(sandbox, "/import", {"salesbot": an_export()})
    designer(sandbox, "/salesbot", method="DELETE")
    designer(sandbox, "/remove", {})

    kinds = [entry["kind"] for entry in sandbox.journal]
    done = ["widget_installed", "salesbot_saved", "salesbot_imported", "salesbot_discarded", "widget_removed"]
    assert kinds == ["widget_uploaded", *done]
    assert "hush-hush" not in str(sandbox.journal)


def test_accounts_do_not_see_each_others_widgets(bridge):
    other = an_account(subdomain="other", access_token="other-token", client_id="other-integration")
    with SandboxServer({"accounts": [an_account(), other]}, rate=0) as sandbox:
        upload(sandbox, a_widget())
        told = requests.get(f"{sandbox.url}/sandbox/api/designer/other", timeout=10).json()
        script = requests.get(f"{sandbox.url}/designer/other/widget/1.0.0/script.js", timeout=10)

    assert told["widget"] is None
    assert script.status_code == 404


def test_of_two_accounts_with_one_integration_the_query_names_the_one_that_is_meant():
    other = an_account(subdomain="other", access_token="other-token")
    with SandboxServer({"accounts": [an_account(), other]}, rate=0) as sandbox:
        base = f"{sandbox.url}/sandbox/api/designer"
        address = requests.get(f"{base}/other", timeout=10).json()["upload"]
        requests.post(sandbox.url + address, files={"widget": ("w.zip", a_widget())}, timeout=10)

        assert requests.get(f"{base}/other", timeout=10).json()["widget"]["version"] == "1.0.0"
        assert requests.get(f"{base}/demo", timeout=10).json()["widget"] is None


def test_a_chat_of_a_salesbot_that_has_not_begun_waits_for_the_first_message(bridge):
    bridge.reply = echo
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url, salesbot_flow=PAUSING)]}, rate=0) as sandbox:
        opened = requests.post(f"{sandbox.url}/sandbox/api/chats", json={"customer": "anna"}, timeout=10).json()
        assert opened["state"] == "unstarted"


@pytest.mark.statement("S4.7.named-exit")
@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        ({"status": "success", "exit": "handoff"}, "handoff"),
        ({"status": "success", "exit": "fail"}, "fail"),
        ({"status": "silent", "exit": ""}, "silent"),
        ({"status": "handoff", "exit": "moon"}, "handoff"),
        ({"status": "handoff"}, "handoff"),
    ],
    ids=["another exit", "to fail", "empty", "none of the four", "left out"],
)
@pytest.mark.parametrize("show", ["1", "0"])
def test_the_usual_widget_leaves_by_the_exit_that_the_bridge_names_and_else_by_the_status(
    sandbox, bridge, data, outcome, show
):
    bridge.reply = lambda _received: {"data": {"message": "Hi", "show": show, **data}}
    sandbox.say("anna", "hi")

    sandbox.wait_until(lambda: sandbox.chat("anna")["turns"][0]["outcome"] == outcome)
    assert sandbox.shown("anna") == (["Hi"] if show == "1" else [])


def test_the_keys_that_a_bridge_needs_are_told_of_one_account_and_in_no_list(sandbox):
    keys = designer(sandbox, "/keys").json()

    assert list(keys) == ["subdomain", "kommo_id", "origin", "client_id", "client_secret", "access_token"]
    assert (keys["subdomain"], keys["origin"]) == ("demo", sandbox.origin())
    listed = requests.get(f"{sandbox.url}/sandbox/api/accounts", timeout=5).text
    for secret in (keys["client_secret"], keys["access_token"]):
        assert secret not in listed
        assert secret not in designer(sandbox).text
