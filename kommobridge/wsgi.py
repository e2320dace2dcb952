"""The entry for a web server: Django, which gets whole bodies only, and a client that sends too much its answer.

Django reads as many bytes as Content-Length says, sees an empty body where it is absent (as in a chunked request), and
takes a body that broke off for a whole one. So every body of a length that we take is read here first: it reaches
Django whole, with its length, or not at all. A long one is left to be read by whoever wants it; Kommo's is refused.

A client that still sends when its connection is closed gets a reset instead of the answer. gunicorn reads some 64 KiB
more, which is too little for a client that sends a megabyte before it looks for our 413; so we read on for a while.
"""

import io
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from django.core.wsgi import get_wsgi_application
from gunicorn.http.errors import ParseException

from kommobridge.patience import PATIENCE, WHOLE_S

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

BODY_MAX_BYTES = 256 * 1024  # contract
REST_MAX_BYTES = 8 * 1024 * 1024
REST_MAX_SECONDS = 2.0
PIECE_BYTES = 64 * 1024

# Status and sentence for a body that isn't whole.
BROKEN = ("400 Bad Request", "body: must be sent to its end.")
LATE = ("408 Request Timeout", f"body: must arrive within {WHOLE_S:.0f} s, and sooner while many others are slow.")

log = logging.getLogger(__name__)


class BodyBrokeOff(OSError):
    """A body ended before its end; Django turns it into its own error."""


class PromisedBody(io.RawIOBase):
    """A body of a known length that can't be read to an earlier end: half a form is never taken for a whole one."""

    def __init__(self, source: IO[bytes], length: int) -> None:
        """Take what there is, and the bytes that were promised."""
        self.source = source
        self.left = length

    def readable(self) -> bool:
        """Say that reading may be tried."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer as much as it holds and give the number of bytes, 0 at the promised end.

        Raises:
            BodyBrokeOff: there is less than was promised.
        """
        piece = self.source.read(min(len(buffer), self.left))
        if self.left and not piece:
            raise BodyBrokeOff(f"{self.left} bytes of the request's body are missing.")
        self.left -= len(piece)
        buffer[: len(piece)] = piece
        return len(piece)


def reading_whole_bodies(application: Application) -> Application:
    """Wrap a WSGI application so that it gets whole bodies only, and a client that sends too much its answer.

    A body that breaks off is answered with 400 here, one that didn't come in time with 408 (`kommobridge.patience`).
    """

    def wrapped(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        connection: Any = environ.get("gunicorn.socket")
        if _length(environ) > BODY_MAX_BYTES:
            environ["wsgi.input"] = io.BufferedReader(PromisedBody(environ["wsgi.input"], _length(environ)))
        elif not _read_ahead(environ):
            return _refuse(start_response, *(LATE if PATIENCE.is_over(connection) else BROKEN))
        if _length(environ) > BODY_MAX_BYTES and connection:  # and it is still being read
            return ThenTheRest(application(environ, start_response), connection)
        PATIENCE.is_over(connection)
        return application(environ, start_response)

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


def _length(environ: Environ) -> int:
    """Give the length that the body has by its header; 0 when that says nothing."""
    length = environ.get("CONTENT_LENGTH") or ""
    return int(length[:20]) if length.isdecimal() else 0


def _is_chunked(environ: Environ) -> bool:
    """Whether the server has undone a chunked transfer and ends the input where the body ends."""
    codings = environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    return "chunked" in codings and bool(environ.get("wsgi.input_terminated")) and not environ.get("CONTENT_LENGTH")


def _read_ahead(environ: Environ) -> bool:
    """Put a body that is in memory, with its length, in the place of one on the wire; tell whether it was whole.

    A chunked body is read up to one byte more than we take. Who looks at the length refuses it then, and who doesn't
    can't read it.
    """
    is_chunked = _is_chunked(environ)
    wanted = BODY_MAX_BYTES + 1 if is_chunked else _length(environ)
    if not wanted:
        return True
    try:
        body = environ["wsgi.input"].read(wanted)
    except (OSError, ParseException):
        return False
    is_too_long = is_chunked and len(body) == wanted
    environ["wsgi.input"] = PromisedBody(io.BytesIO(), wanted) if is_too_long else io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body) if is_chunked else wanted)
    return is_chunked or len(body) == wanted


def _refuse(start_response: Callable[..., Any], status: str, detail: str) -> list[bytes]:
    """Answer in the form of every other refusal of a widget_request."""
    log.info("request refused", extra={"status": int(status[:3]), "code": "body"})
    told = json.dumps({"error": "body", "detail": detail}).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(told)))])
    return [told]


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kommobridge.settings")
application = reading_whole_bodies(get_wsgi_application())
