"""The Python for .venv is found, or its lack is told in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kommobridge.base.environment import PROJECT_DIR

SCRIPT = PROJECT_DIR / "scripts" / "find-python.sh"


def find(**environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    return subprocess.run(["/bin/sh", str(SCRIPT)], env=kept | environment, capture_output=True, text=True, check=False)


@pytest.fixture
def old_python(tmp_path: Path) -> Path:
    """A program that says of itself that it isn't new enough."""
    program = tmp_path / "old-python"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    return program


def test_the_one_that_is_named_is_taken():
    assert find(PYTHON=sys.executable).stdout.strip() == sys.executable


def test_one_is_found_without_a_name():
    done = find()
    assert done.returncode == 0
    command = [done.stdout.strip(), "-c", "import sys; print(sys.version_info >= (3, 11))"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"


def test_a_name_that_cant_be_used_is_told_with_the_remedy(old_python):
    done = find(PYTHON=str(old_python))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"PYTHON={old_python} can't be used")
    assert done.stderr.count("\n") == 1
    assert "apt-get install python3.11" in done.stderr


def test_a_name_of_nothing_is_told_too():
    assert find(PYTHON="/nonexistent/python").returncode == 1
