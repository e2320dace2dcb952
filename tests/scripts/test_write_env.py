"""Secrets are written once, and never over those that are there."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kommobridge.base.environment import PROJECT_DIR, WITHOUT_FILE, read

SCRIPT = PROJECT_DIR / "scripts" / "write_env.py"


def write(file: Path) -> str:
    """Run the script on a file and give what it said."""
    return subprocess.run([sys.executable, str(SCRIPT), str(file)], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def values(file: Path) -> dict[str, str]:
    """Give the file's assignments; the first one of a name counts."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return dict(reversed([line.removeprefix("export ").split("=", 1) for line in lines]))


def test_a_new_file_has_what_the_program_asks_for(file, monkeypatch):
    write(file)
    for name in ("SECRET_KEY", "FIELD_KEYS", WITHOUT_FILE):
        monkeypatch.delenv(name)
    seen = read(file)
    assert (seen.secret_key, seen.field_keys) == (values(file)["SECRET_KEY"], (values(file)["FIELD_KEYS"],))


def test_nobody_else_can_read_it(file):
    write(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_others_could_read_is_closed_to_them(file):
    write(file)
    file.chmod(0o644)
    write(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_second_run_changes_nothing_and_says_nothing(file):
    write(file)
    before = file.read_bytes()
    assert write(file) == ""
    assert file.read_bytes() == before


def test_no_secret_is_printed(file):
    said = write(file)
    assert said == "Wrote SECRET_KEY and FIELD_KEYS into .env\n"


def test_two_files_have_different_secrets(tmp_path):
    (tmp_path / "other").mkdir()
    for file in (tmp_path / ".env", tmp_path / "other" / ".env"):
        write(file)
    first, second = values(tmp_path / ".env"), values(tmp_path / "other" / ".env")
    assert not set(first.values()) & set(second.values())


@pytest.mark.parametrize(
    "line",
    ["FIELD_KEYS=mine", "export FIELD_KEYS=mine", 'FIELD_KEYS="mine"', "  FIELD_KEYS = mine", "FIELD_KEYS='mine'"],
)
def test_a_key_that_is_there_is_kept(file, line):
    file.write_text(f"# my settings\n{line}\nKOMMO_RATE=3")
    write(file)
    assert file.read_text().startswith(f"# my settings\n{line}\nKOMMO_RATE=3\nSECRET_KEY=")
    assert file.read_text().count("FIELD_KEYS") == 1


@pytest.mark.parametrize("line", ["SECRET_KEY=", "SECRET_KEY=''", 'export SECRET_KEY=""', "SECRET_KEY=  # later"])
def test_an_empty_assignment_makes_way(file, line):
    file.write_text(f"{line}\nFIELD_KEYS=mine\n")
    write(file)
    assert len(values(file)["SECRET_KEY"]) > 50
    assert file.read_text().count("SECRET_KEY") == 1


def test_a_key_in_a_comment_is_not_there(file):
    file.write_text("# FIELD_KEYS=old\n")
    write(file)
    assert values(file)["FIELD_KEYS"]
    assert file.read_text().startswith("# FIELD_KEYS=old\n")
