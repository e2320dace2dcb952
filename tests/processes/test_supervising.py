"""Processes that die one by one: the others go on, what was in flight is settled, and the deployment is whole again."""

import pytest

from tests.processes.databases import ON_SQLITE
from tests.processes.site import GONE_S, SETTLED_S, Site
from tests.rig import Process
from tests.waiting import wait_until


def pump_of(site: Site) -> Process:
    """Give the worker process that works on an exchange now."""
    (found,) = site.rig.sql("SELECT owner FROM bots_exchange WHERE state = 'answering'")
    number = int(found["owner"].rpartition(":")[2])
    return next(process for process in site.rig.processes() if process.pid == number)


def test_a_worker_that_is_killed_in_mid_answer_leaves_one_reply_and_one_continue(site: Site) -> None:
    site.up()
    asked = site.thinking("in mid-answer", entity_id=31)
    site.llm.behaviour = "ok"

    pump_of(site).kill()
    row = site.rig.settled(asked, within_seconds=SETTLED_S)

    assert (row["state"], row["outcome"]) == ("delivered", "success")
    assert [call.message for call in site.tenant.kommo.calls_of(asked)] == ["You said: in mid-answer"]
    assert len([attempt for attempt in site.rig.attempts(asked, "llm") if attempt["ok"]]) == 1


@ON_SQLITE
@pytest.mark.parametrize(
    "title",
    ["idle", "monitor", "pusher", "qcluster MainProcess", "gunicorn: worker"],
    ids=["an idle worker", "the monitor", "the pusher", "a cluster's main process", "a web worker"],
)
def test_after_the_death_of_another_process_customers_are_answered(site: Site, title: str) -> None:
    site.up()
    site.rig.settled(site.tenant.ask("wake up", entity_id=41))
    victim = wait_until(lambda: site.rig.titled(title)[-1:], within_seconds=30)[0]

    victim.kill()
    wait_until(lambda: victim.pid not in {process.pid for process in site.rig.processes()})
    asked = [site.tenant.ask(f"after {title}, {number}", entity_id=42 + number) for number in range(3)]
    rows = site.rig.all_settled(asked, within_seconds=SETTLED_S)

    assert [row["state"] for row in rows] == ["delivered"] * 3
    assert [len(site.tenant.kommo.calls_of(one)) for one in asked] == [1, 1, 1]
    assert site.rig.mains[0].poll() is None


@ON_SQLITE
def test_a_web_server_that_dies_ends_serve_whole(site: Site) -> None:
    main = site.up()

    site.rig.titled("gunicorn: master")[0].kill()

    assert main.wait(GONE_S) != 0
    site.rig.wait_until_gone(within_seconds=GONE_S)
