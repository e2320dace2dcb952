"""Nobody's folder stays, and nobody else's goes."""

import subprocess
import sys

import pytest

from tests.folders import OWNER, new_folder


@pytest.fixture
def prefix(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return "planted-"


def test_a_folder_of_a_process_that_is_gone_is_removed(prefix, tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / "planted-old"
    left.mkdir()
    (left / OWNER).write_text(str(gone.pid))
    (left / "data").mkdir()
    new_folder(prefix)
    assert not left.exists()


def test_a_folder_of_a_living_process_stays(prefix):
    first = new_folder(prefix)
    assert new_folder(prefix) != first
    assert first.exists()


@pytest.mark.parametrize("owner", [None, "", "nonsense", "-"])
def test_a_folder_that_doesnt_say_whose_it_is_stays(prefix, tmp_path, owner):
    folder = tmp_path / "planted-somebodys"
    folder.mkdir()
    if owner is not None:
        (folder / OWNER).write_text(owner)
    new_folder(prefix)
    assert folder.exists()
