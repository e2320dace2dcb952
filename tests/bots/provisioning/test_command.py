"""The command `manage.py provision`."""

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from tests.bots.provisioning.documents import KEY, a_document, acme

pytestmark = pytest.mark.django_db

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command as the command line does and give exit code, stdout and stderr."""

    def run_command(*arguments: str) -> tuple[int, str, str]:
        try:
            call_command("provision", *arguments)
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run_command


def test_the_command_tells_counts_and_addresses_and_ends_well(run: Run, tmp_path: Any):
    file = tmp_path / "acme.json"
    file.write_text(json.dumps(a_document()))

    code, out, err = run(str(file))

    assert (code, err) == (0, "")
    assert "created: accounts 1, members 1, providers 1, bots 1" in out
    assert f"Acme: http://127.0.0.1:8000/kommo/{KEY}/widget-request/" in out
    assert "secret" not in out


def test_the_command_reads_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(a_document(key="acme-key")).encode())))

    code, _, err = run("-")

    assert code == 0
    assert err == "accounts[0].key: is short and might be guessed. Use at least 20 characters.\n"
    assert acme().key == "acme-key"


def test_a_name_that_the_terminal_can_not_write_is_no_failure(tmp_path: Any, monkeypatch: pytest.MonkeyPatch):
    file, shown = tmp_path / "acme.json", io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    file.write_text(json.dumps(a_document(name="Чайная")))
    monkeypatch.setattr(sys, "stdout", shown)

    call_command("provision", str(file))

    assert rb"\u0427\u0430\u0439" in shown.buffer.getvalue()
    assert acme().name == "Чайная"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "FILE: must be given"),
        (("no-such-file.json",), "'no-such-file.json': can't be read (No such file or directory)"),
        (("tests",), "'tests': can't be read (Is a directory)"),
        (("pyproject.toml",), "the document: is not JSON: line 1, column"),
        (("a\0b",), "can't be read (not a file name)"),
    ],
    ids=["no file", "a missing file", "a folder", "not JSON", "no file name"],
)
def test_what_the_command_can_not_use_is_told_in_one_line(run: Run, arguments: tuple[str, ...], told: str):
    code, out, err = run(*arguments)

    assert (code, out) == (1, "")
    assert told in err
    assert err.count("\n") == 1
