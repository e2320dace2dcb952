"""To which addresses the program may talk."""

import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kommobridge.base.guard import AddressForbidden, check_base_url, is_public, resolve_checked

PUBLIC = [
    "8.8.8.8",
    "93.184.215.14",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.0",
    "2606:4700:4700::1111",
    "2a00:1450:4001:800::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]
NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700:4700::1111%1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "100::1",
    "2001:db8::1",
    "2001::1",
    "3fff::1",
    "5f00::1",
    "4000::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::8.8.8.8",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2002:a9fe:a9fe::",
]
NO_ADDRESS = [
    "",
    "localhost",
    "8.8.8",
    "2130706433",
    "0x8.8.8.8",
    "08.8.8.8",
    "8.8.8.8 ",
    "8.8.8.8:53",
    "[::1]",
    "٨.٨.٨.٨",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_host_on_the_internet_is_public(address: str):
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_no_single_host_on_the_internet_is_not_public(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_no_plain_address_is_not_public(text: str):
    assert not is_public(text)


@settings(max_examples=500, deadline=None)
@given(address=st.ip_addresses())
def test_nothing_that_python_calls_private_is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address):
    if is_public(str(address)) and not isinstance(getattr(address, "ipv4_mapped", None), ipaddress.IPv4Address):
        assert not any([address.is_private, address.is_loopback, address.is_link_local, address.is_multicast])
        assert not (address.is_reserved and not str(address).startswith("64:ff9b::"))


@settings(max_examples=300, deadline=None)
@given(inner=st.ip_addresses(v=4))
def test_a_wrapped_address_is_as_public_as_the_one_within(inner: ipaddress.IPv4Address):
    expected = is_public(str(inner))
    high, low = int(inner) >> 16, int(inner) & 0xFFFF
    for wrapped in (f"::ffff:{inner}", f"64:ff9b::{inner}", f"2002:{high:x}:{low:x}::"):
        assert is_public(wrapped) == expected


# Names


def resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name lead to these addresses; gives the list of names asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_kwargs: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_UNSPEC, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_public_name_gives_its_addresses_once_each(monkeypatch: pytest.MonkeyPatch):
    asked = resolving_to(monkeypatch, "8.8.8.8", "2606:4700::1", "8.8.8.8")
    assert resolve_checked("llm.example.com", 443, allow_private=False) == ("8.8.8.8", "2606:4700::1")
    assert asked == ["llm.example.com"]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fe80::1%2", "::ffff:10.0.0.1"])
@pytest.mark.parametrize("place", [0, 1])
def test_one_private_address_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch, address: str, place: int
):
    addresses = ["8.8.8.8", "8.8.4.4"]
    addresses.insert(place, address)
    resolving_to(monkeypatch, *addresses)
    with pytest.raises(AddressForbidden, match="LLM_ALLOW_PRIVATE_HOSTS=1"):
        resolve_checked("llm.example.com", 443, allow_private=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.5", "::1", "fd00::5", "100.64.0.1", "8.8.8.8"])
def test_the_own_network_may_be_allowed(monkeypatch: pytest.MonkeyPatch, address: str):
    resolving_to(monkeypatch, address)
    assert resolve_checked("llm.lan", 80, allow_private=True) == (address,)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fe80::1%2", "224.0.0.1", "ff02::1"]
)
def test_cloud_metadata_is_never_called(monkeypatch: pytest.MonkeyPatch, address: str):
    resolving_to(monkeypatch, address)
    with pytest.raises(AddressForbidden):
        resolve_checked("llm.lan", 80, allow_private=True)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", ".example", "\ud800.example"])
def test_a_name_that_can_not_be_one_is_an_os_error(host: str):
    with pytest.raises(OSError):  # noqa: PT011 which one is the resolver's affair
        resolve_checked(host, 443, allow_private=False)


def test_an_address_resolves_to_itself():
    assert resolve_checked("127.0.0.1", 80, allow_private=True) == ("127.0.0.1",)
    assert resolve_checked("::1", 80, allow_private=True) == ("::1",)


# Base URLs


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1///", "https://api.openai.com/v1"),
        ("HTTPS://API.OpenAI.com/V1", "https://api.openai.com/V1"),
        ("https://api.openai.com", "https://api.openai.com"),
        ("https://api.openai.com/", "https://api.openai.com"),
        ("https://api.openai.com:443/v1", "https://api.openai.com/v1"),
        ("https://llm.example.com:8443/v1", "https://llm.example.com:8443/v1"),
        ("https://llm.example.com/openai/deployments/gpt-4o~1", "https://llm.example.com/openai/deployments/gpt-4o~1"),
        ("https://llm.example.com/a%20b", "https://llm.example.com/a%20b"),
        ("https://8.8.8.8/v1", "https://8.8.8.8/v1"),
        ("https://[2606:4700:0::1111]/v1", "https://[2606:4700::1111]/v1"),
        ("https://xn--e1afmkfd.example/v1", "https://xn--e1afmkfd.example/v1"),
    ],
)
@pytest.mark.parametrize("allow_private", [False, True])
def test_a_public_base_url_gets_its_normal_form(url: str, normal: str, *, allow_private: bool):
    assert check_base_url(url, allow_private=allow_private) == normal


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://127.0.0.1:9102/v1", "http://127.0.0.1:9102/v1"),
        ("http://localhost:11434/v1", "http://localhost:11434/v1"),
        ("http://ollama/v1/", "http://ollama/v1"),
        ("http://llm_server:80", "http://llm_server"),
        ("https://10.0.0.5/v1", "https://10.0.0.5/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("http://0.0.0.0:11434", "http://0.0.0.0:11434"),
        ("https://vllm.internal/v1", "https://vllm.internal/v1"),
        ("http://llm.example.com/v1", "http://llm.example.com/v1"),
    ],
)
def test_a_base_url_of_the_own_network_needs_the_operators_word(url: str, normal: str):
    assert check_base_url(url, allow_private=True) == normal
    with pytest.raises(AddressForbidden, match="LLM_ALLOW_PRIVATE_HOSTS=1") as refused:
        check_base_url(url, allow_private=False)
    assert refused.value.fault.field == "api_base"


