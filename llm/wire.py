"""The one HTTP client of all calls to vendors: where it may connect, and how much it reads.

Every connection goes to an address that `kommobridge.base.guard` has checked after resolving, so a name cannot point
elsewhere a moment later. No proxies, no netrc, no redirects, no cookies; an answer is read whole, up to 4 MB. What
happened is written into the call's own `Wire`, because libraries above fold a refused connection and a broken answer
into the same error.
"""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from time import time
from typing import cast

import httpcore
import httpx

from kommobridge.base.guard import AddressForbidden, resolve_checked
from llm.replies import CallError

ANSWER_MAX_BYTES = 4 * 1024 * 1024  # contract: more is a failure and isn't read further
KEPT_BYTES = 64 * 1024  # of a body, for the owner to read
CONNECT_TIMEOUT_S = 5.0
ADDRESSES_TRIED = 4
# httpcore looks at every connection of a pool with each request that begins or ends, so pools are kept small.
POOL_CALLS = 16
POOL_CONNECTIONS_MAX = 2 * POOL_CALLS
POOL_CONNECTIONS_IDLE = 8
IDLE_S = 30.0  # vendors close idle connections after a minute or more
RESOLVER_THREADS = 16  # a name server that hangs holds a thread for 10 s; one name holds one at most

# Never sent: they would tie our call to an organisation that the environment names.
DROPPED_HEADERS = frozenset({b"openai-organization", b"openai-project", b"cookie", b"proxy-authorization"})


@dataclass(slots=True)
class Wire:
    """What one call did on the network; filled by the transport.

    Args:
        requests: how many were asked for; only the first is sent.
        status: HTTP status; None when no answer came.
        retry_after_s: what the answer's Retry-After asks, in seconds.
        body: beginning of the answer.
        fault: what went wrong below HTTP.
    """

    requests: int = 0
    status: int | None = None
    retry_after_s: float | None = None
    body: bytes = field(default=b"", repr=False)
    fault: CallError = CallError.NONE


_wire: ContextVar[Wire] = ContextVar("llm_wire")


def begin_wire() -> Wire:
    """Start the record of a call; the transport finds it through the task's context."""
    wire = Wire()
    _wire.set(wire)
    return wire


class WireFault(httpx.TransportError):
    """A call failed below HTTP.

    Not one of httpx's own classes on purpose: on those, litellm asks a second time behind our back and closes the pool.
    """

    def __init__(self, fault: CallError) -> None:
        """Note the fault in the call's record, if it is one; the text has no address and no secret."""
        super().__init__(str(fault))
        wire = _wire.get()
        wire.fault = fault or wire.fault


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends one request per call, to checked addresses, and reads a bounded answer."""

    def __init__(self, *, allow_private: bool) -> None:
        """Begin without a pool; nothing connects yet."""
        self._backend = _CheckedBackend(allow_private=allow_private)
        self._pools: list[_Pool] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and give the whole answer.

        Raises:
            WireFault: no connection, forbidden address, too much, or a second request in one call.
        """
        wire = _wire.get()
        wire.requests += 1
        if wire.requests > 1:
            raise WireFault(CallError.NONE)  # the first answer decides
        try:
            return await self._exchange(request, wire)
        except httpcore.TimeoutException as error:
            raise WireFault(CallError.TIMEOUT) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
            raise WireFault(CallError.UNREACHABLE) from error

    async def _exchange(self, request: httpx.Request, wire: Wire) -> httpx.Response:
        with self._a_pool().taking_a_call() as connections:
            return await self._exchange_in(connections, request, wire)

    async def _exchange_in(
        self, connections: httpcore.AsyncConnectionPool, request: httpx.Request, wire: Wire
    ) -> httpx.Response:
        answer = await connections.handle_async_request(_outgoing(request))
        try:
            headers = httpx.Headers(answer.headers)
            wire.status = answer.status
            wire.retry_after_s = _retry_after(headers)
            body = await _read(cast(AsyncIterable[bytes], answer.stream), headers, wire)
        finally:
            await answer.aclose()
        if 300 <= answer.status < 400:
            raise WireFault(CallError.REDIRECTED)
        return httpx.Response(answer.status, headers=_kept(headers), content=body, request=request)

    def _a_pool(self) -> "_Pool":
        """Give the first pool that has room, so that few connections do what few can."""
        for pool in self._pools:
            if pool.calls < POOL_CALLS:
                return pool
        self._pools.append(_Pool(_connections(self._backend)))
        return self._pools[-1]

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools:
            await pool.connections.aclose()


@dataclass(slots=True)
class _Pool:
    """A few connections, and how many calls use them now."""

    connections: httpcore.AsyncConnectionPool
    calls: int = 0

    @contextmanager
    def taking_a_call(self) -> Iterator[httpcore.AsyncConnectionPool]:
        """Count a call for as long as it lasts."""
        self.calls += 1
        try:
            yield self.connections
        finally:
            self.calls -= 1


def _connections(backend: "_CheckedBackend") -> httpcore.AsyncConnectionPool:
    return httpcore.AsyncConnectionPool(
        ssl_context=_ssl_context(),
        max_connections=POOL_CONNECTIONS_MAX,
        max_keepalive_connections=POOL_CONNECTIONS_IDLE,
        keepalive_expiry=IDLE_S,
        network_backend=backend,
    )


