import pytest

from sandbox.crm.seeds import seeds_of


def test_a_customer_who_writes_first_becomes_contact_lead_and_talk(crm, talk, lead, contact):
    assert (contact.name, lead.contact_id, talk.lead_id, talk.contact_id) == (
        "Anna Berg",
        contact.id,
        lead.id,
        contact.id,
    )
    assert lead.name == f"Lead #{lead.id}"
    assert (lead.pipeline_id, lead.status_id) == (crm.main_pipeline.id, crm.main_pipeline.statuses[1].id)
    assert [event.type for event in crm.events] == ["lead_added"]


def test_messages_are_kept_with_their_author_and_fate(crm, talk):
    crm.keep_message(talk, "hi", author="client")
    crm.keep_message(talk, "x" * 9, author="bot", failed=True)

    assert [(one.author, one.delivery) for one in crm.messages[talk.id]] == [("client", "delivered"), ("bot", "error")]
    assert talk.is_read


@pytest.mark.statement("S8.emoji")
def test_four_byte_characters_vanish_from_a_custom_field_without_a_word(crm, lead):
    wish = next(one.id for one in crm.seeds.fields if one.name == "Wish")

    crm.set_field(lead, wish, ["Beach 🏖 and café ☕"])

    assert lead.fields[wish] == ["Beach  and café ☕"]


def test_an_account_has_the_same_team_and_pipelines_after_each_start_and_no_other_accounts():
    one, again, other = seeds_of(31337, "demo"), seeds_of(31337, "demo"), seeds_of(31338, "demo")

    assert one == again
    assert one.users[0].id != other.users[0].id
    assert [user.is_admin for user in one.users] == [True, False, False]


@pytest.mark.statement("S8.closed")
def test_every_pipeline_ends_with_142_won_and_143_lost():
    for pipeline in seeds_of(1, "demo").pipelines:
        assert [status.id for status in pipeline.statuses[-2:]] == [142, 143]
