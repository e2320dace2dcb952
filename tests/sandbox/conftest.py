"""A fake bridge and a sandbox that calls it."""

from collections.abc import Iterator

import pytest

from sandbox.server import SandboxServer
from tests.sandbox.bridge import Bridge, an_account


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with Bridge() as running:
        yield running


@pytest.fixture
def sandbox(bridge: Bridge) -> Iterator[SandboxServer]:
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url)]}, rate=0) as running:
        yield running
