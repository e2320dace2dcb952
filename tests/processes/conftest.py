"""Deployments for process tests: one that is shared by most, and what a test needs to make its own."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.processes.databases import POSTGRES, SQLITE
from tests.processes.deployment import Deployment, a_canary, a_kommo, a_tenant, reply_to
from tests.processes.site import Site, a_site
from tests.rig import Rig
from tests.stubs.llm import LlmStub

NewDatabase = Callable[[], str]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    for item in items:
        if item.path.parent.name == "processes":
            item.add_marker(pytest.mark.processes)


@pytest.fixture(scope="session", params=[SQLITE, pytest.param(POSTGRES, marks=pytest.mark.postgres)])
def new_database(request: pytest.FixtureRequest) -> NewDatabase:
    """Give a function that gives the address of a new database: "" for SQLite in the deployment's own folder."""
    if request.param == SQLITE:
        return lambda: ""
    make: Callable[[str], str] = request.getfixturevalue("postgres")
    return lambda: make("process")


@pytest.fixture(scope="session")
def deployment(new_database: NewDatabase) -> Iterator[Deployment]:
    """Give a running deployment with default worker settings, which most tests of a run share."""
    with contextlib.ExitStack() as stack:
        elsewhere = stack.enter_context(a_kommo("elsewhere", 4))
        kommo = stack.enter_context(a_kommo("acme", 1, elsewhere=elsewhere.origin))
        rival_kommo = stack.enter_context(a_kommo("rival", 2))
        nowhere = stack.enter_context(a_kommo("nowhere", 3, refuses_connections=True))
        llm = stack.enter_context(LlmStub(reply=reply_to))
        honeypot = stack.enter_context(LlmStub())
        environment = {
            "KOMMO_EXTRA_ORIGINS": ",".join([kommo.origin, rival_kommo.origin, nowhere.origin]),
            "OPENAI_API_KEY": a_canary("sk-environment"),
            "OPENAI_BASE_URL": honeypot.url,
            "OPENAI_API_BASE": honeypot.url,
        }
        rig = stack.enter_context(Rig(database_url=new_database(), environment=environment))
        acme, rival = a_tenant("Acme", kommo, rig), a_tenant("Rival", rival_kommo, rig)
        lost = a_tenant("Nowhere", nowhere, rig)
        rig.provision({"accounts": [tenant.document(llm.url) for tenant in (acme, rival, lost)]})
        rig.start_and_wait("serve")
        yield Deployment(
            rig=rig, llm=llm, acme=acme, rival=rival, nowhere=lost, elsewhere=elsewhere, honeypot=honeypot
        )  # fmt: skip


@pytest.fixture(scope="session")
def site(new_database: NewDatabase) -> Iterator[Site]:
    """Give a deployment that tests stop, kill and start; each brings it up first (`site.up()`)."""
    with contextlib.ExitStack() as stack:
        llm = stack.enter_context(LlmStub(reply=reply_to))
        made = a_site(new_database(), llm)
        stack.enter_context(made.rig)
        stack.enter_context(made.tenant.kommo)
        made.provision()
        yield made
