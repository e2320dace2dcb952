"""Only a trusted proxy may say where a request came from."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st

from kommobridge.proxies import TrustedProxies, parse_address

PROXIES = ["10.0.0.1", "10.1.0.0/16", "2001:db8::/32"]
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")


def seen_through(trusted: list[str], **meta: str) -> HttpRequest:
    """Send a request through the middleware and give what the next one sees."""
    seen: list[HttpRequest] = []

    def next_one(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    with override_settings(TRUSTED_PROXIES=trusted):
        request = RequestFactory().get("/")
        request.META.update(meta)
        TrustedProxies(next_one)(request)
    return seen[0]


@pytest.mark.parametrize(
    ("trusted", "peer"),
    [
        pytest.param([], "203.0.113.9", id="nobody is trusted"),
        pytest.param([], "127.0.0.1", id="nobody is trusted and the peer is loopback"),
        pytest.param(PROXIES, "10.0.0.2", id="the peer is a neighbour of the proxy"),
        pytest.param(PROXIES, "", id="the peer has no address"),
        pytest.param(PROXIES, "unix", id="the peer isn't an address"),
    ],
)
def test_a_stranger_says_nothing_about_itself(trusted, peer):
    request = seen_through(
        trusted,
        REMOTE_ADDR=peer,
        HTTP_X_FORWARDED_FOR="10.0.0.1",
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_HOST="evil.example",
        HTTP_X_REAL_IP="10.0.0.1",
        HTTP_FORWARDED="for=10.0.0.1;proto=https",
        HTTP_X_FORWARDED_PORT="443",
    )
    assert request.META["REMOTE_ADDR"] == peer
    assert not [name for name in request.META if "FORWARDED" in name or "REAL_IP" in name]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        pytest.param("10.0.0.1", "198.51.100.7", "198.51.100.7", id="one proxy"),
        pytest.param("10.0.0.1", "198.51.100.7, 10.1.2.3", "198.51.100.7", id="two proxies"),
        pytest.param("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7", id="the client made an entry up"),
        pytest.param("10.0.0.1", "10.1.0.9, 198.51.100.7", "198.51.100.7", id="the client claims to be a proxy"),
        pytest.param("10.0.0.1", "10.1.0.9, 10.1.0.8", "10.1.0.9", id="the client is one of ours"),
        pytest.param("10.0.0.1", "198.51.100.7, nonsense", "10.0.0.1", id="the proxy wrote no address"),
        pytest.param("10.0.0.1", "198.51.100.7, nonsense, 10.1.0.8", "10.1.0.8", id="a proxy further out wrote none"),
        pytest.param("10.0.0.1", "198.51.100.7,", "10.0.0.1", id="an empty entry at the end"),
        pytest.param("10.0.0.1", "", "10.0.0.1", id="the proxy wrote nothing"),
        pytest.param("10.0.0.1", "198.51.100.7:41234", "198.51.100.7", id="with a port"),
        pytest.param("10.0.0.1", "[2001:db9::7]:41234", "2001:db9::7", id="IPv6 with a port"),
        pytest.param("10.0.0.1", "2001:db9::7", "2001:db9::7", id="IPv6"),
        pytest.param("2001:db8::1", "198.51.100.7", "198.51.100.7", id="an IPv6 proxy"),
        pytest.param("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7", id="the proxy in IPv6 clothes"),
        pytest.param("10.0.0.1", "198.51.100.7, ::ffff:10.1.2.3", "198.51.100.7", id="a hop in IPv6 clothes"),
    ],
)
def test_behind_a_proxy_the_nearest_stranger_is_the_client(peer, forwarded_for, client):
    request = seen_through(PROXIES, REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded_for)
    assert request.META["REMOTE_ADDR"] == client
    assert "HTTP_X_FORWARDED_FOR" not in request.META


@pytest.mark.parametrize(
    ("forwarded_for", "proto", "is_secure"),
    [
        pytest.param("198.51.100.7", "https", True, id="https"),
        pytest.param("198.51.100.7", "HTTPS", True, id="in capitals"),
        pytest.param("198.51.100.7", "http", False, id="http"),
        pytest.param("198.51.100.7", "ftp", False, id="another scheme"),
        pytest.param("198.51.100.7", "https, http", False, id="the client wrote https and the proxy added http"),
        pytest.param("1.1.1.1, 198.51.100.7", "https, http", False, id="the same with an address"),
        pytest.param("198.51.100.7, 10.1.0.8", "https, http", True, id="http between two proxies"),
        pytest.param("1.1.1.1, 198.51.100.7, 10.1.0.8", "https, http, http", False, id="both: the client lied"),
    ],
)
def test_the_scheme_is_the_one_that_the_outermost_proxy_saw(forwarded_for, proto, is_secure):
    request = seen_through(
        PROXIES, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded_for, HTTP_X_FORWARDED_PROTO=proto
    )
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        assert request.is_secure() is is_secure


def test_the_host_that_a_proxy_was_asked_for_remains():
    request = seen_through(PROXIES, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_HOST="bridge.example.com")
    with override_settings(USE_X_FORWARDED_HOST=True, ALLOWED_HOSTS=["bridge.example.com"]):
        assert request.get_host() == "bridge.example.com"


def test_a_host_that_the_client_put_before_the_proxys_is_dropped():
    request = seen_through(PROXIES, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_HOST="evil.example, bridge.example.com")
    assert request.META["HTTP_X_FORWARDED_HOST"] == "bridge.example.com"


@given(peer=st.sampled_from(["203.0.113.9", "10.0.0.2"]), values=st.lists(st.text(max_size=40), min_size=3, max_size=3))
def test_whatever_a_stranger_sends_changes_nothing(peer, values):
    request = seen_through(PROXIES, REMOTE_ADDR=peer, **dict(zip(FORWARDED, values, strict=True)))
    assert request.META["REMOTE_ADDR"] == peer
    assert not set(FORWARDED) & set(request.META)


@given(forwarded_for=st.text(alphabet="0123456789.,:[]% abcdf", max_size=80))
def test_whatever_a_proxy_writes_the_client_is_an_address(forwarded_for):
    request = seen_through(PROXIES, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded_for)
    assert parse_address(request.META["REMOTE_ADDR"]) is not None
