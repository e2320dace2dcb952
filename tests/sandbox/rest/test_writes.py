"""Changing an account by REST (protocol §8, §9.3)."""

import pytest

from sandbox.server import SandboxServer
from tests.sandbox.bridge import an_account


@pytest.fixture
def lead(rest, chat):
    """Give the lead as it is now."""
    return lambda: rest("GET", f"/leads/{chat['lead_id']}").json()


@pytest.fixture
def change(rest, chat):
    return lambda **fields: rest("PATCH", f"/leads/{chat['lead_id']}", fields)


@pytest.mark.statement("S8.patch")
def test_a_lead_is_changed(rest, lead, change, sandbox):
    wish = next(one["id"] for one in rest("GET", "/leads/custom_fields").json()["_embedded"]["custom_fields"])
    user = sandbox.crm(lambda crm: crm.seeds.users[1].id)
    status = sandbox.crm(lambda crm: crm.main_pipeline.statuses[2].id)

    answer = change(
        name="Trip",
        price=250,
        status_id=status,
        responsible_user_id=user,
        custom_fields_values=[{"field_id": wish, "values": [{"value": "Quiet"}]}],
        tags_to_add=[{"name": "vip"}, {"name": "new"}],
    )

    assert answer.status_code == 200
    now = lead()
    assert (now["name"], now["price"], now["status_id"], now["responsible_user_id"]) == ("Trip", 250, status, user)
    assert [tag["name"] for tag in now["_embedded"]["tags"]] == ["vip", "new"]
    assert now["custom_fields_values"][0]["values"] == [{"value": "Quiet"}]
    assert change(tags_to_delete=[{"name": "vip"}]).status_code == 200
    assert [tag["name"] for tag in rest("GET", "/leads/tags").json()["_embedded"]["tags"]] == ["new"]


@pytest.mark.statement("S8.no-echo")
def test_a_write_does_not_tell_custom_fields_back_and_drops_emoji(rest, lead, change):
    wish = rest("GET", "/leads/custom_fields").json()["_embedded"]["custom_fields"][0]["id"]

    answer = change(custom_fields_values=[{"field_id": wish, "values": [{"value": "Sea 🌊 view"}]}])

    assert (answer.status_code, "custom_fields_values" in answer.json()) == (200, False)
    assert lead()["custom_fields_values"][0]["values"] == [{"value": "Sea  view"}]


@pytest.mark.statement("S8.closed")
@pytest.mark.parametrize("status", [142, 143], ids=["won", "lost"])
def test_142_is_won_and_143_is_lost_in_whatever_pipeline(lead, change, sandbox, status):
    other = sandbox.crm(lambda crm: crm.seeds.pipelines[1].id)

    assert change(status_id=status, pipeline_id=other).status_code == 200
    assert (lead()["status_id"], lead()["pipeline_id"]) == (status, other)