HOSTILE = [
    "",
    "api.openai.com/v1",
    "//api.openai.com/v1",
    "ftp://api.openai.com/v1",
    "file:///etc/passwd",
    "https:/api.openai.com",
    "https://",
    "https:///v1",
    "https://user@api.openai.com/v1",
    "https://user:pass@api.openai.com/v1",
    "https://api.openai.com@127.0.0.1/v1",
    "https://@api.openai.com/v1",
    "https://api.openai.com/v1?x=1",
    "https://api.openai.com/v1?",
    "https://api.openai.com/v1#x",
    "https://api.openai.com\\@127.0.0.1/v1",
    "https:\\\\api.openai.com\\v1",
    "https://api.openai.com/v1\\..",
    " https://api.openai.com/v1",
    "https://api.openai.com/v1 ",
    "https://api.openai.com/v1\n",
    "https://api.openai.com/\tv1",
    "https://api.openai.com/v1\x00",
    "https://api.open\u0430i.com/v1",
    "https://api\u3002openai.com/v1",
    "https://\uff11\uff12\uff17.0.0.1/v1",
    "https://api.openai.com./v1",
    "https://api..openai.com/v1",
    "https://.openai.com/v1",
    "https://-api.openai.com/v1",
    "https://api-.openai.com/v1",
    f"https://{'a' * 64}.example.com/v1",
    f"https://{'a.' * 130}example.com/v1",
    "https://api.openai.com:0/v1",
    "https://api.openai.com:65536/v1",
    "https://api.openai.com:99999/v1",
    "https://api.openai.com:/v1",
    "https://api.openai.com:+443/v1",
    "https://api.openai.com:x/v1",
    "https://2130706433/v1",
    "https://017700000001/v1",
    "https://0x7f000001/v1",
    "https://0x7f.0.0.1/v1",
    "https://127.1/v1",
    "https://127.0.1/v1",
    "https://0177.0.0.1/v1",
    "https://8.8.8.010/v1",
    "https://8.8.8.8.8/v1",
    "https://8.8.8.256/v1",
    "https://8.8.8.0x8/v1",
    "https://example.0x/v1",
    "https://[8.8.8.8]/v1",
    "https://[::1/v1",
    "https://[::1]x/v1",
    "https://[fe80::1%25eth0]/v1",
    "https://[::ffff:7f00:1]:x/v1",
    "https://2606:4700::1/v1",
    "https://api.openai.com/../v1",
    "https://api.openai.com/v1/..",
    "https://api.openai.com/./v1",
    "https://api.openai.com/%2e%2e/v1",
    "https://api.openai.com/.%2E/v1",
    "https://api.openai.com//v1",
    "https://api.openai.com/a%2fb",
    "https://api.openai.com/a%5cb",
    "https://api.openai.com/a%00",
    "https://api.openai.com/a%0d%0aX: 1",
    "https://api.openai.com/a%zz",
    "https://api.openai.com/a%",
    "https://api.openai.com/" + "a" * 2000,
    "javascript:alert(1)",
]


@pytest.mark.parametrize("url", HOSTILE)
@pytest.mark.parametrize("allow_private", [False, True])
def test_an_odd_base_url_is_refused_whoever_asks(url: str, *, allow_private: bool):
    with pytest.raises(AddressForbidden) as refused:
        check_base_url(url, allow_private=allow_private)
    assert refused.value.fault.field == "api_base"
    assert refused.value.fault.remedy


@pytest.mark.parametrize(
    "host",
    [
        *(address for address in NOT_PUBLIC if ":" not in address),
        "localhost",
        "a.localhost",
        "intranet",
        "x.local",
        "metadata.google.internal",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[fd00::1]",
        "[2002:7f00:1::1]",
        "[64:ff9b::7f00:1]",
    ],
)
def test_a_base_url_of_a_private_host_is_refused(host: str):
    with pytest.raises(AddressForbidden):
        check_base_url(f"https://{host}/v1", allow_private=False)


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[::ffff:a9fe:a9fe]", "224.0.0.1"])
def test_a_base_url_of_cloud_metadata_is_always_refused(host: str):
    with pytest.raises(AddressForbidden):
        check_base_url(f"https://{host}/v1", allow_private=True)


@settings(max_examples=500, deadline=None)
@given(url=st.text(max_size=60) | st.text(max_size=30).map(lambda tail: "https://llm.example.com" + tail))
def test_whatever_passes_is_normal_already_the_second_time(url: str):
    try:
        normal = check_base_url(url, allow_private=False)
    except AddressForbidden:
        return
    assert check_base_url(normal, allow_private=False) == normal
    assert normal.startswith("https://")
    assert normal.isascii()
