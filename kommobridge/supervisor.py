"""The process that keeps the others alive: the cluster of workers and, under `serve`, the web server.

django-q2 hangs for good when an idle worker is killed while it holds the queue's lock, and a signal to all its
processes makes it wait for ever. So its cluster runs in a process group of its own, is judged by its own progress, and
is replaced whole. The supervisor answers nothing itself: it sweeps (`bots.sweeping`), watches, and stops in time.
"""

import logging
import os
import select
import signal
import time
import uuid
from types import FrameType

from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.utils import timezone

from bots import sweeping
from kommobridge.processes import Group

TICK_S = 1.0
SWEEP_S = 2.0
STARTING_S = 15.0  # until then a silent cluster is still starting
STARTING_MAX_S = 120.0  # each one that was replaced before it gave a sign of life gives the next twice as long
STUCK_DUE_S = 6.0  # a worker that can takes within a second
STUCK_BEAT_S = 12.0  # an idle cluster gives a sign of life every 10 s, because the sweeper asks for one
SILENT_S = 20.0
STOP_WITHIN_S = 10.0  # contract: nothing of ours is left 15 s after SIGTERM
RESTART_PAUSE_S = 1.0

log = logging.getLogger(__name__)


class Supervisor:
    """Runs the cluster and, when an address is given, the web server, until it is told to stop."""

    def __init__(self, *, bind: str | None = None) -> None:
        """Prepare.

        Args:
            bind: HOST:PORT of the web server; None runs workers only.
        """
        self.web = Group(("web", "--bind", bind)) if bind else None
        self.cluster_name = uuid.uuid4().hex[:12]
        self.cluster = Group(())
        self.starting_s = STARTING_S
        self.judged_from = 0.0  # by the monotonic clock; before, silence means nothing
        self.heard_at = 0.0  # when any worker, of whichever cluster, gave its last sign of life
        self.stop_pipe: tuple[int, int] | None = None
        self.wake_read, self.wake_write = os.pipe()
        self.stopping = False

    def run(self) -> int:
        """Run until SIGTERM or SIGINT.

        Returns:
            Exit code: 0 after a stop, 1 when the web server could not start.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told_to_stop)
        self._start_cluster()
        if self.web:
            self.web.start()
        code = self._watch()
        self._stop_all()
        return code

    def _told_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True
        os.write(self.wake_write, b"x")

    def _watch(self) -> int:
        last_sweep = 0.0
        while not self.stopping:
            if self.web and not self.web.is_running:
                log.error("web server ended", extra={"exit_code": self.web.exit_code})
                return 1
            if not self.cluster.is_running:
                self._replace_cluster("ended")
            if time.monotonic() - last_sweep > SWEEP_S:
                last_sweep = time.monotonic()
                self._sweep()
            select.select([self.wake_read], [], [], TICK_S)
        return 0

    def _sweep(self) -> None:
        try:
            close_old_connections()
            now = timezone.now()
            everyone = sweeping.sweep(now)
            own = sweeping.survey(now, cluster=self.cluster_name)
        except DatabaseError as error:
            log.warning("sweep failed", extra={"error_type": type(error).__name__})
            self.judged_from = max(self.judged_from, time.monotonic() + SILENT_S)  # they could not write either
            return
        if own.beat_age_s is not None:
            self.starting_s = STARTING_S
        if everyone.beat_age_s is not None:
            self.heard_at = max(self.heard_at, time.monotonic() - everyone.beat_age_s)
        if time.monotonic() > self.judged_from and is_stuck(own, silent_s=time.monotonic() - self.heard_at):
            self._replace_cluster("stuck")

    def _replace_cluster(self, why: str) -> None:
        log.warning("worker cluster replaced", extra={"why": why})
        self.starting_s = min(2 * self.starting_s, STARTING_MAX_S)
        self._release_pipe()
        self.cluster.kill()
        select.select([self.wake_read], [], [], RESTART_PAUSE_S)
        if not self.stopping:
            self._start_cluster()

    def _start_cluster(self) -> None:
        read, write = os.pipe()
        self.stop_pipe = (read, write)
        self.cluster = Group(("cluster", "--stop-fd", str(read), "--cluster", self.cluster_name))
        self.cluster.start(pass_fds=[read])
        self.judged_from, self.heard_at = time.monotonic() + self.starting_s, time.monotonic()

    def _release_pipe(self) -> None:
        """Close both ends: the pumps see the end of the pipe and drain."""
        if self.stop_pipe:
            for end in self.stop_pipe:
                os.close(end)
            self.stop_pipe = None

    def _stop_all(self) -> None:
        log.info("stopping")
        deadline = time.monotonic() + STOP_WITHIN_S
        groups = [group for group in (self.cluster, self.web) if group]
        self._release_pipe()
        for group in groups:
            group.terminate()
        while time.monotonic() < deadline and any(group.is_running for group in groups):
            time.sleep(0.05)
        for group in groups:
            group.kill()
        log.info("stopped")


def is_stuck(own: sweeping.Survey, *, silent_s: float) -> bool:
    """Say whether a cluster hangs.

    Either there is work that is due for long and no sign of life of its own; or, with or without work, nobody gives
    one although the sweeper asks. (Of several clusters one may well be silent: another was quicker.)

    Args:
        own: what is seen of this cluster.
        silent_s: seconds since anybody gave a sign of life.
    """
    if silent_s > SILENT_S:
        return True
    beats = own.beat_age_s is not None and own.beat_age_s < STUCK_BEAT_S
    return not beats and own.oldest_due_s is not None and own.oldest_due_s > STUCK_DUE_S
