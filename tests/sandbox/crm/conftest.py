"""An account's CRM with one customer in it."""

import pytest

from sandbox.crm.crm import Crm
from sandbox.crm.seeds import seeds_of


@pytest.fixture
def crm():
    return Crm(seeds_of(31337, "demo"), lambda: 1_795_000_000.0)


@pytest.fixture
def talk(crm):
    return crm.receive_customer("Anna Berg", origin="telegram", is_unsorted=False)


@pytest.fixture
def lead(crm, talk):
    return crm.leads[talk.lead_id]


@pytest.fixture
def contact(crm, talk):
    return crm.contacts[talk.contact_id]
