"""When the supervisor takes a cluster for stuck, and what becomes of the processes that it starts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bots.sweeping import QUIET, Survey
from kommobridge.processes import Group
from kommobridge.supervisor import SILENT_S, STUCK_BEAT_S, STUCK_DUE_S, SWEEP_S, is_stuck
from tests.rig import PROJECT
from tests.waiting import wait_until

LATE, SOON = STUCK_DUE_S + 0.1, STUCK_DUE_S - 0.1
OLD, FRESH = STUCK_BEAT_S + 0.1, STUCK_BEAT_S - 0.1


IDLE = Survey(oldest_due_s=None, beat_age_s=None)


@pytest.mark.parametrize(
    ("oldest_due_s", "beat_age_s", "stuck"),
    [
        (LATE, OLD, True),
        (LATE, None, True),
        (LATE, FRESH, False),
        (SOON, OLD, False),
        (SOON, None, False),
        (None, OLD, False),
        (None, None, False),
    ],
    ids=[
        "late work and an old sign of life", "late work and never a sign of life", "late work but a fresh sign of life",
        "work that is due since a moment", "the same without any sign of life", "nothing to do", "nothing at all",
    ],
)  # fmt: skip
def test_beside_others_a_cluster_is_stuck_when_it_leaves_work_undone_and_gives_no_sign_of_life(
    *, oldest_due_s: float | None, beat_age_s: float | None, stuck: bool
):
    assert is_stuck(Survey(oldest_due_s=oldest_due_s, beat_age_s=beat_age_s), silent_s=1.0) is stuck


@pytest.mark.parametrize(
    ("silent_s", "stuck"), [(SILENT_S - 0.1, False), (SILENT_S + 0.1, True)], ids=["lately", "not for long"]
)
def test_a_cluster_is_stuck_when_nobody_gives_a_sign_of_life_although_there_is_no_work(*, silent_s: float, stuck: bool):
    assert is_stuck(IDLE, silent_s=silent_s) is stuck


def test_the_sweeper_asks_for_a_sign_of_life_long_before_silence_counts():
    assert 2 * (QUIET.total_seconds() + SWEEP_S) <= SILENT_S


def alive(pid: int) -> bool:
    """Whether a process runs; one that is only not yet collected doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_command_that_ends_by_itself_tells_its_exit_code():
    group = Group(("no-such-command",))
    with open(os.devnull, "wb") as nowhere:
        group.start(output=nowhere)

    wait_until(lambda: not group.is_running)
    assert group.exit_code == 1
    group.kill()


def test_a_group_that_was_never_started_can_be_stopped_and_killed():
    group = Group(("web",))

    group.terminate()
    group.kill()

    assert (group.is_running, group.exit_code) == (False, None)


# A parent that starts a child of ours and says its number; then it waits to be killed.
PARENT = """
import sys
from kommobridge.processes import Group
group = Group(("web", "--bind", "127.0.0.1:0"))
group.start()
print(group.process.pid, flush=True)
sys.stdin.read()
"""


def test_a_child_dies_with_its_parent_even_when_that_is_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert parent.stdin
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert alive(child)

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    wait_until(lambda: not alive(child))
    parent.stdin.close()
    parent.stdout.close()
