"""Who may log in, and from where."""

import pytest
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory

from bots.models import User
from kommobridge.logins import is_from_loopback

PASSWORD = "a-long-demo-password"


@pytest.fixture
def demo_user(db):
    user = User.objects.create_user("owner@demo.test", PASSWORD)
    user.is_demo = True
    user.save()
    return user


def a_request(*, address="127.0.0.1", host="127.0.0.1:8000"):
    return RequestFactory().get("/admin/", REMOTE_ADDR=address, HTTP_HOST=host)


@pytest.mark.parametrize(
    ("address", "host", "near"),
    [
        pytest.param("127.0.0.1", "127.0.0.1:8000", True, id="this machine by address"),
        pytest.param("127.0.0.1", "localhost", True, id="this machine by name"),
        pytest.param("::1", "[::1]:8000", True, id="this machine by IPv6"),
        pytest.param("203.0.113.9", "127.0.0.1:8000", False, id="another machine that names loopback"),
        pytest.param("127.0.0.1", "bridge.example.com", False, id="a proxy on this machine for another host"),
        pytest.param("", "localhost", False, id="no address at all"),
    ],
)
def test_loopback_needs_the_address_and_the_host(settings, address, host, near):
    settings.ALLOWED_HOSTS = ["*"]
    assert is_from_loopback(a_request(address=address, host=host)) is near


def test_a_demo_login_works_on_this_machine(demo_user):
    assert authenticate(a_request(), username=demo_user.email, password=PASSWORD) == demo_user


def test_a_demo_login_does_not_work_from_elsewhere(demo_user):
    request = a_request(address="203.0.113.9")
    assert authenticate(request, username=demo_user.email, password=PASSWORD) is None


def test_an_ordinary_login_works_from_everywhere_whatever_the_case_of_its_address(db):
    user = User.objects.create_user("Owner@Acme.test", PASSWORD)
    request = a_request(address="203.0.113.9")
    assert authenticate(request, username="OWNER@acme.TEST", password=PASSWORD) == user


def test_a_demo_session_ends_when_it_is_used_from_elsewhere(demo_user):
    client = Client()
    client.force_login(demo_user)
    client.get("/admin/", REMOTE_ADDR="203.0.113.9", HTTP_HOST="127.0.0.1")
    assert "_auth_user_id" not in client.session
