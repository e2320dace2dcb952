"""One connection for one call: to an address that was checked, within a deadline that holds whatever the server does.

urllib3's time limits are per read, so a server that sends a byte now and then could hold a worker for ever. Here each
socket knows when its call ends and never waits beyond. The name is resolved once, and the connection goes to what was
checked, under the name's own SNI and certificate.
"""

import functools
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, cast

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from bots.kommo.errors import NotConnected
from kommobridge.base.guard import AddressForbidden, resolve, resolve_checked

ADDRESSES_MAX = 4  # of one name; each gets its share of the time to connect
LEAST_S = 0.001  # a time limit of zero would mean not to wait at all
# A resolver that is down keeps its thread for half a minute; more of them than this would only wait too.
LOOKUPS = threading.BoundedSemaphore(32)

Found = tuple[str, ...] | AddressForbidden | OSError


@dataclass(slots=True, kw_only=True)
class Call:
    """One call's limits, and how far it got.

    Attributes:
        host: name or address, without brackets.
        port: TCP port.
        is_secure: over TLS.
        exempt: the deployment named this origin itself: its addresses aren't checked.
        connect_by: monotonic seconds until which the connection must stand.
        deadline: monotonic seconds at which the call ends.
        has_begun: a byte of the request may have gone out.
    """

    host: str
    port: int
    is_secure: bool
    exempt: bool
    connect_by: float
    deadline: float
    has_begun: bool = False


class TimedSocket(socket.socket):
    """A socket whose reads and writes end at a deadline."""

    deadline = 0.0  # monotonic seconds; one that nobody set is over

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Read, until the deadline at most."""
        _arm(self)
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        """Write, until the deadline at most."""
        _arm(self)
        super().sendall(*args, **kwargs)


class TimedTLSSocket(ssl.SSLSocket):
    """The same over TLS, where sendall writes through send."""

    deadline = 0.0  # monotonic seconds; one that nobody set is over

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Read, until the deadline at most."""
        _arm(self)
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        """Write, until the deadline at most."""
        _arm(self)
        return super().send(*args, **kwargs)


def _arm(sock: TimedSocket | TimedTLSSocket) -> None:
    left = sock.deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the call's time is over")
    sock.settimeout(left)


class PlainConnection(HTTPConnection):
    """HTTP to a checked address; notes when the request begins to go out."""

    def __init__(self, *args: Any, call: Call, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.call = call

    def _new_conn(self) -> socket.socket:
        return connected(self.call)

    def send(self, data: Any) -> None:
        """Connect when that isn't done yet, then write."""
        if self.sock is None:
            self.connect()
        self.call.has_begun = True
        super().send(data)


class TLSConnection(PlainConnection, HTTPSConnection):
    """HTTPS to a checked address."""

    def connect(self) -> None:
        """Connect and shake hands within the time to connect.

        Raises:
            NotConnected: no connection, or the other side couldn't prove who it is.
        """
        try:
            super().connect()
        except TimeoutError:
            raise NotConnected("timeout", "Kommo didn't finish the TLS handshake in time.") from None
        except (HTTPError, OSError) as failed:
            raise NotConnected("tls", f"No secure connection to Kommo: {_tls_reason(failed)}.") from None
        cast("TimedTLSSocket", self.sock).deadline = self.call.deadline


class PlainPool(HTTPConnectionPool):
    """Makes the one plain connection."""

    ConnectionCls = PlainConnection


class TLSPool(HTTPSConnectionPool):
    """Makes the one TLS connection."""

    ConnectionCls = TLSConnection


class OneCallAdapter(HTTPAdapter):
    """Carries one request over one connection of its own: no pool, no retry, no proxy, nothing from the environment."""

    def __init__(self, call: Call) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self.call = call
        self.pool = (
            TLSPool(call.host, call.port, ssl_context=tls_context(), call=call)
            if call.is_secure
            else PlainPool(call.host, call.port, call=call)
        )

    def get_connection_with_tls_context(self, *_args: Any, **_kwargs: Any) -> HTTPConnectionPool:
        """Give the pool of this call's one connection."""
        return self.pool

    def cert_verify(self, *_args: Any, **_kwargs: Any) -> None:
        """Do nothing: the TLS context checks certificates already, and loading them anew costs 20 ms a call."""

    def close(self) -> None:
        """Close whatever is open."""
        super().close()
        self.pool.close()


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Give the one TLS context: known authorities, names checked, 1.2 or later, no key log from the environment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=DEFAULT_CA_BUNDLE_PATH)
    context.sslsocket_class = TimedTLSSocket
    return context


def connected(call: Call) -> TimedSocket:
    """Resolve once and connect to the first address that takes us.

    Raises:
        NotConnected: the name doesn't resolve, an address is forbidden, or none answers in time.
    """
    addresses = _addresses(call)[:ADDRESSES_MAX]
    timed_out = False
    for index, address in enumerate(addresses):
        left = (call.connect_by - time.monotonic()) / (len(addresses) - index)
        try:
            return _opened(address, call, within_s=left)
        except TimeoutError:
            timed_out = True
        except OSError:
            continue
    if timed_out:
        raise NotConnected("timeout", "Kommo didn't take the connection in time.")
    raise NotConnected("refused", "Kommo refused the connection.")


def _opened(address: str, call: Call, *, within_s: float) -> TimedSocket:
    sock = TimedSocket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(max(within_s, LEAST_S))
        sock.connect((address, call.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(max(call.connect_by - time.monotonic(), LEAST_S))  # the TLS handshake's share
    except BaseException:
        sock.close()
        raise
    sock.deadline = call.deadline
    return sock


def _addresses(call: Call) -> tuple[str, ...]:
    def look_up() -> tuple[str, ...]:
        if call.exempt:
            return resolve(call.host, call.port)
        return resolve_checked(call.host, call.port, allow_private=False)

    found = _within(call.connect_by - time.monotonic(), look_up)
    if isinstance(found, AddressForbidden):
        raise NotConnected("address", "The account's host resolves to an address that isn't public.")
    if found is None or isinstance(found, OSError):
        raise NotConnected("dns", "The name of the account's host can't be resolved.")
    return found


def _within(seconds: float, look_up: Callable[[], tuple[str, ...]]) -> Found | None:
    """Run a name lookup, which can't be interrupted, beside us; None when it takes too long."""
    answers: SimpleQueue[Found] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(look_up())
        except (AddressForbidden, OSError) as failed:
            answers.put(failed)
        finally:
            LOOKUPS.release()

    if not LOOKUPS.acquire(timeout=max(seconds, 0)):
        return None
    threading.Thread(target=run, name="kommo-lookup", daemon=True).start()
    try:
        return answers.get(timeout=max(seconds, 0))
    except Empty:
        return None


def _tls_reason(failed: Exception) -> str:
    """Give OpenSSL's own words, which hold no name or address of ours."""
    reason = getattr(failed, "verify_message", "") or getattr(failed, "reason", "") or type(failed).__name__
    return str(reason)[:100]
