import asyncio
import json
import stat
import threading
from functools import partial

import pytest

from sandbox.journal import Journal, JournalFile
from sandbox.server import SandboxServer
from tests.sandbox.bridge import an_account, resume, success


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _has_seven_entries(sandbox):
    return len(sandbox.journal) == 7


def test_an_answer_leaves_only_when_its_entry_is_in_the_file(bridge, tmp_path):
    path = tmp_path / "journal.jsonl"
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url)]}, journal_path=path, rate=0) as sandbox:
        for number in range(20):
            url = sandbox.say(f"c{number}", "hi").return_url
            assert resume(url, success(f"answer {number}")).status_code == 202

            accepted = [entry for entry in lines_of(path) if entry["kind"] == "continue_accepted"]
            assert accepted[-1]["body"]["data"]["message"] == f"answer {number}"


def test_the_file_holds_the_journal_and_grows_over_restarts(bridge, tmp_path):
    path = tmp_path / "journal.jsonl"
    kept = []
    for _ in range(2):
        with SandboxServer({"accounts": [an_account(hook_url=bridge.url)]}, journal_path=path) as sandbox:
            resume(sandbox.say("anna", "Ñandú 😀").return_url, success())
            sandbox.wait_until(partial(_has_seven_entries, sandbox))
            kept += json.loads(json.dumps(sandbox.journal))

    assert lines_of(path) == kept


def test_the_file_is_for_its_owner_alone(bridge, tmp_path):
    path = tmp_path / "journal.jsonl"
    with SandboxServer({"accounts": [an_account(hook_url=bridge.url)]}, journal_path=path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_stops_the_start_with_a_sentence(tmp_path):
    with (
        pytest.raises(ValueError, match=r"--journal: cannot write .*nowhere"),
        SandboxServer(journal_path=tmp_path / "nowhere" / "journal.jsonl"),
    ):
        pass


def test_half_a_surrogate_pair_is_kept_as_its_escape(tmp_path):
    path = tmp_path / "journal.jsonl"

    async def write():
        journal = Journal(JournalFile(path))
        journal.note("message", text="a\ud83d b")
        await journal.close()

    asyncio.run(write())

    assert lines_of(path)[0]["text"] == "a\ud83d b"


def test_many_waiters_share_few_writes():
    class Counting:
        def __init__(self):
            self.writes, self.gate = 0, threading.Event()

        def write(self, _lines):
            self.gate.wait(5)
            self.writes += 1

        def close(self):
            pass

    async def write():
        file = Counting()
        journal = Journal(file)

        async def one(number):
            journal.note("entry", number=number)
            await journal.settled()

        waiting = [asyncio.create_task(one(number)) for number in range(100)]
        await asyncio.sleep(0)
        file.gate.set()
        await asyncio.gather(*waiting)
        await journal.close()
        return file.writes

    assert asyncio.run(write()) <= 3


def test_a_full_disk_fails_the_answer_and_not_only_the_file():
    class Full:
        def write(self, _lines):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    async def write():
        journal = Journal(Full())
        journal.note("entry")
        await journal.settled()

    with pytest.raises(OSError, match="No space left"):
        asyncio.run(write())
