"""What the settings make of an environment, in a process of its own."""

import json
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from kommobridge.base.environment import PROJECT_DIR
from tests.environment import run_environment

SHOW = """
import json, sys
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""


def settings_of(*names: str, **environment: str) -> Any:
    """Read the settings in a process with this environment and give those of these names."""
    command = [sys.executable, "-c", SHOW, *names]
    env = run_environment(**environment)
    done = subprocess.run(command, env=env, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


SECURE = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS")


def test_https_brings_redirect_hsts_and_secure_cookies():
    seen = settings_of(*SECURE, PUBLIC_URL="https://bridge.example.com")
    assert all(seen[name] for name in SECURE)


def test_http_brings_none_of_them():
    seen = settings_of(*SECURE, PUBLIC_URL="http://bridge.example.com")
    assert not any(seen[name] for name in SECURE)


def test_debug_is_off_unless_asked_for():
    assert settings_of("DEBUG")["DEBUG"] is False
    assert settings_of("DEBUG", DEBUG="yes")["DEBUG"] is True


def test_a_wrong_environment_is_told_in_one_line_without_a_trace():
    env = run_environment(KOMMO_RATE="many")
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, env=env, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "KOMMO_RATE='many': must be a whole number" in done.stderr


def test_django_finds_nothing_to_complain_about():
    env = run_environment(PUBLIC_URL="https://bridge.example.com")
    command = [sys.executable, "manage.py", "check", "--fail-level", "WARNING"]
    done = subprocess.run(command, env=env, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db(transaction=True)
def test_sqlite_writes_ahead_and_waits_for_its_turn():
    if connection.vendor != "sqlite":
        assert settings.DATABASES["default"]["CONN_HEALTH_CHECKS"]
        return
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (20_000,)
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_a_trusted_proxy_is_asked_before_anything_else():
    assert settings.MIDDLEWARE[0] == "kommobridge.proxies.TrustedProxies"


def test_every_app_of_the_program_logs_through_our_lines():
    handlers = settings.LOGGING["handlers"]
    assert list(handlers) == ["stderr"]
    assert settings.LOGGING["root"]["handlers"] == ["stderr"]
