"""On which databases a process test runs: on both, unless it says that one is enough."""

import pytest

SQLITE = "on SQLite"
POSTGRES = "on PostgreSQL"

# For what doesn't depend on the database; each start takes seconds.
ON_SQLITE = pytest.mark.parametrize("new_database", [SQLITE], indirect=True, scope="session")
ON_POSTGRES = pytest.mark.parametrize(
    "new_database", [pytest.param(POSTGRES, marks=pytest.mark.postgres)], indirect=True, scope="session"
)
