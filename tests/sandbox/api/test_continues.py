"""The continue endpoint's rules, called as a bridge calls it (protocol §2.1 to §2.5, §9)."""

import json
import threading
from pathlib import Path

import pytest
import requests

from sandbox.server import SandboxServer
from tests.sandbox.bridge import TOKEN, an_account, resume, success

SAMPLES = Path(__file__).parents[2] / "payloads"


def handlers(*listed):
    return {"data": {"status": "success", "show": "0"}, "execute_handlers": list(listed)}


def show(value="text", kind="text", **more):
    return {"handler": "show", "params": {"type": kind, "value": value, **more}}


def goto(kind="question", step=1):
    return {"handler": "goto", "params": {"type": kind, "step": step}}


@pytest.fixture
def waiting(sandbox, bridge):
    """A continue address that a Salesbot waits at."""
    return sandbox.say("anna", "hi").return_url


def problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    body = answer.json()
    assert body["status"] == status
    assert body["type"] == f"https://httpstatus.es/{status}"
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.statement("S2.5.202")
def test_a_good_continue_is_answered_202_with_the_word_accepted(sandbox, waiting):
    answer = resume(waiting, success("Hello!"))

    assert (answer.status_code, answer.text) == (202, "Accepted")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert sandbox.shown("anna") == ["Hello!"]


@pytest.mark.statement("S1.6.once", "S2.5.404")
def test_a_continue_id_is_good_once(sandbox, waiting):
    assert resume(waiting, success("first")).status_code == 202

    problem(resume(waiting, success("second")), 404)
    assert sandbox.shown("anna") == ["first"]
    assert len(sandbox.accepted) == 1


@pytest.mark.statement("S1.6.once")
def test_of_twenty_continues_at_once_one_is_accepted(sandbox, waiting):
    answers = []
    threads = [threading.Thread(target=lambda n=n: answers.append(resume(waiting, success(f"{n}")))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status_code for answer in answers) == [202] + [404] * 19
    assert len(sandbox.shown("anna")) == 1


@pytest.mark.statement("S2.5.202")
@pytest.mark.statement("S2.5.400", "S9.3.codes")
@pytest.mark.statement("S2.5.404")
@pytest.mark.statement("S2.1.bearer", "S2.5.401")
@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer ключ"],
    ids=["none", "empty", "no token", "blank token", "longer", "shorter", "basic", "bare", "not latin"],
)
def test_without_the_right_bearer_it_is_401_and_the_salesbot_goes_on_waiting(sandbox, waiting, header):
    headers = {"Content-Type": "application/json"}
    if header is not None:
        headers["Authorization"] = header.encode()

    problem(requests.post(waiting, json=success(), headers=headers, timeout=10), 401)

    assert sandbox.shown("anna") == []
    assert resume(waiting, success()).status_code == 202


@pytest.mark.statement("S2.1.own-account")
def test_another_accounts_token_is_401(bridge):
    rival = an_account(subdomain="rival", access_token="rival-token", hook_url=bridge.url)
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url), rival]}, rate=0) as sandbox:
        url = sandbox.say("anna", "hi", account="demo").return_url

        problem(resume(url, success(), token="rival-token"), 401)
        problem(resume(url.replace("61001", "61002"), success(), token="rival-token"), 404)
        assert resume(url, success()).status_code == 202


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.replace("/continue/", "/continue/0"),
        lambda url: url.replace("/salesbot/", "/marketingbot/"),
        lambda url: url.replace("/61001/", "/61002/"),
    ],
    ids=["other id", "a zero before", "other bot type", "other bot"],
)
def test_an_id_that_nobody_waits_at_is_404(waiting, change):
    problem(resume(change(waiting), success()), 404)


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url + "/",
        lambda url: url.replace("/api/v4/", "/api/v3/"),
        lambda url: url.replace("/salesbot/", "/bot/"),
        lambda url: url + "x",
        lambda url: url.rsplit("/", 1)[0] + "/" + "1" * 20,
    ],
    ids=["slash", "version", "bot type", "letter", "twenty digits"],
)
def test_an_address_of_another_shape_is_404_too(waiting, change):
    problem(resume(change(waiting), success()), 404)


