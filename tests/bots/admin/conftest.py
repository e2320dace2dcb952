"""Who looks at the pages."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bots.models import User
from tests.cast import Cast, the_cast


@pytest.fixture
def people(db: None) -> Cast:
    """Give Acme's people, the stranger and the operator."""
    return the_cast()


@pytest.fixture
def owner(people: Cast) -> Client:
    """Give the owner's browser."""
    return browser_of(people.owner)


@pytest.fixture
def editor(people: Cast) -> Client:
    """Give the editor's browser."""
    return browser_of(people.editor)


@pytest.fixture
def viewer(people: Cast) -> Client:
    """Give the viewer's browser."""
    return browser_of(people.viewer)


@pytest.fixture
def operator(people: Cast) -> Client:
    """Give the operator's browser."""
    return browser_of(people.operator)


def browser_of(user: User) -> Client:
    """Give a client that is logged in."""
    client = Client()
    client.force_login(user)
    return client


def queries_of(client: Client, address: str) -> int:
    """Count the queries of a page, after a first look that fills what is kept between requests."""
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
