"""/readyz over the life of a deployment: red until everything is there, green while it is, red when it is gone."""

import signal
from datetime import UTC, datetime, timedelta

from tests.processes.conftest import NewDatabase
from tests.processes.databases import ON_POSTGRES, ON_SQLITE
from tests.processes.site import GONE_S
from tests.rig import READY_S, Rig
from tests.waiting import wait_until

STALE = timedelta(seconds=16)


def test_a_deployment_becomes_ready_once_it_is_migrated_and_has_a_worker(new_database: NewDatabase) -> None:
    with Rig(database_url=new_database(), migrated=False) as rig:
        rig.start("web")
        wait_until(lambda: rig.readiness()[0], within_seconds=READY_S, every_seconds=0.1)

        status, told = rig.readiness()
        assert (status, told["status"]) == (503, "not ready")
        assert told["database"]["ok"]
        assert not told["migrations"]["ok"]
        assert "python manage.py migrate" in told["migrations"]["detail"]

        rig.manage("migrate", "-v0")
        status, told = rig.readiness()
        assert status == 503
        assert told["migrations"]["ok"]
        assert (told["worker"]["ok"], told["worker"]["detail"]) == (False, "no worker runs")

        worker = rig.start("worker")
        rig.wait_until_ready()

        worker.send_signal(signal.SIGKILL)
        worker.wait()
        wait_until(lambda: not rig.titled("qcluster"), within_seconds=GONE_S)
        # let the time pass in which a sign of life counts
        rig.sql("UPDATE bots_heartbeat SET beat_at = %s", datetime.now(tz=UTC) - STALE)
        status, told = rig.readiness()
        assert (status, told["worker"]["ok"]) == (503, False)


@ON_SQLITE
def test_serve_on_an_empty_database_becomes_ready_after_migrate_without_a_restart(new_database: NewDatabase) -> None:
    with Rig(database_url=new_database(), migrated=False) as rig:
        main = rig.start("serve")
        wait_until(lambda: rig.readiness()[0] == 503, within_seconds=READY_S, every_seconds=0.1)

        rig.manage("migrate", "-v0")

        rig.wait_until_ready()
        assert main.poll() is None


@ON_POSTGRES
def test_without_a_database_it_says_so(new_database: NewDatabase) -> None:
    url = new_database()
    with Rig(database_url=url) as rig:
        rig.env["DATABASE_URL"] = url.rsplit("/", 1)[0] + "/there_is_none"
        rig.start("web")
        wait_until(lambda: rig.readiness()[0], within_seconds=READY_S, every_seconds=0.1)

        status, told = rig.readiness()

        assert (status, told["status"]) == (503, "not ready")
        assert not told["database"]["ok"]
        assert "there_is_none" not in str(told)
