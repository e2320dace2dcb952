"""Kommo's way of saying no: `application/problem+json`.

Source: protocol §9.3.
"""

import json
from typing import Final

from aiohttp import web

CONTENT_TYPE: Final = "application/problem+json"
TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Payload Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}

# the plain page of a web server before Kommo, shown to a blocked address (protocol §9.2)
BLOCK_PAGE: Final = (
    "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n"
    "<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


def problem(status: int, detail: str, **more: object) -> web.Response:
    """Make a problem answer; `more` are further fields such as `retry_after` (seconds)."""
    body = {
        "title": TITLES.get(status, "Error"),
        "type": f"https://httpstatus.es/{status}",
        "status": status,
        "detail": detail,
        **more,
    }
    return web.Response(status=status, text=json.dumps(body), content_type=CONTENT_TYPE)


def invalid(errors: list[dict[str, str]]) -> web.Response:
    """Make the 400 for a body that breaks rules. Source: protocol §9.3."""
    return problem(400, "Request validation failed", **{"validation-errors": [{"request_id": "0", "errors": errors}]})


def block_page() -> web.Response:
    """Make the 403 of a blocked address: HTML, not JSON. Source: protocol §9.2."""
    return web.Response(status=403, text=BLOCK_PAGE, content_type="text/html")