@pytest.mark.statement("S9.2.405")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_405(waiting, method):
    problem(requests.request(method, waiting, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10), 405)


@pytest.mark.statement("S2.1.json")
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
def test_a_content_type_other_than_json_is_400(sandbox, waiting, content_type):
    answer = resume(waiting, success(), **{"Content-Type": content_type})

    assert "Content-Type" in problem(answer, 400)["detail"]
    assert resume(waiting, success(), **{"Content-Type": "application/json; charset=utf-8"}).status_code == 202


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"data": NaN}', b"[" * 60_000, b"status=success"],
    ids=["empty", "cut", "not utf-8", "NaN", "deep", "form"],
)  # fmt: skip
def test_a_body_that_is_not_json_is_400(waiting, body):
    problem(resume(waiting, body), 400)


def errors_of(answer):
    listed = problem(answer, 400)["validation-errors"]
    assert [item["request_id"] for item in listed] == ["0"]
    return [(error["code"], error["path"]) for error in listed[0]["errors"]]


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        ([], "InvalidType", ""),
        ("text", "InvalidType", ""),
        (None, "InvalidType", ""),
        ({"data": []}, "InvalidType", "data"),
        ({"data": None}, "InvalidType", "data"),
        pytest.param({"data": "text"}, "InvalidType", "data", marks=pytest.mark.statement("S2.1.data-object")),
        ({"execute_handlers": {}}, "InvalidType", "execute_handlers"),
        pytest.param({"execute_handlers": []}, "TooFew", "execute_handlers", marks=pytest.mark.statement("S2.4.empty")),
        pytest.param(handlers(*[show()] * 11), "TooMany", "execute_handlers", marks=pytest.mark.statement("S2.1.ten")),
        (handlers("show"), "InvalidType", "execute_handlers.0"),
        pytest.param(
            handlers(show(), {"handler": "stop", "params": {}}),
            "NotSupportedChoice",
            "execute_handlers.1.handler",
            marks=pytest.mark.statement("S2.1.show-goto"),
        ),
        (handlers({"handler": "send_message", "params": {}}), "NotSupportedChoice", "execute_handlers.0.handler"),
        (handlers({"params": {}}), "NotSupportedChoice", "execute_handlers.0.handler"),
        (handlers({"handler": "show"}), "InvalidType", "execute_handlers.0.params"),
        pytest.param(
            handlers(show("x" * 81)),
            "TooLong",
            "execute_handlers.0.params.value",
            marks=pytest.mark.statement("S2.2.text"),
        ),
        pytest.param(
            handlers(show("ñ" * 81)),
            "TooLong",
            "execute_handlers.0.params.value",
            marks=pytest.mark.statement("S2.2.characters"),
        ),
        pytest.param(
            handlers(show("x" * 81, "buttons", buttons=["a"])),
            "TooLong",
            "execute_handlers.0.params.value",
            marks=pytest.mark.statement("S2.1.buttons-80"),
        ),
        (handlers(show(5)), "InvalidType", "execute_handlers.0.params.value"),
        (handlers({"handler": "show", "params": {"type": "text"}}), "FieldMissing", "execute_handlers.0.params.value"),
        pytest.param(
            handlers(show(kind="picture")),
            "NotSupportedChoice",
            "execute_handlers.0.params.type",
            marks=pytest.mark.statement("S2.1.show-types"),
        ),
        (handlers(show(kind="buttons")), "InvalidType", "execute_handlers.0.params.buttons"),
        (handlers(show(kind="buttons", buttons=[])), "TooFew", "execute_handlers.0.params.buttons"),
        pytest.param(
            handlers(show(kind="buttons", buttons=["b"] * 26)),
            "TooMany",
            "execute_handlers.0.params.buttons",
            marks=pytest.mark.statement("S2.1.buttons-25"),
        ),
        (handlers(show(kind="buttons", buttons=[{"text": "b"}])), "InvalidType", "execute_handlers.0.params.buttons.0"),
        (handlers(show(kind="buttons_url", buttons=[7])), "InvalidType", "execute_handlers.0.params.buttons.0"),
        pytest.param(
            handlers(goto("step")),
            "NotSupportedChoice",
            "execute_handlers.0.params.type",
            marks=pytest.mark.statement("S2.1.goto"),
        ),
        (handlers(goto(step="1")), "InvalidType", "execute_handlers.0.params.step"),
        (handlers(goto(step=-1)), "InvalidType", "execute_handlers.0.params.step"),
        (handlers(goto(step=True)), "InvalidType", "execute_handlers.0.params.step"),
    ],
    ids=lambda value: value if isinstance(value, str) and value else "",
)
def test_a_broken_rule_is_400_with_its_code_and_path(sandbox, waiting, body, code, path):
    assert (code, path) in errors_of(resume(waiting, body))
    assert sandbox.shown("anna") == []