@pytest.mark.statement("S9.validation-errors")
@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ({"custom_fields_values": [{"field_id": 5}]}, "NotSupportedChoice", "custom_fields_values.0.field_id"),
        ({"custom_fields_values": [{"field_id": "5"}]}, "InvalidType", "custom_fields_values.0.field_id"),
        ({"custom_fields_values": {}}, None, None),
        ({"custom_fields_values": {"a": 1}}, "InvalidType", "custom_fields_values"),
        ({"status_id": 5}, "NotSupportedChoice", "status_id"),
        ({"status_id": "142"}, "InvalidType", "status_id"),
        ({"price": "much"}, "InvalidType", "price"),
        ({"responsible_user_id": 5}, "NotSupportedChoice", "responsible_user_id"),
        ({"tags_to_add": ["vip"]}, "InvalidType", "tags_to_add"),
        ({"colour": "red"}, "NotSupportedChoice", "colour"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_change_that_breaks_a_rule_is_400_with_code_and_path_and_changes_nothing(
    lead, change, refused, fields, code, path
):
    before = lead()
    answer = change(**fields, name="never") if code else change(**fields)
    if code:
        refused(answer, 400, code, path)
    assert lead()["name"] == before["name"]
    assert lead()["status_id"] == before["status_id"]


@pytest.mark.statement("S8.batch")
def test_several_leads_are_changed_in_one_list_and_at_most_250(rest, refused, sandbox, chat):
    sandbox.say("ben", "hi")
    ids = [chat["lead_id"], sandbox.chat("ben")["lead_id"]]

    listed = rest("PATCH", "/leads", [{"id": number, "price": 10 * (n + 1)} for n, number in enumerate(ids)])

    assert [one["id"] for one in listed.json()["_embedded"]["leads"]] == ids
    assert [rest("GET", f"/leads/{number}").json()["price"] for number in ids] == [10, 20]
    refused(rest("PATCH", "/leads", {"id": ids[0]}), 400, "InvalidType", "")
    assert "250" in refused(rest("PATCH", "/leads", [{"id": ids[0]}] * 251), 422)["detail"]
    refused(rest("PATCH", "/leads", [{"id": ids[0], "price": "x"}]), 400, "InvalidType", "0.price")


@pytest.mark.statement("S8.notes")
def test_notes_are_written_as_a_list_and_read_back(rest, refused, chat):
    path = f"/leads/{chat['lead_id']}/notes"
    assert rest("GET", path).status_code == 204
    call = {"duration": 130, "phone": "+10000000000", "call_status": 4}

    written = rest(
        "POST", path, [{"note_type": "common", "params": {"text": "Hi"}}, {"note_type": "call_in", "params": call}]
    )

    notes = rest("GET", path).json()["_embedded"]["notes"]
    assert [note["id"] for note in written.json()["_embedded"]["notes"]] == [note["id"] for note in notes]
    assert [(note["note_type"], note["params"]) for note in notes] == [("common", {"text": "Hi"}), ("call_in", call)]
    refused(rest("POST", path, {"note_type": "common"}), 400, "InvalidType", "")
    refused(rest("POST", path, [{"note_type": "letter", "params": {}}]), 400, "NotSupportedChoice", "0.note_type")
    refused(rest("POST", path, [{"note_type": "common", "params": {}}]), 400, "InvalidType", "0.params.text")
    refused(rest("POST", "/leads/5/notes", [{"note_type": "common", "params": {"text": "x"}}]), 404)


@pytest.mark.statement("S8.tasks")
def test_tasks_are_made_as_a_list(rest, refused, sandbox, chat):
    task = {"text": "Call back", "complete_till": 1_796_000_000, "entity_type": "leads", "entity_id": chat["lead_id"]}

    made = rest("POST", "/tasks", [task, {**task, "task_type_id": 2}]).json()["_embedded"]["tasks"]

    kept = sandbox.crm(lambda crm: [(one.id, one.task_type_id) for one in crm.tasks])
    assert kept == [(made[0]["id"], 1), (made[1]["id"], 2)]
    refused(rest("POST", "/tasks", [{**task, "text": ""}]), 400, "InvalidType", "0.text")
    refused(rest("POST", "/tasks", [{**task, "complete_till": "soon"}]), 400, "InvalidType", "0.complete_till")
    refused(rest("POST", "/tasks", [{**task, "entity_id": 5}]), 404)


@pytest.mark.statement("S8.tags")
def test_tags_are_made_by_name(rest, refused):
    made = rest("POST", "/leads/tags", [{"name": "vip"}, {"name": "new"}]).json()["_embedded"]["tags"]

    assert [tag["name"] for tag in made] == ["vip", "new"]
    refused(rest("POST", "/leads/tags", [{"name": ""}]), 400, "InvalidType", "0.name")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000], ids=["cut", "not utf-8", "deep"])
def test_a_body_that_is_not_json_is_400(sandbox, chat, refused, body):
    import requests

    from tests.sandbox.bridge import TOKEN

    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    answer = requests.patch(f"{sandbox.url}/api/v4/leads/{chat['lead_id']}", data=body, headers=headers, timeout=10)

    assert refused(answer, 400)["detail"] == "The request body is not valid JSON"


@pytest.mark.statement("S8.unsorted")
@pytest.mark.parametrize("way", ["accept", "decline"])
def test_an_incoming_lead_is_accepted_or_declined(bridge, refused, way):
    import requests

    from tests.sandbox.bridge import TOKEN

    with SandboxServer({"accounts": [an_account(hook_url=bridge.url, unsorted=True)]}, rate=0) as sandbox:
        sandbox.say("anna", "hi")
        uid, number = sandbox.crm(lambda crm: next((lead.unsorted_uid, lead.id) for lead in crm.leads.values()))
        method = {"accept": "POST", "decline": "DELETE"}[way]

        def settle():
            url = f"{sandbox.url}/api/v4/leads/unsorted/{uid}/{way}"
            return requests.request(method, url, json={}, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)

        assert settle().json()["_embedded"]["leads"] == [{"id": number}]
        status = sandbox.crm(lambda crm: crm.leads[number].status_id)
        assert (status == 143) is (way == "decline")
        refused(settle(), 404)
