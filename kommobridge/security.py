"""The content security policy of every page, in one place.

Scripts and styles come from our own address only, none stands in a page. The admin's theme evaluates expressions, so
that its pages alone have `unsafe-eval`; everything else goes without.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

HEADER = "Content-Security-Policy"
ADMIN_PREFIX = "/admin/"

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
ADMIN_POLICY = POLICY | {"script-src": "'self' 'unsafe-eval'"}


class ContentSecurityPolicy:
    """Middleware that puts the policy on every answer that has none yet."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep what answers the request."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the policy of the place that was asked for."""
        response = self.get_response(request)
        policy = ADMIN_POLICY if request.path_info.startswith(ADMIN_PREFIX) else POLICY
        response.headers.setdefault(HEADER, written(policy))
        return response


def written(policy: dict[str, str]) -> str:
    """Give a policy as the header says it."""
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())
