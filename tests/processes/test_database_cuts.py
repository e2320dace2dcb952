"""A database that cuts connections at the worst moment loses nothing and has nothing sent twice."""

import psycopg

from tests.processes.databases import ON_POSTGRES
from tests.processes.site import SETTLED_S, Site
from tests.waiting import wait_until

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@ON_POSTGRES
def test_an_end_that_could_not_be_written_is_written_later_and_nothing_is_sent_again(site: Site) -> None:
    site.up()
    asked = site.sending("the end is hard to write", entity_id=71, fault="held")
    number = site.rig.exchange(asked)["id"]
    with psycopg.connect(site.rig.database_url) as holder:
        holder.execute("SELECT 1 FROM bots_exchange WHERE id = %s FOR UPDATE", (number,))
        site.tenant.kommo.release()
        for _ in range(2):  # the write, and its next try or whatever else came behind it
            waiting = wait_until(lambda: site.rig.sql(WAITING))
            cut(site, [row["pid"] for row in waiting])
    row = site.rig.settled(asked, within_seconds=SETTLED_S)

    assert row["state"] == "delivered"
    assert len(site.tenant.kommo.calls_of(asked)) == 1
    assert len(site.rig.attempts(asked, "continue")) == 1


def cut(site: Site, backends: list[int]) -> None:
    """Cut connections that wait for a row, and see them go."""
    site.rig.sql("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s::int[]) AS pid", backends)
