"""The outbound guard: to which addresses this program may talk.

Two questions, asked at two times. When an address is saved, `check_base_url` looks at its spelling. When it is called,
`resolve_checked` resolves its name once and hands back the addresses to connect to, so that a name can't point at a
public address while it is checked and at a private one while it is used.
"""

import ipaddress
import re
import socket

from kommobridge.base.faults import Fault, Faulty

SWITCH = "LLM_ALLOW_PRIVATE_HOSTS=1"

# What `ipaddress` of one Python version or another calls global, and what isn't a host on the internet.
NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(net)
    for net in ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4")
)
NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "3fff::/20", "64:ff9b:1::/48", "5f00::/16")
)
GLOBAL_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
V4_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")

URL_MAX_CHARS = 2000
URL_SHAPE = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*)",
    re.IGNORECASE | re.ASCII,
)
LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
LOCAL_SUFFIXES = ("localhost", "local", "internal")  # names that no public server can have
DEFAULT_PORTS = {"https": 443, "http": 80}


class AddressForbidden(Faulty):
    """An address is one that this program must not talk to."""


IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: str) -> bool:
    """Say whether an IP address belongs to one host on the public internet.

    IPv6 forms that carry an IPv4 address (mapped, 6to4, NAT64) are judged by the address within. Names, odd spellings
    and addresses with a zone are not addresses here: False.
    """
    parsed = _parsed(address)
    return parsed is not None and _is_public(parsed)


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Look a name up once; addresses in the resolver's order, each one once, unchecked.

    Raises:
        OSError: the name doesn't resolve (a name that can't be one counts so too).
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolve_checked(host: str, port: int, *, allow_private: bool) -> tuple[str, ...]:
    """Look a name up once and refuse it when any of its addresses may not be called.

    Args:
        host: name or IP address, IPv6 without brackets.
        port: TCP port, for the resolver only.
        allow_private: addresses of the own machine and network pass; link-local ones (cloud metadata services live
            there) and multicast never do.

    Returns:
        The addresses to connect to; connect to these and don't resolve again.

    Raises:
        AddressForbidden: an address isn't allowed.
        OSError: the name doesn't resolve.
    """
    addresses = resolve(host, port)
    for address in addresses:
        if not _may_call(address, allow_private=allow_private):
            rule = "must not resolve to an address of a private network or of this machine"
            raise AddressForbidden(Fault("host", rule, _way_out(allow_private=allow_private)))
    return addresses


def check_base_url(url: str, *, allow_private: bool) -> str:
    """Check the spelling of an LLM's base URL and hand it back in its one normal form.

    Args:
        url: as a person typed it, for example `https://llm.example.com/v1/`.
        allow_private: http and hosts of the own network pass too.

    Returns:
        Scheme and host in lower case, no default port, no slash at the end.

    Raises:
        AddressForbidden: the fault's field is `api_base`.
    """
    match = URL_SHAPE.fullmatch(url)
    if match is None or len(url) > URL_MAX_CHARS:
        rule = "must be scheme, host, optional port and path, in plain ASCII, without user name, query or fragment"
        raise _refused(rule, "Write it like https://llm.example.com/v1.")
    scheme = match["scheme"].lower()
    if scheme == "http" and not allow_private:
        raise _refused("must begin with https://", f"For a server of your own network the operator sets {SWITCH}.")
    host = _checked_host(match["host"].lower(), allow_private=allow_private)
    port = _port_suffix(match["port"], scheme)
    return f"{scheme}://{host}{port}{_checked_path(match['path'])}"


def _refused(rule: str, remedy: str) -> AddressForbidden:
    return AddressForbidden(Fault("api_base", rule, remedy))


def _checked_host(host: str, *, allow_private: bool) -> str:
    literal = host.strip("[]") if host.startswith("[") else host
    if host.startswith("[") or NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
        return _checked_address(literal, bracketed=host.startswith("["), allow_private=allow_private)
    labels = host.split(".")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise _refused("must name a proper host", "Write it like https://llm.example.com/v1.")
    if not allow_private and (len(labels) == 1 or _is_local_name(host)):
        raise _refused("must not name a host of the local network", _way_out(allow_private=allow_private))
    return host


def _checked_address(literal: str, *, bracketed: bool, allow_private: bool) -> str:
    parsed = _parsed(literal)
    if parsed is None or bracketed != (parsed.version == 6):
        raise _refused("must spell an IP address the usual way", "Write it like 203.0.113.7, or use a name.")
    if not _may_call(literal, allow_private=allow_private):
        rule = "must not be an address of a private network or of this machine"
        raise _refused(rule, _way_out(allow_private=allow_private))
    return f"[{parsed.compressed}]" if bracketed else parsed.compressed


def _port_suffix(port: str | None, scheme: str) -> str:
    if port is None:
        return ""
    if not 1 <= int(port) <= 65535:
        raise _refused("must have a port from 1 to 65535", "Leave the port out for the usual one.")
    return "" if int(port) == DEFAULT_PORTS[scheme] else f":{int(port)}"


def _checked_path(path: str) -> str:
    trimmed = path.rstrip("/")
    if "//" in trimmed or re.search(r"/(?:\.|%2e){1,2}(?:/|$)|%(?![0-9a-f]{2})|%(?:2f|5c|00|0a|0d)", trimmed, re.I):
        raise _refused("must have a plain path", "Leave out empty and dotted parts.")
    return trimmed


def _is_local_name(host: str) -> bool:
    return any(host == suffix or host.endswith(f".{suffix}") for suffix in LOCAL_SUFFIXES)


def _way_out(*, allow_private: bool) -> str:
    if allow_private:
        return "Link-local and multicast addresses are never called."
    return f"Use a public address; for a server of your own network the operator sets {SWITCH}."


def _parsed(address: str) -> IPAddress | None:
    """Read an address in its usual spelling only; zones and everything else give None."""
    if "%" in address or not address.isascii():
        return None
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


def _may_call(address: str, *, allow_private: bool) -> bool:
    if is_public(address):
        return True
    parsed = _parsed(address)
    return allow_private and parsed is not None and not _is_never_called(parsed)


def _is_never_called(address: IPAddress) -> bool:
    inner = _inner_v4(address) or address
    return inner.is_link_local or inner.is_multicast


def _is_public(address: IPAddress) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast and not any(address in net for net in NOT_PUBLIC_V4)
    inner = _inner_v4(address)
    if inner is not None:
        return _is_public(inner)
    return address in GLOBAL_UNICAST_V6 and address.is_global and not any(address in net for net in NOT_PUBLIC_V6)


def _inner_v4(address: IPAddress) -> ipaddress.IPv4Address | None:
    """Unwrap the IPv4 address that a mapped, 6to4 or NAT64 address leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in V4_MAPPED or address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.sixtofour
