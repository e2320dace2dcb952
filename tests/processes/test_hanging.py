"""A cluster that hangs because an idle worker died with the queue's lock: it is replaced, and nobody waits too long."""

import pytest

from tests.processes.databases import ON_SQLITE
from tests.processes.site import SETTLED_S, Site
from tests.waiting import wait_until

DEADLINE_S = 30.0  # of a bot whose owner says nothing about it

pytestmark = ON_SQLITE


def kill_all_idle_workers(site: Site) -> None:
    """Kill the workers while none has anything to do: one of them holds the queue's lock, and django-q2 hangs."""
    idle = wait_until(lambda: len(found := site.rig.titled(" idle")) == 2 and found, within_seconds=30)
    for worker in idle or []:
        worker.kill()


@pytest.mark.quiet
def test_the_death_of_all_idle_workers_delays_nobody_beyond_the_deadline(site: Site) -> None:
    site.up()
    kill_all_idle_workers(site)

    asked = site.tenant.ask("is anybody there?", entity_id=51)
    row = site.rig.settled(asked, within_seconds=SETTLED_S)

    (call,) = site.tenant.kommo.calls_of(asked)
    assert (row["state"], row["outcome"]) == ("delivered", "success")
    assert call.at - asked.sent_at <= DEADLINE_S


def test_a_cluster_that_hangs_is_replaced_although_there_is_nothing_to_do(site: Site) -> None:
    site.up()
    before = {process.pid for process in site.rig.titled("qcluster")}
    kill_all_idle_workers(site)

    wait_until(lambda: not before & {process.pid for process in site.rig.processes()}, within_seconds=SETTLED_S)

    site.rig.wait_until_ready()
