"""Processes that end with their parent, and groups of them."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from kommobridge.base.environment import PROJECT_DIR

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies (Linux; elsewhere the closed pipe tells the pumps)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def children_die_with_us() -> None:
    """Have every process that this one forks, and those that they fork, end with its parent."""
    os.register_at_fork(after_in_child=die_with_parent)


@dataclass(slots=True)
class Group:
    """A command of ours in a process group of its own, which is started, told to stop and, if need be, killed whole."""

    arguments: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None

    def start(
        self,
        *,
        pass_fds: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
        output: IO[bytes] | None = None,
    ) -> None:
        """Start the command; it ends when this process ends.

        Args:
            pass_fds: open files that it inherits.
            environment: instead of this process's own.
            output: where both its outputs go; None leaves them where ours go.
        """
        self.process = subprocess.Popen(  # noqa: S603  our own interpreter and our own arguments
            [sys.executable, str(PROJECT_DIR / "manage.py"), *self.arguments],
            start_new_session=True,
            pass_fds=pass_fds,
            preexec_fn=die_with_parent,  # noqa: PLW1509  the supervisor has one thread
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
        )

    @property
    def is_running(self) -> bool:
        """Whether its first process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How its first process ended; None while it lives."""
        return self.process.poll() if self.process else None

    def terminate(self) -> None:
        """Ask its first process alone to stop: a signal to all of them hangs a django-q2 cluster."""
        if self.process and self.is_running:
            self.process.terminate()

    def kill(self) -> None:
        """Kill every process of the group and collect the first."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):  # all gone already
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
