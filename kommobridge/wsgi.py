"""The entry for a web server: Django, with bodies of unknown length made readable.

Django reads as many bytes as Content-Length says and sees an empty body where it is absent. A chunked request has
none, so its body is read here, up to one byte more than any body that we take; whoever checks the size then refuses it.
"""

import io
import os
from collections.abc import Callable, Iterable
from typing import IO, Any

from django.core.wsgi import get_wsgi_application
from gunicorn.http.errors import ParseException

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

BODY_MAX_BYTES = 256 * 1024  # contract, architecture section 7


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


def reading_chunked_bodies(application: Application) -> Application:
    """Wrap a WSGI application so that a chunked body has a length; any other request passes unchanged."""

    def wrapped(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if _is_chunked(environ):
            body, length = _read(environ["wsgi.input"])
            environ["wsgi.input"] = body
            environ["CONTENT_LENGTH"] = str(length)
        return application(environ, start_response)

    return wrapped


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
application = reading_chunked_bodies(get_wsgi_application())
