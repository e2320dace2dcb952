"""Static files are collected with nobody's settings, and only when something changed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kommobridge.base.environment import PROJECT_DIR

pytestmark = pytest.mark.processes


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a copy of the program, so that this checkout's own collection stays as it is."""
    copy = tmp_path / "a checkout"
    copy.mkdir()
    for name in ("kommobridge", "bots", "llm", "sandbox", "scripts", "templates"):
        if (PROJECT_DIR / name).exists():
            shutil.copytree(PROJECT_DIR / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / ".env").write_text("DATABASE_URL=nonsense\nLOG_LEVEL=LOUD\n")
    return copy


def collect(checkout: Path) -> str:
    hostile = os.environ | {"DATABASE_URL": "nonsense", "SECRET_KEY": "short", "KOMMOBRIDGE_WITHOUT_ENV_FILE": ""}
    command = [sys.executable, "-m", "scripts.collect_static"]
    return subprocess.run(command, cwd=checkout, env=hostile, capture_output=True, text=True, check=True).stdout


def test_files_get_hashed_names_whatever_the_settings_and_only_once(checkout):
    assert collect(checkout) == "Collecting static files\n"
    paths = json.loads((checkout / "var/static/staticfiles.json").read_text())["paths"]
    assert paths["admin/css/base.css"].startswith("admin/css/base.")
    assert (checkout / "var/static" / paths["admin/css/base.css"]).is_file()
    assert collect(checkout) == ""


def test_a_changed_source_is_collected_anew(checkout):
    collect(checkout)
    source = checkout / "bots" / "static" / "planted.css"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text("a { color: red }")
    assert collect(checkout) == "Collecting static files\n"
    assert "planted.css" in json.loads((checkout / "var/static/staticfiles.json").read_text())["paths"]
