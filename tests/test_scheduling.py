"""What of the process tests stays together when two run at a time."""

from pathlib import Path

import pytest

from tests.scheduling import GROUPS, SHARED, group_of, place_of

FOLDER = Path(__file__).parent / "processes"


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/processes/test_order.py::test_a[on SQLite]", "deployment on SQLite"),
        ("tests/processes/test_once.py::test_b[on PostgreSQL-5]", "deployment on PostgreSQL"),
        ("tests/processes/test_restarts.py::test_c[on SQLite-SIGKILL]", "test_restarts.py on SQLite"),
        ("tests/kommobridge/test_wsgi.py::test_d[two chunks]", "test_wsgi.py "),
    ],
    ids=["shares the deployment", "on the other database", "stops its own", "a server of its own"],
)
def test_a_test_is_with_those_that_share_its_deployment(nodeid, group):
    assert group_of(nodeid) == group


def test_what_takes_long_begins():
    assert place_of("test_supervising.py on SQLite") < place_of(f"{SHARED} on SQLite") < place_of("test_wsgi.py ")


@pytest.mark.parametrize("file", sorted(FOLDER.glob("test_*.py")), ids=lambda file: file.stem)
def test_each_file_that_stops_the_site_has_a_group_of_its_own(file):
    assert ("site: Site" in file.read_text()) <= (file.name in GROUPS)
