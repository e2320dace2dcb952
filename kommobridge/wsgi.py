"""The entry for a web server: Django, with bodies of unknown length made readable and long ones refused politely.

Django reads as many bytes as Content-Length says and sees an empty body where it is absent. A chunked request has
none, so its body is read here, up to one byte more than any body that we take; whoever checks the size then refuses it.

A client that still sends when its connection is closed gets a reset instead of the answer. gunicorn reads some 64 KiB
more, which is too little for a client that sends a megabyte before it looks for our 413; so we read on for a while.
"""

import io
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from django.core.wsgi import get_wsgi_application
from gunicorn.http.errors import ParseException

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

BODY_MAX_BYTES = 256 * 1024  # contract
REST_MAX_BYTES = 8 * 1024 * 1024
REST_MAX_SECONDS = 2.0
PIECE_BYTES = 64 * 1024


class UnreadableBody(io.RawIOBase):
    """Stands for a body that broke off or wasn't chunked as it said; Django turns its error into its own."""

    def readable(self) -> bool:
        """Say that reading may be tried."""
        return True

    def readinto(self, buffer: object) -> int:
        """Refuse.

        Raises:
            OSError: always.
        """
        raise OSError("The request's body can't be read to its end.")


def reading_whole_bodies(application: Application) -> Application:
    """Wrap a WSGI application so that a chunked body has a length and a long one can be refused.

    Any other request passes unchanged.
    """

    def wrapped(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if _is_chunked(environ):
            body, length = _read(environ["wsgi.input"])
            environ["wsgi.input"] = body
            environ["CONTENT_LENGTH"] = str(length)
        answer = application(environ, start_response)
        return ThenTheRest(answer, environ["gunicorn.socket"]) if _is_too_long(environ) else answer

    return wrapped


class ThenTheRest:
    """An answer after which the rest of a body that is too long is read and thrown away, for a while."""

    def __init__(self, answer: Iterable[bytes], connection: socket.socket) -> None:
        """Take the answer and the connection that its request came by."""
        self.answer = answer
        self.connection = connection

    def __iter__(self) -> Iterator[bytes]:
        """Give the answer's parts."""
        return iter(self.answer)

    def close(self) -> None:
        """Close the answer, which the server has sent by now, and let the client send what it still has."""
        if hasattr(self.answer, "close"):
            self.answer.close()
        try:
            _throw_away(self.connection)
            self.connection.shutdown(socket.SHUT_RD)
        except OSError:
            return  # The client has gone, which is as good.


def _throw_away(connection: socket.socket) -> None:
    """Receive until the client ends, has sent more than `REST_MAX_BYTES` or took longer than `REST_MAX_SECONDS`."""
    deadline = time.monotonic() + REST_MAX_SECONDS
    received = 0
    while received < REST_MAX_BYTES and (seconds := deadline - time.monotonic()) > 0:
        connection.settimeout(seconds)
        piece = connection.recv(PIECE_BYTES)
        if not piece:
            return
        received += len(piece)


def _is_too_long(environ: Environ) -> bool:
    """Whether the body is longer than any that we take, and the server lets us read on."""
    length = environ.get("CONTENT_LENGTH") or ""
    return length.isdecimal() and int(length[:20]) > BODY_MAX_BYTES and "gunicorn.socket" in environ


def _is_chunked(environ: Environ) -> bool:
    """Whether the server has undone a chunked transfer and ends the input where the body ends."""
    codings = environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    return "chunked" in codings and bool(environ.get("wsgi.input_terminated")) and not environ.get("CONTENT_LENGTH")


def _read(source: IO[bytes]) -> tuple[IO[bytes] | UnreadableBody, int]:
    try:
        body = source.read(BODY_MAX_BYTES + 1)
    except (OSError, ParseException):
        return UnreadableBody(), 1
    return io.BytesIO(body), len(body)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kommobridge.settings")
application = reading_whole_bodies(get_wsgi_application())
