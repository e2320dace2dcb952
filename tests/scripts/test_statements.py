"""The count of proven statements is true, and it fails when page and tests disagree."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kommobridge.base.environment import PROJECT_DIR

PAGE = """\
| id | statement | how sure |
|---|---|---|
| S2.1.ten | At most 10 handlers. | D |
| S2.1.goto | Only `show` and `goto`. | D, ⚠ |

| S9.429 | Beyond: 429. | ours |
"""
TEST = """\
import pytest

@pytest.mark.statement("S2.1.ten", "S9.429")
def test_two(): ...

@pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.statement("S2.1.goto"))])
def test_a_single_parameter(n): ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A made-up project whose page and tests agree."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    (tmp_path / "docs" / "kommo-statements.md").write_text(PAGE, encoding="utf-8")
    (tmp_path / "tests" / "deep" / "test_it.py").write_text(TEST)
    return tmp_path


def count(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT_DIR / "scripts" / "statements.py"), str(project)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def change(project: Path, *, page: tuple[str, str] = ("", ""), test: tuple[str, str] = ("", "")) -> None:
    """Replace a text of the page and one of the test file; each has to be there."""
    for name, (before, after) in {"docs/kommo-statements.md": page, "tests/deep/test_it.py": test}.items():
        file = project / name
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after) if before else text, encoding="utf-8")


def test_where_page_and_tests_agree_it_counts_by_section_and_passes(project):
    done = count(project)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["§2.1     2/2", "§9       1/1", "all      3/3"]


def test_this_projects_statements_all_have_a_test():
    done = count(PROJECT_DIR)

    assert (done.returncode, done.stderr) == (0, "")
    covered, total = done.stdout.split()[-1].split("/")
    assert covered == total
    assert int(total) >= 80


@pytest.mark.parametrize(
    "test",
    [
        (', "S9.429"', ""),
        ('@pytest.mark.statement("S2.1.ten", "S9.429")', '# @pytest.mark.statement("S2.1.ten", "S9.429")'),
        ("def test_two", "def two"),
        ("pytest.mark.statement", "pytest.mark.other"),
    ],
    ids=["not named", "named in a comment", "named by what is no test", "named by another marker"],
)
def test_a_statement_without_a_test_fails(project, test):
    change(project, test=test)

    done = count(project)

    assert done.returncode == 1
    assert "S9.429 has no test: mark one that proves it\n" in done.stderr
    assert "§9       0/1" in done.stdout.splitlines()


def test_a_file_that_pytest_does_not_collect_proves_nothing(project):
    file = project / "tests" / "deep" / "test_it.py"
    file.rename(file.with_name("helper.py"))

    done = count(project)

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "all      0/3"


def test_a_marker_whose_id_is_not_on_the_page_fails_with_its_place(project):
    change(project, test=('"S9.429"', '"S9.429", "S9.430"'))

    done = count(project)

    assert done.returncode == 1
    [told] = done.stderr.splitlines()
    assert told.startswith("tests/deep/test_it.py:3 names S9.430, which docs/kommo-statements.md doesn't have")


@pytest.mark.parametrize(
    "marker", ['statement(NAME, "S9.429")', 'statement(*NAMES, "S9.429")', "statement()"], ids=["name", "star", "empty"]
)
def test_a_marker_that_is_no_plain_text_fails(project, marker):
    change(project, test=('statement("S2.1.ten", "S9.429")', marker))

    done = count(project)

    assert done.returncode == 1
    assert "tests/deep/test_it.py:3 names no plain text" in done.stderr


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (("| S9.429 | Beyond: 429. | ours |", "| S9.429 | Beyond: 429. |"), r":6 can't be read"),
        (("| ours |", "| sure |"), r":6 can't be read"),
        (("| ours |", "| D O |"), r":6 can't be read"),
        (("| S9.429 |", "| S9 |"), r":6 can't be read"),
        (("S2.1.goto", "S2.1.ten"), r":4 has S2\.1\.ten once more"),
        ((PAGE, "Nothing yet.\n"), r" has no statements"),
    ],
    ids=["no mark", "unknown mark", "marks without a comma", "no name", "an id twice", "no table"],
)
def test_a_page_that_is_not_in_order_fails_with_the_line(project, page, told):
    change(project, page=page)

    done = count(project)

    assert done.returncode == 1
    assert re.search(rf"^docs/kommo-statements\.md{told}", done.stderr, re.MULTILINE)


def test_each_section_is_one_of_the_protocol_page():
    page = (PROJECT_DIR / "docs" / "kommo-protocol.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)", page, re.MULTILINE))

    counted = set(re.findall(r"^§(\S+)", count(PROJECT_DIR).stdout, re.MULTILINE))

    assert counted
    assert counted - sections == set()
