"""How process tests are spread over the workers of pytest-xdist (`-p tests.scheduling -n 2`).

Tests that share a deployment stay together, since each worker would start one of its own. The groups that take longest
begin, so that none of them is what everybody waits for in the end.
"""

from pathlib import PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.processes.databases import POSTGRES, SQLITE

# Files whose tests start a deployment of their own, or share one among them, by the time that they take. All others of
# the folder are taken to share the one that most tests use.
SHARED = "deployment"
GROUPS = (
    "test_supervising.py", SHARED, "test_restarts.py", "test_stopping.py", "test_readiness.py", "test_demo.py",
    "test_guide_journey.py", "test_widget.py", "test_widget_delivery.py", "test_benchmark.py", "test_metrics.py",
    "test_database_cuts.py", "test_hanging.py",
)  # fmt: skip


class ByDeployment(LoadScopeScheduling):  # type: ignore[misc]  # untyped library
    """Gives each group to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByDeployment:
    """Spread by group, in the order in which tests are collected."""
    config.option.loadscopereorder = False
    return ByDeployment(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the groups that take longest; within one the order stays random."""
    items.sort(key=lambda item: place_of(group_of(item.nodeid)))


def group_of(nodeid: str) -> str:
    """Give the name of what a test shares with others: a deployment or a file, and the database."""
    path = PurePosixPath(nodeid.partition("::")[0])
    database = next((name for name in (SQLITE, POSTGRES) if name in nodeid), "")
    shares = path.parent.name == "processes" and path.name not in GROUPS
    return f"{SHARED if shares else path.name} {database}"


def place_of(group: str) -> int:
    """Give when a group has its turn."""
    return next((place for place, start in enumerate(GROUPS) if group.startswith(start)), len(GROUPS))
