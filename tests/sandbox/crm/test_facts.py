"""What placeholders stand for (protocol §3.4)."""

from collections.abc import Mapping

import pytest

from sandbox.crm.facts import Facts
from sandbox.salesbot.placeholders import Values, resolve


@pytest.fixture
def said(crm, lead):
    """Fill a text with the lead's facts."""
    return lambda template: resolve(template, Values(Facts(crm, lead, "telegram")))


@pytest.mark.statement("S3.4.contact")
def test_the_contact_has_a_name_and_a_number(said, contact):
    assert said("{{name}} = {{contact.name}}, {{contact.id}}") == f"Anna Berg = Anna Berg, {contact.id}"


@pytest.mark.statement("S3.4.lead")
def test_the_lead_has_its_facts_as_they_are_now(said, lead):
    lead.price, lead.name, lead.source_id = 250, "Trip to Rome", 77
    template = (
        "{{lead.id}} {{lead.name}} {{lead.price}} {{lead.status_id}} {{lead.source_id}} {{lead.responsible_user_id}}"
    )

    assert said(template) == f"{lead.id} Trip to Rome 250 {lead.status_id} 77 {lead.responsible_user_id}"


@pytest.mark.statement("S3.4.responsible")
def test_whoever_is_responsible_has_number_name_and_address(said, crm):
    alex = crm.admin

    for card in ("lead", "contact"):
        filled = said(f"{{{{{card}.responsible.id}}}} {{{{{card}.responsible.name}}}} {{{{{card}.responsible.email}}}}")
        assert filled == f"{alex.id} Alex Moreno alex@demo.example"


@pytest.mark.statement("S3.4.fields")
def test_a_custom_field_is_named_by_its_number(said, crm, lead, contact):
    phone = next(one.id for one in crm.seeds.fields if one.code == "PHONE")
    crm.set_field(contact, phone, ["+1 555 010 9999", "+1 555 010 8888"])

    assert said(f"{{{{contact.cf.{phone}}}}}") == "+1 555 010 9999, +1 555 010 8888"
    assert said(f"{{{{lead.cf.{phone}}}}}") == f"{{{{lead.cf.{phone}}}}}"


@pytest.mark.statement("S3.4.origin")
def test_the_channel_and_the_date_are_known(said):
    assert said("{{origin}} {{current_date}}") == "telegram 18.11.2026"


@pytest.mark.statement("S1.2.literal", "S3.4.phone")
@pytest.mark.parametrize(
    "name",
    ["contact.phone", "talk.id", "talk_id", "lead.nothing", "contact.cf.x", "contact.responsible.age", "x", "lead."],
)
def test_what_nothing_fills_stays_as_it_is_written(said, name):
    assert said(f"{{{{{name}}}}}") == f"{{{{{name}}}}}"


@pytest.mark.statement("S3.4.paths")
def test_tags_are_several_values_of_one_fact(crm, lead):
    crm.tag(lead, ["new", "vip"])
    values = Values(Facts(crm, lead, "telegram"))

    assert values.term("lead.tags") == ("new", "vip")
    assert values.term("chat.origin") == ("telegram",)
    assert resolve("{{lead.tags}}", values) == "new, vip"


def test_facts_are_a_mapping_of_known_names(crm, lead):
    facts: Mapping[str, str] = Facts(crm, lead, "telegram")

    assert len(facts) == len(list(facts))
    assert "lead.id" in facts
    assert "lead.other" not in facts
