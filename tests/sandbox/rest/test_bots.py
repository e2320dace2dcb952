"""Starting, stopping and listing Salesbots by REST (protocol §5)."""

import pytest

from tests.sandbox.bridge import resume, success
from tests.sandbox.rest.conftest import MEMBER, SECOND

MAIN = 61001


@pytest.mark.statement("S5.list")
def test_salesbots_are_listed_with_their_known_keys(rest, refused):
    listed = rest("GET", "/bots").json()["_embedded"]["items"]

    assert listed == [
        {
            "id": number,
            "name": name,
            "type_functionality": "regular",
            "is_visual_editor": True,
            "settings": {"active": True},
            "is_favorite": False,
        }
        for number, name in ((MAIN, "LLM bot"), (SECOND["id"], "Second"))
    ]
    assert rest("GET", f"/bots/{SECOND['id']}").json() == listed[1]
    refused(rest("GET", "/bots/5"), 404)


@pytest.mark.statement("S5.list")
def test_the_list_is_filtered_by_number_and_kind(rest, refused):
    (found,) = rest("GET", f"/bots?filter[id][]={MAIN}").json()["_embedded"]["items"]
    assert found["id"] == MAIN
    assert len(rest("GET", "/bots?filter[type_functionality][]=regular").json()["_embedded"]["items"]) == 2
    refused(
        rest("GET", "/bots?filter[type_functionality][]=odd"), 400, "NotSupportedChoice", "filter[type_functionality]"
    )


@pytest.mark.statement("S5.run")
@pytest.mark.parametrize("entity", ["leads", "contacts"])
def test_a_salesbot_is_started_for_a_lead_or_contact_with_202(rest, sandbox, chat, entity):
    number = chat["lead_id"] if entity == "leads" else chat["contact_id"]

    answer = rest("POST", f"/bots/{SECOND['id']}/run", {"entity_id": number, "entity_type": entity})

    assert (answer.status_code, answer.text) == (202, "Accepted")
    assert answer.headers["Content-Type"].startswith("text/html")
    told = [note["title"] for note in sandbox.chat("anna")["turns"][-1]["notes"]]
    assert told[0] == "The API started the Salesbot “Second”"


@pytest.mark.statement("S1.6.displaced")
def test_a_second_salesbot_that_comes_to_a_pause_ends_the_first_and_its_continue_finds_nothing(rest, sandbox, chat):
    waiting = chat["turns"][0]["request"]["return_url"]

    rest("POST", f"/bots/{SECOND['id']}/run", {"entity_id": chat["lead_id"], "entity_type": "leads"})

    assert resume(waiting, success()).status_code == 404
    assert sandbox.chat("anna")["turns"][0]["state"] == "stopped"


@pytest.mark.statement("S5.many")
def test_up_to_a_hundred_are_started_at_once(rest, refused, sandbox, chat):
    one = {"bot_id": SECOND["id"], "entity_id": chat["lead_id"], "entity_type": "leads"}

    assert rest("POST", "/bots/run", [one] * 100).status_code == 202
    assert len(sandbox.chat("anna")["turns"]) == 101
    refused(rest("POST", "/bots/run", [one] * 101), 400, "TooMany", "")
    refused(rest("POST", "/bots/run", one), 400, "InvalidType", "")


@pytest.mark.statement("S5.v2")
@pytest.mark.parametrize(("kind", "key"), [(2, "lead_id"), (1, "contact_id")], ids=["lead", "contact"])
def test_the_older_call_has_numbers_for_the_types(rest, refused, sandbox, chat, kind, key):
    one = {"bot_id": SECOND["id"], "entity_id": chat[key], "entity_type": kind}

    answer = rest("POST", "/salesbot/run", [one], base="/api/v2")

    assert (answer.status_code, answer.json()["success"]) == (202, True)
    wrong = rest("POST", "/salesbot/run", [{**one, "entity_type": "leads"}], base="/api/v2")
    refused(wrong, 400, "NotSupportedChoice", "0.entity_type")


@pytest.mark.statement("S5.stop", "S1.6.stopped")
def test_a_stopped_salesbots_continue_finds_nothing(rest, sandbox, chat):
    waiting = chat["turns"][0]["request"]["return_url"]

    answer = rest("POST", f"/bots/{MAIN}/stop", {"entity_id": chat["lead_id"], "entity_type": "leads"})

    assert (answer.status_code, answer.text) == (202, "Accepted")
    assert resume(waiting, success()).status_code == 404
    assert sandbox.chat("anna")["state"] == "ended"


def test_a_stop_spares_the_other_salesbots(rest, sandbox, chat):
    rest("POST", f"/bots/{SECOND['id']}/stop", {"entity_id": chat["lead_id"], "entity_type": "leads"})

    assert resume(chat["turns"][0]["request"]["return_url"], success()).status_code == 202


@pytest.mark.statement("S5.empty-message", "S1.2.empty-by-api")
def test_a_salesbot_that_the_api_started_has_an_empty_message(bridge, rest, sandbox):
    ask = {"handler": "widget_request", "params": {"url": bridge.url, "data": {"message": "{{message_text}}"}}}
    sandbox.configure(salesbot_flow=[{"question": [ask]}])
    sandbox.say("anna", "hello there")
    lead = sandbox.chat("anna")["lead_id"]

    rest("POST", f"/bots/{MAIN}/run", {"entity_id": lead, "entity_type": "leads"})

    sandbox.wait_until(lambda: len(bridge.received) == 2)
    assert sorted(received.data["message"] for received in bridge.received) == ["", "hello there"]


@pytest.mark.statement("S5.errors")
@pytest.mark.parametrize("verb", ["run", "stop"])
def test_what_is_not_there_is_404_and_what_is_wrong_400(rest, refused, chat, verb):
    entity = {"entity_id": chat["lead_id"], "entity_type": "leads"}

    refused(rest("POST", f"/bots/5/{verb}", entity), 404)
    refused(rest("POST", f"/bots/{MAIN}/{verb}", {**entity, "entity_id": 5}), 404)
    refused(
        rest("POST", f"/bots/{MAIN}/{verb}", {**entity, "entity_type": "companies"}),
        400,
        "NotSupportedChoice",
        "entity_type",
    )
    refused(rest("POST", f"/bots/{MAIN}/{verb}", {**entity, "entity_id": "5"}), 400, "InvalidType", "entity_id")


@pytest.mark.statement("S5.admin")
@pytest.mark.parametrize("path", [f"/bots/{MAIN}/run", f"/bots/{MAIN}/stop", "/bots/run"])
def test_who_is_no_administrator_starts_and_stops_nothing(rest, refused, chat, path):
    entity = {"bot_id": MAIN, "entity_id": chat["lead_id"], "entity_type": "leads"}

    refused(rest("POST", path, [entity] if path == "/bots/run" else entity, token=MEMBER), 403)
