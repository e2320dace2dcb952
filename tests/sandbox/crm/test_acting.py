"""What a Salesbot's actions do to the CRM (protocol §3.2, §3.3)."""

import pytest

from sandbox.crm.acting import CannotAct, budget_of, carry_out
from sandbox.crm.records import LOST, WON
from sandbox.salesbot.handlers import Act


@pytest.fixture
def act(crm, lead):
    """Carry out an action: act("set_tag", type=2, value="x")."""
    return lambda name, **params: carry_out(Act(name, params), crm, lead)


@pytest.mark.statement("S3.2.tags")
def test_tags_are_set_at_lead_and_contact_and_taken_off(act, lead, contact):
    act("set_tag", type=2, value=["new", "vip"])
    act("set_tag", type=2, value="new")
    act("set_tag", type="1", value="person")
    assert (lead.tags, contact.tags) == (["new", "vip"], ["person"])

    act("unset_tag", type=2, value="new")

    assert lead.tags == ["vip"]


@pytest.mark.statement("S3.2.status")
@pytest.mark.parametrize("place", ["own pipeline", "other pipeline", "won", "lost"])
def test_a_lead_is_moved_to_a_stage(act, crm, lead, place):
    pipelines = crm.seeds.pipelines
    wanted, pipeline = {
        "own pipeline": (pipelines[0].statuses[2].id, pipelines[0].id),
        "other pipeline": (pipelines[1].statuses[1].id, pipelines[1].id),
        "won": (WON, pipelines[0].id),
        "lost": (LOST, pipelines[0].id),
    }[place]

    assert act("change_status", value=str(wanted)).worked
    assert (lead.status_id, lead.pipeline_id) == (wanted, pipeline)


@pytest.mark.statement("S3.2.fields")
def test_a_custom_field_is_written_and_added_to(act, crm, lead, contact):
    wish = next(one.id for one in crm.seeds.fields if one.name == "Wish")
    phone = next(one.id for one in crm.seeds.fields if one.code == "PHONE")

    act("set_custom_fields", type=2, custom_fields_id=wish, value="A quiet room")
    act("set_custom_fields", type=1, custom_fields_id=phone, value="+1 555 010 9999")
    act("set_custom_fields", type=1, custom_field=phone, value="+1 555 010 8888", option="add")

    assert lead.fields == {wish: ["A quiet room"]}
    assert contact.fields == {phone: ["+1 555 010 9999", "+1 555 010 8888"]}


@pytest.mark.statement("S3.2.budget")
def test_a_budget_may_be_a_formula(act, lead):
    assert act("set_budget", value="(100 + 20) * 2 - 40 / 4").told == "Set the lead's budget to 230"
    assert lead.price == 230


@pytest.mark.parametrize("text", ["", "a lot", "2 ** 9", "__import__('os')", "1 / 0", "-5", "1e400", "(" * 150, "True"])
def test_what_is_no_arithmetic_is_no_budget(text):
    with pytest.raises(CannotAct):
        budget_of(text)


@pytest.mark.statement("S3.2.responsible")
def test_another_user_becomes_responsible(act, crm, lead):
    irina = crm.seeds.users[1]

    assert (
        act("change_responsible_user", value=irina.id, type="user").told
        == "Made Irina Sokolova responsible for the lead"
    )
    assert lead.responsible_user_id == irina.id


@pytest.mark.statement("S3.2.note")
def test_a_note_is_written_at_lead_or_contact(act, crm, lead, contact):
    act("add_note", element_type=2, note_type=4, text="Asked for a quote")
    act("add_note", element_type=1, note_type=4, text="Prefers mail")

    assert [(note.entity_id, note.params) for note in crm.notes] == [
        (lead.id, {"text": "Asked for a quote"}),
        (contact.id, {"text": "Prefers mail"}),
    ]


@pytest.mark.statement("S3.2.subscribe")
def test_people_are_subscribed_and_unsubscribed(act, lead):
    act("subscribe", type="user", value=5)
    act("subscribe", type="group", value=1)
    act("unsubscribe", type="user", value=5)
    assert lead.subscribers == ["group 1"]

    act("unsubscribe", type="all")

    assert lead.subscribers == []


@pytest.mark.statement("S3.2.internal")
def test_a_message_in_the_teams_chat_reaches_the_team_only(act, crm, talk):
    act("send_internal", message="Please call Anna")

    assert crm.internal == ["Please call Anna"]
    assert list(crm.messages[talk.id]) == []


@pytest.mark.parametrize(
    ("name", "params", "why"),
    [
        ("change_status", {"value": 5}, "no pipeline has the stage 5"),
        ("change_status", {"value": "{{json.stage}}"}, "is no number of a stage"),
        ("change_responsible_user", {"value": 5}, "the account has no user 5"),
        ("set_custom_fields", {"type": 2, "custom_fields_id": 5, "value": "x"}, "has no custom field 5"),
        ("set_custom_fields", {"type": 2, "value": "x"}, "is no number of a custom field"),
        ("unsorted", {"value": "accept"}, "is not an incoming one any more"),
    ],
    ids=["no such stage", "unfilled stage", "no such user", "no such field", "no field", "accepted before"],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(act, lead, name, params, why):
    before = (lead.status_id, lead.responsible_user_id, dict(lead.fields))

    acted = act(name, **params)

    assert (acted.worked, why in acted.told) == (False, True), acted.told
    assert (lead.status_id, lead.responsible_user_id, lead.fields) == before


@pytest.fixture
def incoming(crm):
    return crm.leads[crm.receive_customer("Ben", origin="facebook", is_unsorted=True).lead_id]


@pytest.mark.statement("S3.3.incoming")
def test_an_incoming_lead_takes_no_changes_until_it_is_accepted(crm, incoming):
    tag = Act("set_tag", {"type": 2, "value": "new"})
    assert incoming.status_id == crm.main_pipeline.statuses[0].id
    assert "nobody has accepted the incoming lead yet" in carry_out(tag, crm, incoming).told

    assert carry_out(Act("unsorted", {"value": "accept"}), crm, incoming).worked

    assert incoming.status_id == crm.main_pipeline.statuses[1].id
    assert carry_out(tag, crm, incoming).worked
    assert incoming.tags == ["new"]


@pytest.mark.statement("S3.2.unsorted")
def test_a_declined_incoming_lead_is_lost(crm, incoming):
    assert carry_out(Act("unsorted", {"value": "decline"}), crm, incoming).told == "Declined the incoming lead"
    assert (incoming.status_id, incoming.unsorted_uid) == (LOST, "")
