"""Who may log in, and from where: the demo's logins work on this machine alone."""

import ipaddress
from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest, HttpResponse

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class LoginBackend(ModelBackend):
    """E-mail and password; a demo login only from loopback."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """Give the user whose password this is; None when there is none or they may not log in from here."""
        user = super().authenticate(request, username, password, **kwargs)
        if user is None or not getattr(user, "is_demo", False):
            return user
        return user if request is not None and is_from_loopback(request) else None


class DemoStaysHere:
    """Ends a demo login's session as soon as it is used from elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep what comes next."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Log a demo user out who does not sit at this machine."""
        if getattr(request.user, "is_demo", False) and not is_from_loopback(request):
            logout(request)
        return self.get_response(request)


def is_from_loopback(request: HttpRequest) -> bool:
    """Say whether a request was made on this machine and for it: by address, and by the host that it names.

    A proxy on the same machine that is not among TRUSTED_PROXIES has a loopback address too, but names another host.
    """
    host = request.get_host()
    name = host if host.endswith("]") else host.rsplit(":", 1)[0] if ":" in host else host
    try:
        near = ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
    return near and name in LOOPBACK_NAMES