def _outgoing(request: httpx.Request) -> httpcore.Request:
    """The request for the pool, without what we never send, and asking for a plain body."""
    url = request.url
    headers = [(k, v) for k, v in request.headers.raw if k.lower() not in DROPPED_HEADERS | {b"accept-encoding"}]
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=[*headers, (b"Accept-Encoding", b"identity")],
        content=cast(AsyncIterable[bytes], request.stream),
        extensions=request.extensions,
    )


async def _read(stream: AsyncIterable[bytes], headers: httpx.Headers, wire: Wire) -> bytes:
    """Read the body whole, unpacked; the beginning is kept in the wire as it comes."""
    inflate = _inflater(headers.get("content-encoding", "").strip().lower())
    if _announced_bytes(headers) > ANSWER_MAX_BYTES:
        raise WireFault(CallError.TOO_LARGE)
    raw_bytes, body = 0, bytearray()
    async for chunk in stream:
        raw_bytes += len(chunk)
        body += inflate(chunk)
        wire.body = bytes(body[:KEPT_BYTES]) if len(wire.body) < KEPT_BYTES else wire.body
        if max(raw_bytes, len(body)) > ANSWER_MAX_BYTES:
            raise WireFault(CallError.TOO_LARGE)
    return bytes(body)


class _Inflater:
    """Unpacks gzip or deflate, never more than the limit from one chunk."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: look at the head for gzip or zlib

    def __call__(self, chunk: bytes) -> bytes:
        try:
            return self._stream.decompress(chunk, ANSWER_MAX_BYTES + 1)
        except zlib.error:
            raise WireFault(CallError.UNREADABLE) from None


def _inflater(encoding: str) -> "type[bytes] | _Inflater":
    """What undoes the body's packing. We ask for none, but some servers pack all the same."""
    if encoding in ("", "identity"):
        return bytes
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Inflater()
    raise WireFault(CallError.UNREADABLE)


def _announced_bytes(headers: httpx.Headers) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def _kept(headers: httpx.Headers) -> list[tuple[bytes, bytes]]:
    """Headers for the libraries above: the body is unpacked by now, and cookies would cross tenants."""
    dropped = {b"content-encoding", b"content-length", b"transfer-encoding", b"set-cookie"}
    return [(name, value) for name, value in headers.raw if name.lower() not in dropped]


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that Retry-After asks for, as number or as date; None when it says nothing readable."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return _seconds_until(text)
    return seconds if 0 <= seconds < 1e6 else None


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time())
    except (ValueError, OverflowError):
        return None


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to an address that was checked, and to no other."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check, then try the addresses in order.

        Raises:
            WireFault: the address is forbidden or unknown.
            httpcore.NetworkError: none of them could be reached.
        """
        limit_s = min(timeout or CONNECT_TIMEOUT_S, CONNECT_TIMEOUT_S)
        failure: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError("no address")
        for address in (await self._addresses(host, port, limit_s))[:ADDRESSES_TRIED]:
            try:
                return await self._plain.connect_tcp(
                    address, port, timeout=limit_s, local_address=local_address, socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise WireFault(CallError.UNREACHABLE) from failure

    async def _addresses(self, host: str, port: int, limit_s: float) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(limit_s):
                return await _resolve(host, port, allow_private=self._allow_private)
        except AddressForbidden as error:
            raise WireFault(CallError.ADDRESS_FORBIDDEN) from error
        except (OSError, UnicodeError, TimeoutError) as error:
            raise WireFault(CallError.UNREACHABLE) from error

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: no vendor lives on a local socket.

        Raises:
            WireFault: always.
        """
        raise WireFault(CallError.ADDRESS_FORBIDDEN)

    async def sleep(self, seconds: float) -> None:
        """Wait; the pool asks for it between tries, of which we allow none."""
        await self._plain.sleep(seconds)


_resolving: dict[tuple[str, int, bool], "asyncio.Future[tuple[str, ...]]"] = {}  # touched by the loop's thread only


async def _resolve(host: str, port: int, *, allow_private: bool) -> tuple[str, ...]:
    """Look the host up in a thread of our own, once at a time for each name, so that one bad name holds one thread."""
    key = (host, port, allow_private)
    lookup = _resolving.get(key)
    if lookup is None or lookup.get_loop() is not asyncio.get_running_loop():
        lookup = asyncio.get_running_loop().run_in_executor(
            _resolver(), lambda: resolve_checked(host, port, allow_private=allow_private)
        )
        _resolving[key] = lookup
        lookup.add_done_callback(lambda done: _forget(key, done))
    return await asyncio.shield(lookup)


def _forget(key: tuple[str, int, bool], lookup: "asyncio.Future[tuple[str, ...]]") -> None:
    if _resolving.get(key) is lookup:
        del _resolving[key]
    if not lookup.cancelled():
        lookup.exception()  # seen, even when all who waited were cancelled


@cache
def _resolver() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=RESOLVER_THREADS, thread_name_prefix="llm-resolve")


@cache
def _ssl_context() -> ssl.SSLContext:
    """Trust store of the process: SSL_CERT_FILE or SSL_CERT_DIR where set, else the bundled one."""
    return httpx.create_ssl_context()
