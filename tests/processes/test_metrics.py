"""/metrics of a running deployment: every web process tells the same, and only to who has the token."""

import contextlib

import requests

from tests.processes.conftest import NewDatabase
from tests.processes.deployment import a_kommo, a_tenant, reply_to
from tests.rig import Rig
from tests.stubs.llm import LlmStub

TOKEN = "a-token-for-scraping"
DELIVERED = 'kommobridge_exchanges_ended_recently{state="delivered",outcome="success"}'


def scrape(rig: Rig, token: str) -> requests.Response:
    """Scrape on a connection of its own, so that any web process may answer."""
    headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
    return requests.get(f"{rig.base}/metrics", headers=headers, timeout=10)


def test_a_running_deployment_tells_what_it_did_whichever_web_process_is_asked(new_database: NewDatabase) -> None:
    with contextlib.ExitStack() as stack:
        kommo = stack.enter_context(a_kommo("measured", 6))
        llm = stack.enter_context(LlmStub(reply=reply_to))
        environment = {"KOMMO_EXTRA_ORIGINS": kommo.origin, "METRICS_TOKEN": TOKEN}
        rig = stack.enter_context(Rig(database_url=new_database(), environment=environment))
        tenant = a_tenant("Measured", kommo, rig)
        rig.provision({"accounts": [tenant.document(llm.url)]})
        rig.start_and_wait("serve")
        asked = tenant.ask_at_once([{"text": f"customer {number}", "entity_id": number} for number in range(1, 4)])
        rig.all_settled(asked)

        answers = [scrape(rig, TOKEN) for _ in range(8)]
        figures = [dict(line.rsplit(" ", 1) for line in answer.text.splitlines()) for answer in answers]

        assert {answer.status_code for answer in answers} == {200}
        assert {answer.headers["Content-Type"] for answer in answers} == {"text/plain; version=0.0.4; charset=utf-8"}
        assert {found[DELIVERED] for found in figures} == {"3"}
        assert {found["kommobridge_overhead_seconds_count"] for found in figures} == {"3"}
        assert int(figures[0]["kommobridge_workers"]) >= 1
        assert scrape(rig, "wrong").status_code == 401
        assert TOKEN not in rig.log()
