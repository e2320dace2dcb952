"""The call from Kommo to the integration's server: how it is written, sent and judged.

Source: protocol §1.2 (JSON or form with brackets), §1.4 (200 within 2 s, no retry).
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

import aiohttp

from sandbox.config import Encoding

ACK_SECONDS: Final = 2.0  # protocol §1.4
ACK_MAX_BYTES: Final = 64 * 1024
ACK_SHOWN_CHARS: Final = 2_000
CONTENT_TYPES: Final[Mapping[Encoding, str]] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A widget_request as it goes over the wire; sending it again sends the same bytes."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """What came back.

    Args:
        status: HTTP status; None when no answer came.
        ack_ms: from sending to the end of the answer, or until giving up.
        body: the answer's first characters.
        error: why there was no answer; empty when there was one.
    """

    status: int | None
    ack_ms: int
    body: str = ""
    error: str = ""

    @property
    def is_good(self) -> bool:
        """Only a 200 in time is an acknowledgement. Source: protocol §1.4."""
        return self.status == 200


def encode(*, url: str, token: str, data: Mapping[str, object], return_url: str, encoding: Encoding) -> Outgoing:
    """Write the three fields as the account's encoding says. Source: protocol §1.2."""
    fields: dict[str, Any] = {"token": token, "data": dict(data), "return_url": return_url}
    if encoding == "json":
        body = json.dumps(fields).encode()
    else:
        body = urlencode(list(_bracketed(fields)), quote_via=quote, errors="replace").encode()
    return Outgoing(url=url, headers={"Content-Type": CONTENT_TYPES[encoding]}, body=body)


def _bracketed(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Flatten JSON into `a[b][0]` pairs; every value becomes a text."""
    if isinstance(value, Mapping):
        items = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [(str(number), item) for number, item in enumerate(value)]
    else:
        yield name, "" if value is None or value is False else "1" if value is True else str(value)
        return
    for key, item in items:
        yield from _bracketed(item, f"{name}[{key}]" if name else key)


class Sender:
    """Sends widget_requests; belongs to one event loop.

    Each goes over a connection of its own: one kept open could be closed by the other side just as a request is
    written to it, and that would look like a bridge that does not answer.
    """

    def __init__(self, *, ack_seconds: float = ACK_SECONDS) -> None:
        """Make the client; proxies and netrc of the environment are not used."""
        self._ack_seconds = ack_seconds
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=ack_seconds),
            headers={"User-Agent": "kommo-sandbox", "Accept": "*/*"},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        """Give the sender itself."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Close what is open."""
        await self.close()

    async def send(self, outgoing: Outgoing) -> Acknowledgement:
        """Post once, follow no redirect, and say what came back. Never raises for what the other side does."""
        begun = time.monotonic()
        try:
            status, body = await self._post(outgoing)
        except TimeoutError:
            return Acknowledgement(status=None, ack_ms=_ms_since(begun), error=f"no answer in {self._ack_seconds:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Acknowledgement(status=None, ack_ms=_ms_since(begun), error=_plain(error))
        return Acknowledgement(status=status, ack_ms=_ms_since(begun), body=body)

    async def close(self) -> None:
        """Close what is open."""
        await self._session.close()

    async def _post(self, outgoing: Outgoing) -> tuple[int, str]:
        async with self._session.post(
            outgoing.url, data=outgoing.body, headers=outgoing.headers, allow_redirects=False
        ) as answer:
            body = await answer.content.read(ACK_MAX_BYTES)
            return answer.status, body.decode("utf-8", "replace")[:ACK_SHOWN_CHARS]


def _ms_since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)


def _plain(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to {error.host}:{error.port}"
    if isinstance(error, aiohttp.InvalidURL):
        return "the hook address is not a web address"
    return f"the connection broke ({type(error).__name__})"
