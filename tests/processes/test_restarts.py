"""A deployment that is stopped or killed leaves no process, and settles what was in flight after its next start."""

import signal

import pytest

from tests.processes.databases import ON_SQLITE
from tests.processes.deployment import FALLBACK
from tests.processes.site import GONE_S, SETTLED_S, WAYS, Site
from tests.rig import READY_S
from tests.waiting import wait_until


@pytest.mark.parametrize("way", WAYS)
def test_what_was_in_flight_is_settled_after_the_next_start(site: Site, way: str) -> None:
    main = site.up()
    kommo = site.tenant.kommo
    retrying = site.retrying(f"retrying, {way}", entity_id=1)
    lost = site.sending(f"lost, {way}", entity_id=2, fault="held")
    cut = site.sending(f"cut, {way}", entity_id=3, fault="held-untaken")
    thinking = site.thinking(f"thinking, {way}", entity_id=4)
    waiting = site.tenant.ask(f"waiting, {way}", entity_id=4)
    soon = site.thinking(f"soon, {way}", entity_id=5, behaviour="slow-3")

    WAYS[way](site.rig, main)
    site.rig.wait_until_gone(within_seconds=GONE_S)
    if way == "SIGTERM to main":  # then what is nearly done is still done
        assert site.rig.exchange(soon)["state"] == "delivered"
        assert main.returncode == 0
    site.llm.behaviour = "ok"
    site.rig.start_and_wait("serve")
    asked = [retrying, lost, cut, thinking, waiting, soon]
    rows = site.rig.all_settled(asked, within_seconds=SETTLED_S)

    assert [row["state"] for row in rows] == ["delivered", "unknown", *["delivered"] * 4]
    # one accepted continue for each, and no call more than it needed
    assert {one.continue_id for one in asked} <= set(kommo.accepted)
    assert [len(kommo.calls_of(one)) for one in asked] == [2, 2, 2, 1, 1, 1]
    # one reply used: what had one isn't asked again, and what had none gets the model's own
    assert [site.times_asked(row["text"]) for row in rows[:3]] == [1, 1, 1]
    assert [kommo.accepted[row["continue_id"]].message for row in rows] == [f"You said: {row['text']}" for row in rows]


def assert_a_worker_lives(site: Site) -> None:
    """See that the newest sign of life is of a process that lives."""
    living = {process.pid for process in site.rig.processes()}
    beats = site.rig.sql("SELECT name FROM bots_heartbeat ORDER BY beat_at")
    assert int(beats[-1]["name"].rpartition(":")[2]) in living


def test_what_is_overdue_at_a_start_is_sent_at_once(site: Site) -> None:
    site.up()
    kommo = site.tenant.kommo
    stored = site.retrying("stored", entity_id=11)
    refused = site.tenant.ask("refused", entity_id=12, fault="429")
    unanswered = site.thinking("unanswered", entity_id=13)
    site.rig.close()
    asked = site.times_asked("unanswered")
    for one in (stored, refused, unanswered):
        site.rig.move_back(one, seconds=600)
    calls_before = len(kommo.calls_of(refused))

    ready_at = site.rig.start_and_wait("serve")
    assert_a_worker_lives(site)  # a dead one's sign of life makes nobody ready
    rows = site.rig.all_settled([stored, refused, unanswered], within_seconds=20)

    assert [row["state"] for row in rows] == ["delivered", "failed", "delivered"]
    assert kommo.accepted[stored.continue_id].message == "You said: stored"
    assert kommo.accepted[unanswered.continue_id].message == FALLBACK
    assert site.times_asked("unanswered") == asked
    # failed only after one more try
    assert len(kommo.calls_of(refused)) == calls_before + 1
    late = [call.at - ready_at for one in (stored, unanswered) for call in kommo.calls_of(one)[-1:]]
    assert max(late) < 15


@ON_SQLITE
def test_a_deployment_that_is_told_to_stop_while_it_starts_stops(site: Site) -> None:
    site.rig.close()
    main = site.rig.start("serve")
    wait_until(lambda: len(site.rig.processes()) >= 3, within_seconds=READY_S, every_seconds=0.01)

    main.send_signal(signal.SIGTERM)

    site.rig.wait_until_gone(within_seconds=GONE_S)
