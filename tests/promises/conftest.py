"""Two accounts, and the browsers of those who look."""

import pytest
from django.test import Client

from tests.promises.world import MARK, World, a_world, as_

MEMBERS = ("owner", "viewer")  # who sees most, and who may least


@pytest.fixture
def world(db: None) -> World:
    """Give Acme and Rival with a row of every kind; Rival's hold the mark everywhere."""
    return a_world(rival_mark=MARK)


@pytest.fixture(params=MEMBERS)
def member(request: pytest.FixtureRequest, world: World) -> Client:
    """Give the browser of each kind of member of Acme."""
    return as_(getattr(world.people, request.param))


@pytest.fixture
def owner(world: World) -> Client:
    """Give the owner's browser."""
    return as_(world.people.owner)
