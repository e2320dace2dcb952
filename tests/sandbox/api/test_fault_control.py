"""Breaking things by the control API, as the page does, and by a seed."""

import json

import pytest
import requests

from sandbox.api.fault_kinds import KINDS, WrongFault, read_fault
from sandbox.api.fault_schedule import read_schedule
from sandbox.server import SandboxServer
from tests.sandbox.bridge import an_account, resume, success

HALF = {"seed": "monday", "shares": {"status": 0.5}}


@pytest.fixture
def faults(sandbox):
    """Call the part of the API that breaks things: faults("POST", "/1", {"on": False})."""

    def call(method, path="", body=None):
        raw = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        return requests.request(
            method, f"{sandbox.url}/sandbox/api/faults{path}", data=raw, headers=headers, timeout=10
        )

    return call


def test_faults_are_queued_listed_and_dropped(faults, sandbox, bridge):
    asked = {"kind": "status", "status": 503, "account": "demo", "count": 2}

    assert faults("POST", "", asked).json()["faults"][0]["status"] == 503
    assert resume(sandbox.say("anna", "hi").return_url, success()).status_code == 503
    assert faults("GET").json()["faults"][0]["count"] == 1
    assert faults("DELETE").json()["faults"] == []


def test_a_fault_is_switched_off_and_on_and_dropped_by_its_id(faults, sandbox, bridge):
    number = faults("POST", "", {"kind": "status", "count": 5}).json()["faults"][0]["id"]
    url = sandbox.say("anna", "hi").return_url

    faults("POST", f"/{number}", {"on": False})
    assert resume(url, success()).status_code == 202
    faults("POST", f"/{number}", {"on": True, "count": 1})
    assert resume(sandbox.say("ben", "hi").return_url, success()).status_code == 500
    assert "fault: there is none of that id" in faults("DELETE", f"/{number}").json()["error"]


def test_what_has_acted_is_told_with_its_cause(faults, sandbox, bridge):
    faults("POST", "", {"kind": "block_page"})
    resume(sandbox.say("anna", "hi").return_url, success())
    faults("POST", "/schedule", {"seed": 1, "shares": {"rate_limit": 1}})
    resume(sandbox.say("ben", "hi").return_url, success())

    acted = faults("GET").json()["acted"]
    assert [(one["kind"], one["customer"], one["by"]) for one in acted] == [
        ("rate_limit", "ben", "seed"),
        ("block_page", "anna", "hand"),
    ]


def test_every_kind_is_told_with_title_story_and_its_usual_values(faults):
    told = faults("GET").json()["kinds"]

    assert [one["kind"] for one in told] == list(KINDS)
    assert all(one["title"] and len(one["story"]) > 40 for one in told)
    assert next(one for one in told if one["kind"] == "drip")["defaults"]["seconds"] == 10
    assert next(one for one in told if one["kind"] == "clock_skew")["ranges"] == {"seconds": [-86_400, 86_400]}


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_can_be_asked_for_by_its_name_alone(kind):
    assert read_fault({"kind": kind}).told().items() >= {"kind": kind, "count": 1, "on": True}.items()


def test_what_was_set_is_in_the_journal(faults, sandbox):
    number = faults("POST", "", {"kind": "status"}).json()["faults"][0]["id"]
    faults("POST", f"/{number}", {"on": False})
    faults("DELETE", f"/{number}")
    faults("POST", "/schedule", HALF)
    faults("DELETE", "/schedule")
    faults("DELETE")

    assert [entry["kind"] for entry in sandbox.journal] == [
        "fault_queued",
        "fault_changed",
        "fault_removed",
        "fault_schedule",
        "fault_schedule",
        "faults_cleared",
    ]


def statuses_by_seed(bridge, seed, *, others=0):
    """Let one customer write twelve times under a schedule, with other customers in between."""
    shares = {"status": {"share": 0.3, "status": 502}, "rate_limit": 0.2}
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url)]}, rate=0) as sandbox:
        address = f"{sandbox.url}/sandbox/api/faults/schedule"
        assert requests.post(address, json={"seed": seed, "shares": shares}, timeout=10).ok
        seen = []
        for _ in range(12):
            for number in range(others):
                resume(sandbox.say(f"other-{number}", "hi", when_busy="restart").return_url, success())
            url = sandbox.say("anna", "hi", when_busy="restart").return_url
            seen.append(resume(url, success()).status_code)
        return seen


def test_the_same_seed_brings_the_same_faults_whoever_else_writes(bridge):
    first = statuses_by_seed(bridge, "tuesday")

    assert {202} < set(first) <= {202, 429, 502}
    assert statuses_by_seed(bridge, "tuesday", others=2) == first
    assert statuses_by_seed(bridge, "wednesday") != first


