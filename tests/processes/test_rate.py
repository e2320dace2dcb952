"""Calls to Kommo stay within KOMMO_RATE, over all processes of a deployment."""

import contextlib

import pytest

from tests.processes.conftest import NewDatabase
from tests.processes.deployment import a_kommo, a_tenant, reply_to
from tests.rig import Rig
from tests.stubs.llm import LlmStub

RATE = 7
BURST = 40
WINDOW_S = 1.0

pytestmark = pytest.mark.quiet


def most_in_a_window(moments: list[float]) -> int:
    """Give the most calls that any window of a second holds, wherever it begins."""
    ordered = sorted(moments)
    return max(sum(first <= moment < first + WINDOW_S for moment in ordered) for first in ordered)


def test_no_second_sees_more_calls_than_the_rate(new_database: NewDatabase) -> None:
    with contextlib.ExitStack() as stack:
        kommo = stack.enter_context(a_kommo("paced", 5))
        llm = stack.enter_context(LlmStub(reply=reply_to))
        # so few at once that several processes have to take part
        environment = {
            "KOMMO_EXTRA_ORIGINS": kommo.origin, "KOMMO_RATE": str(RATE), "WORKER_CONCURRENCY": "8",
            "WORKER_PROCESSES": "3",
        }  # fmt: skip
        rig = stack.enter_context(Rig(database_url=new_database(), environment=environment))
        tenant = a_tenant("Paced", kommo, rig)
        rig.provision({"accounts": [tenant.document(llm.url)]})
        rig.start_and_wait("serve")

        asked = tenant.ask_at_once(
            [{"text": f"customer {number}", "entity_id": number} for number in range(1, BURST + 1)]
        )
        rows = rig.all_settled(asked, within_seconds=30)

        moments = [call.at for call in kommo.calls]
        assert {row["state"] for row in rows} == {"delivered"}
        assert len({row["owner"] for row in rows}) >= 2
        assert len(moments) == BURST
        assert most_in_a_window(moments) <= RATE
        # and it isn't kept by crawling: more than half of what is allowed
        assert max(moments) - min(moments) < 2 * BURST / RATE
