"""How long a client may take to send a request, so that slow ones never hold all threads of a web process.

The oldest half of what a process is reading gets `WHOLE_S` for a whole request. Whoever comes on top of that gets
`BRIEF_S`, a hundred times what a client needs that has its request ready; so the other half of the threads is free
again in no time, however many clients drip.

Time is up when nothing more is received: the reader, which waits in `recv` wherever it is, sees the end of the stream.
What had arrived by then is still read, so a request that is whole is never lost.
"""

import contextlib
import socket
import threading
import time

WHOLE_S = 10.0
BRIEF_S = 0.5
LOOK_S = 0.1


class Patience:
    """The requests that a process is reading, oldest first, and who ends those that take too long.

    Args:
        seats: how many may take up to `WHOLE_S`.
    """

    def __init__(self, *, seats: int) -> None:
        """Begin with nothing to read; the thread that looks starts with the first request, hence after any fork."""
        self.seats = seats
        self._since: dict[socket.socket, float] = {}
        self._ended: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._watcher: threading.Thread | None = None

    def begins(self, connection: socket.socket) -> None:
        """Say that a request is going to be read from a connection."""
        with self._changed:
            self._since[connection] = time.monotonic()
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="patience", daemon=True)
                self._watcher.start()
            self._changed.notify()

    def is_over(self, connection: socket.socket) -> bool:
        """Say that nothing more is read, and tell whether it was ended; a connection that is unknown wasn't."""
        with self._changed:
            self._since.pop(connection, None)
            ended = connection in self._ended
            self._ended.discard(connection)
            return ended

    def _watch(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._since)
                self._end_the_slow(time.monotonic())
            time.sleep(LOOK_S)

    def _end_the_slow(self, now: float) -> None:
        for place, (connection, since) in enumerate(list(self._since.items())):
            if now - since > (WHOLE_S if place < self.seats else BRIEF_S):
                del self._since[connection]
                self._ended.add(connection)
                with contextlib.suppress(OSError):  # the client has gone by itself
                    connection.shutdown(socket.SHUT_RD)


PATIENCE = Patience(seats=16)
