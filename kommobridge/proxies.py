"""Whose word counts on where a request came from.

`X-Forwarded-For`, `-Proto` and `-Host` are texts that anybody can send. They count when the connection itself comes
from an address of `TRUSTED_PROXIES`; otherwise nothing after this middleware sees them.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

FOR = "HTTP_X_FORWARDED_FOR"
PROTO = "HTTP_X_FORWARDED_PROTO"
HOST = "HTTP_X_FORWARDED_HOST"
# Never read by us, so that nobody downstream begins to.
OTHERS = (
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
    "HTTP_FORWARDED",
)


class TrustedProxies:
    """Middleware that sets REMOTE_ADDR to the client and drops forwarded headers that nobody vouches for.

    From a trusted peer one value of `X-Forwarded-Proto` and `-Host` remains, the one that the outermost trusted proxy
    wrote; `X-Forwarded-For` is used up.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Read the trusted networks once."""
        self.get_response = get_response
        self.trusted = tuple(ipaddress.ip_network(name, strict=False) for name in settings.TRUSTED_PROXIES)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Settle the request's origin, then answer it."""
        self._settle(request.META)
        return self.get_response(request)

    def _settle(self, meta: dict[str, str]) -> None:
        forwarded_for = _values(meta.pop(FOR, ""))
        proto, host = _values(meta.pop(PROTO, "")), _values(meta.pop(HOST, ""))
        for name in OTHERS:
            meta.pop(name, None)
        peer = parse_address(meta.get("REMOTE_ADDR", ""))
        if peer is None or not is_in(peer, self.trusted):
            return
        client, hops = nearest_untrusted(peer, forwarded_for, self.trusted)
        meta["REMOTE_ADDR"] = str(client)
        _keep(meta, PROTO, _of_outermost(proto, hops, forwarded_for).lower(), allowed=("http", "https"))
        _keep(meta, HOST, _of_outermost(host, hops, forwarded_for))


def nearest_untrusted(peer: Address, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> tuple[Address, int]:
    """Walk from our peer towards the client, as long as each address is a proxy that we trust.

    Args:
        peer: the trusted address that the connection comes from.
        forwarded_for: addresses as the proxies wrote them, each the peer of its writer; the last is the nearest.
        trusted: networks of our proxies.

    Returns:
        The first address that isn't one of ours, or the farthest of ours when a proxy wrote something else than an
        address; and how many values of the list were believed.
    """
    client = peer
    for hops, text in enumerate(reversed(forwarded_for), start=1):
        address = parse_address(text)
        if address is None:
            return client, hops - 1
        client = address
        if not is_in(address, trusted):
            return client, hops
    return client, len(forwarded_for)


def parse_address(text: str) -> Address | None:
    """Read an address, with or without brackets and port; an IPv4 address in IPv6 clothes becomes IPv4."""
    text = text.strip()
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::[0-9]{1,5})?", text)
    with_port = re.fullmatch(r"([0-9.]+):[0-9]{1,5}", text)
    found = bracketed or with_port
    try:
        address = ipaddress.ip_address(found.group(1) if found else text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks."""
    return any(address in network for network in networks)


def _values(header: str) -> list[str]:
    return [value.strip() for value in header.split(",")] if header.strip() else []


def _of_outermost(values: list[str], hops: int, forwarded_for: list[str]) -> str:
    """Take the value that the outermost proxy we trust wrote: its place in X-Forwarded-For tells which.

    Lists of another length say nothing about places; then our peer's own value, the last, is the only sure one.
    """
    if not values:
        return ""
    return values[-hops] if hops and len(values) == len(forwarded_for) else values[-1]


def _keep(meta: dict[str, str], name: str, value: str, *, allowed: tuple[str, ...] = ()) -> None:
    if value and (not allowed or value in allowed):
        meta[name] = value