def test_a_schedule_keeps_its_shares():
    schedule = read_schedule({"seed": "x", "shares": {"slow": 0.1, "status": 0.3, "duplicate": 0.25}})

    def drawn(where):
        faults = (schedule.draw(where, account="a", customer=f"c{n}", number=n) for n in range(4_000))
        return [fault.kind if fault else None for fault in faults]

    continues, requests_ = drawn("continue"), drawn("widget_request")
    assert continues.count("slow") / 4_000 == pytest.approx(0.1, abs=0.02)
    assert continues.count("status") / 4_000 == pytest.approx(0.3, abs=0.03)
    assert requests_.count("duplicate") / 4_000 == pytest.approx(0.25, abs=0.03)
    assert set(requests_) == {"duplicate", None}


def test_a_schedule_is_the_same_in_whatever_order_its_kinds_are_listed():
    shares = {"slow": 0.3, "status": 0.3, "lost": 0.3}
    one, other = (
        read_schedule({"seed": "x", "shares": dict(items)}) for items in (shares.items(), [*shares.items()][::-1])
    )

    for number in range(100):
        drawn = [plan.draw("continue", account="a", customer="c", number=number) for plan in (one, other)]
        assert len({fault.kind if fault else None for fault in drawn}) == 1


def test_a_schedule_for_one_customer_spares_the_others():
    schedule = read_schedule({"seed": "x", "shares": {"status": 1}, "account": "a", "customer": "anna"})

    assert schedule.draw("continue", account="a", customer="anna", number=1)
    assert schedule.draw("continue", account="a", customer="ben", number=1) is None
    assert schedule.draw("continue", account="b", customer="anna", number=1) is None


def test_a_queued_fault_goes_before_the_schedule_and_costs_it_no_turn(faults, sandbox, bridge):
    faults("POST", "/schedule", {"seed": "x", "shares": {"rate_limit": 1}})
    faults("POST", "", {"kind": "status", "status": 418})
    url = sandbox.say("anna", "hi").return_url

    assert [resume(url, success()).status_code for _ in range(2)] == [418, 429]


def test_a_schedule_is_told_as_it_was_asked_for_and_can_be_asked_for_again(faults):
    told = faults("POST", "/schedule", {"seed": 7, "shares": {"slow": {"share": 0.2, "seconds": 3}}}).json()["schedule"]

    assert (told["seed"], told["shares"]["slow"]["share"], told["shares"]["slow"]["seconds"]) == ("7", 0.2, 3)
    assert faults("POST", "/schedule", told).json()["schedule"] == told
    assert faults("DELETE", "/schedule").json()["schedule"] is None


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"shares": {"slow": 1}}, "seed: must be"),
        ({"seed": True, "shares": {"slow": 1}}, "seed: must be"),
        ({"seed": "x"}, "shares: must be"),
        ({"seed": "x", "shares": {"explode": 1}}, "kind: must be one of"),
        ({"seed": "x", "shares": {"slow": 1.5}}, "shares.slow: must be a number from 0 to 1"),
        ({"seed": "x", "shares": {"slow": True}}, "shares.slow: must be a number"),
        ({"seed": "x", "shares": {"slow": {"share": 1, "count": 2}}}, "shares.slow.count: has no place"),
        ({"seed": "x", "shares": {"slow": {"share": 1, "seconds": -2}}}, "seconds: must be from 0"),
        ({"seed": "x", "shares": {"slow": 0.6, "status": 0.6}}, "must not be more than 1"),
        ({"seed": "x", "shares": {"slow": 1}, "account": 5}, "account: must be a text"),
        ({"seed": "x", "shares": {"slow": 1}, "chance": 5}, "chance: is not known"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_schedule_that_makes_no_sense_is_refused(asked, line):
    with pytest.raises(WrongFault, match=line):
        read_schedule(asked)


@pytest.mark.parametrize(
    ("path", "body", "status", "line"),
    [
        ("", {"kind": "status", "account": "nope"}, 404, "account: must be one of demo"),
        ("/schedule", {**HALF, "account": "nope"}, 404, "account: must be one of demo"),
        ("/999999", {"on": False}, 404, "fault: there is none of that id"),
        ("", {"kind": "nope"}, 400, "kind: must be one of"),
    ],
)
def test_a_wrong_request_is_told_by_field_and_rule(faults, path, body, status, line):
    answer = faults("POST", path, body)

    assert answer.status_code == status
    assert line in answer.json()["error"]


@pytest.mark.parametrize(
    ("change", "line"), [({"kind": "slow"}, "kind: cannot be changed"), ({"count": 0}, "count: must be from 1")]
)
def test_a_wrong_change_of_a_fault_is_told_and_changes_nothing(faults, change, line):
    fault = faults("POST", "", {"kind": "status"}).json()["faults"][0]

    assert (
        line
        in faults("POST", f"/{fault['id']}", {"on": False, **change} if "count" in change else change).json()["error"]
    )
    assert faults("GET").json()["faults"][0]["kind"] == "status"
