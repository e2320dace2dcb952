"""What the tests of `llm` share: litellm loaded, and a server that plays the vendor."""

from collections.abc import Iterator

import pytest

import llm
from llm import fallback
from tests.stubs.llm import LlmStub


@pytest.fixture(scope="session")
def loaded() -> None:
    """Load litellm as the worker does, so that no deadline of a test pays for it."""
    llm.preload()


@pytest.fixture
def stub(loaded: None) -> Iterator[LlmStub]:
    """Give a vendor on a free port of loopback."""
    with LlmStub() as running:
        yield running


@pytest.fixture
def real_pauses() -> None:
    """Ask for this where the pause before a retry is what the test is about."""


@pytest.fixture(autouse=True)
def short_pauses(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the random pause before a retry next to nothing, in all other tests."""
    if "real_pauses" not in request.fixturenames:
        monkeypatch.setattr(fallback, "PAUSE_S", (0.01, 0.02))