def test_every_broken_rule_is_listed():
    with SandboxServer(rate=0) as sandbox:
        sandbox.configure(hook_url="http://127.0.0.1:1/", access_token=TOKEN)
        url = sandbox.say("anna", "hi").return_url
        body = {"data": 5, "execute_handlers": [show("x" * 99), goto(step=None)]}

        assert [code for code, _ in errors_of(resume(url, body))] == ["InvalidType", "TooLong", "InvalidType"]


@pytest.mark.statement("S2.2.text")
def test_a_refused_body_costs_nothing_and_a_shorter_one_is_taken(sandbox, waiting):
    assert errors_of(resume(waiting, handlers(show("x" * 81)))) == [("TooLong", "execute_handlers.0.params.value")]
    assert resume(waiting, handlers(show("x" * 80))).status_code == 202
    assert sandbox.shown("anna") == ["x" * 80]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, marks=pytest.mark.statement("S2.1.optional")),
        pytest.param({"data": {}}, marks=pytest.mark.statement("S2.4.left-out")),
        pytest.param(handlers(*[show("😀" * 80)] * 10), marks=pytest.mark.statement("S2.2.characters")),
        pytest.param(
            handlers(show(kind="buttons", buttons=["b"] * 25)), marks=pytest.mark.statement("S2.1.buttons-25")
        ),
        pytest.param(
            handlers(show(kind="buttons_url", buttons=["https://kommo.com", {"text": "a", "url": "https://b"}])),
            marks=pytest.mark.statement("S2.1.buttons-url"),
        ),
        handlers(goto("answer", 0)),
        success("x" * 20_000),
        {**success(), "more": 1},
    ],
    ids=["empty", "no data", "ten of eighty", "25 buttons", "links", "goto", "long message", "further key"],
)
def test_what_the_rules_allow_is_accepted(waiting, body):
    assert resume(waiting, body).status_code == 202


@pytest.mark.parametrize(
    "sample", ["07-continue-data-only.json", "09-continue-chunks.json", "10-continue-documented.json"]
)
def test_recorded_and_documented_bodies_are_accepted(waiting, sample):
    body = json.loads((SAMPLES / sample).read_text(encoding="utf-8"))

    assert resume(waiting, body).status_code == 202


@pytest.mark.statement("S9.3.shape")
def test_the_error_has_the_shape_of_the_recorded_one(waiting):
    recorded = json.loads((SAMPLES / "11-continue-error-too-long.json").read_text(encoding="utf-8"))

    told = resume(waiting, handlers(show("x" * 81))).json()

    assert told.keys() == recorded.keys()
    assert (told["title"], told["type"], told["status"]) == (recorded["title"], recorded["type"], recorded["status"])


def test_a_body_over_64_kib_is_413_and_one_of_64_kib_is_taken(sandbox, waiting):
    room = 64 * 1024 - len(json.dumps(success("")))

    problem(resume(waiting, success("x" * (room + 1))), 413)
    assert resume(waiting, success("x" * room)).status_code == 202


