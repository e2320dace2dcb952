"""A server on a real socket that answers with whatever bytes a test wants, and remembers what reached it."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

Answering = Callable[[socket.socket], None]

ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 8\r\n\r\nAccepted"


def sends(*pieces: bytes) -> Answering:
    """Answer with these bytes and close."""

    def answer(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return answer


ACCEPTS = sends(ACCEPTED)


def response(status: str, body: bytes = b"", content_type: str = "application/json", **headers: str) -> bytes:
    """Write a whole response; underscores in header names become hyphens."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class RawServer:
    """Listens on loopback, one thread per connection.

    Attributes:
        requests: each whole request that was read.
        connections: how many were accepted.
        stopped: set when the server goes; answers that would last for ever wait for it.
    """

    def __init__(self, answer: Answering = ACCEPTS, *, tls: ssl.SSLContext | None = None, reads: bool = True) -> None:
        self.answer, self.tls, self.reads = answer, tls, reads
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
        for thread in self._threads:
            thread.join(10)

    def close(self) -> None:
        """Take no more connections, and end the answers that wait."""
        self.stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, plain: socket.socket) -> None:
        with plain, suppress(OSError):
            plain.settimeout(10)
            connection = self.tls.wrap_socket(plain, server_side=True) if self.tls else plain
            with connection:
                if self.reads:
                    self.requests.append(_whole_request(connection))
                self.answer(connection)


def _whole_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.splitlines() if line.lower().startswith(b"content-length:")]
    while len(body) < int(lengths[0] if lengths else 0):
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body