@pytest.mark.statement("S2.5.429", "S9.429")
def test_over_the_limit_it_is_429_with_retry_after_and_later_it_passes(bridge):
    config = {"accounts": [an_account(hook_url=bridge.url)], "block_after": 0}
    with SandboxServer(config, rate=2) as sandbox:
        urls = [sandbox.say(f"c{n}", "hi").return_url for n in range(8)]
        answers = [resume(url, success()) for url in urls]

        assert [answer.status_code for answer in answers[:3]] == [202, 202, 429]
        assert problem(answers[2], 429)["retry_after"] == 1
        sandbox.wait_until(lambda: resume(urls[2], success()).status_code == 202)


@pytest.mark.statement("S9.seven")
def test_the_limit_is_seven_a_second_unless_told_otherwise():
    with SandboxServer() as sandbox:
        assert sandbox.config.rate == 7


@pytest.mark.statement("S9.address")
def test_accounts_share_the_limit_of_their_address(bridge):
    rival = an_account(subdomain="rival", access_token="rival-token", hook_url=bridge.url)
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url), rival]}, rate=2) as sandbox:
        ours = sandbox.say("anna", "hi", account="demo").return_url
        theirs = [sandbox.say(f"c{n}", "hi", account="rival").return_url for n in range(2)]

        assert [resume(url, success(), token="rival-token").status_code for url in theirs] == [202, 202]
        assert resume(ours, success()).status_code == 429


def test_without_a_limit_a_hundred_at_once_pass(sandbox, bridge):
    urls = [sandbox.say(f"c{n}", "hi").return_url for n in range(100)]

    assert {resume(url, success()).status_code for url in urls} == {202}


def test_a_refused_continue_is_told_in_the_chat(sandbox, waiting):
    resume(waiting, handlers(show("x" * 81)))
    resume(waiting, success(), token="wrong")

    refused = sandbox.chat("anna")["turns"][0]["refused"]
    assert [one["status"] for one in refused] == [400, 401]
    assert "TooLong at execute_handlers.0.params.value" in refused[0]["detail"]


def test_what_was_accepted_is_kept_for_tests(sandbox, waiting):
    resume(waiting, success("Hello!", city="Madrid"))

    (one,) = sandbox.accepted
    assert (one.account, one.customer, one.key[0]) == ("demo", "anna", "salesbot")
    assert one.data == {"status": "success", "message": "Hello!", "show": "1", "city": "Madrid"}
    assert waiting.endswith(f"/{one.key[1]}/continue/{one.key[2]}")


@pytest.mark.statement("S2.1.keys")
def test_each_name_of_data_fills_a_placeholder_in_the_steps_behind(bridge):
    ask = {"handler": "widget_request", "params": {"url": bridge.url, "data": {}}}
    tell = {"handler": "show", "params": {"type": "text", "value": "{{json.city}}: {{json.price}} {{json.yes}}"}}
    with SandboxServer({"accounts": [an_account(salesbot_flow=[{"question": [ask, tell]}])]}, rate=0) as sandbox:
        url = sandbox.say("anna", "hi").return_url

        resume(url, {"data": {"city": "Roma", "price": 90, "yes": True}})

        assert sandbox.shown("anna") == ["Roma: 90 1"]


@pytest.mark.statement("S2.1.handlers-first", "S2.1.one-by-one")
def test_the_handlers_of_a_continue_run_in_their_order_before_the_flow_goes_on(sandbox, waiting):
    body = {**success("last"), "execute_handlers": [show("first"), show("second")]}

    assert resume(waiting, body).status_code == 202
    assert sandbox.shown("anna") == ["first", "second", "last"]


@pytest.mark.statement("S2.1.goto")
def test_a_goto_of_a_continue_goes_to_a_step_of_the_widgets_own_flow(sandbox, waiting):
    body = {"data": {"status": "success", "message": "shown", "show": "0"}, "execute_handlers": [goto(step=2)]}

    assert resume(waiting, body).status_code == 202
    assert sandbox.shown("anna") == ["shown"]
