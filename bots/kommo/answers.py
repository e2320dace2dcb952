"""Kommo's answer to a call, in the words that a decision needs.

Source: protocol §2.5, §9.
"""

import email.utils
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from bots.kommo.characters import presentable
from bots.kommo.jsontext import JsonRefused, read_json

DETAIL_MAX_CHARS = 500
NOTE_MAX_CHARS = 128
CODES_MAX = 20
RETRY_AFTER_MAX_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KommoAnswer:
    """What came back.

    Attributes:
        status: HTTP status; redirects are not followed and stand here as they are.
        content_type: without parameters, lower case.
        retry_after_s: seconds that Kommo asks to wait, from the header or the body.
        is_html: a web page and no API answer; with 403 that is a block of our address.
        codes: codes of validation errors, for example "TooLong".
        detail: Kommo's own words, at most DETAIL_MAX_CHARS characters, without the access token.
        request_id: X-Request-Id, for Kommo's support.
    """

    status: int
    content_type: str = ""
    retry_after_s: float | None = None
    is_html: bool = False
    codes: tuple[str, ...] = ()
    detail: str = field(default="", repr=False)
    request_id: str = ""

    @property
    def is_block_page(self) -> bool:
        """Whether Kommo blocks our address: it pressed on too hard. Source: protocol §2.5, §9."""
        return self.status == 403 and self.is_html


def read_answer(status: int, headers: Mapping[str, str], body: bytes, *, access_token: str) -> KommoAnswer:
    """Judge nothing, read everything: never fails, whatever came.

    Args:
        status: HTTP status.
        headers: names without regard to case.
        body: as much of it as was read, not decompressed.
        access_token: taken out of whatever echoes it.
    """
    content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()[:NOTE_MAX_CHARS]
    problem = _problem(body)
    errors = _validation_errors(problem)
    words = [_words(problem.get("detail") or problem.get("title")), *(_words(error.get("detail")) for error in errors)]
    detail = "; ".join(dict.fromkeys(word for word in words if word)).replace(access_token, "[access token]")
    return KommoAnswer(
        status=status,
        content_type=content_type,
        retry_after_s=_retry_after(headers.get("Retry-After"), problem.get("retry_after")),
        is_html="html" in content_type or body.lstrip()[:1] == b"<",
        codes=tuple(code for error in errors if (code := _words(error.get("code"))[:NOTE_MAX_CHARS])),
        detail=detail[:DETAIL_MAX_CHARS],
        request_id=presentable(headers.get("X-Request-Id", ""))[:NOTE_MAX_CHARS],
    )


def _problem(body: bytes) -> dict[str, object]:
    """Read a problem object; everything else, "Accepted" and web pages too, is an empty one."""
    try:
        problem = read_json(body.decode("utf-8", "replace"))
    except JsonRefused:
        return {}
    return problem if isinstance(problem, dict) else {}


def _validation_errors(problem: Mapping[str, object]) -> list[dict[str, object]]:
    groups = problem.get("validation-errors")
    errors = [group.get("errors") for group in groups if isinstance(group, dict)] if isinstance(groups, list) else []
    flat = [error for group in errors if isinstance(group, list) for error in group if isinstance(error, dict)]
    return flat[:CODES_MAX]


def _words(value: object) -> str:
    return presentable(value).strip()[:DETAIL_MAX_CHARS] if isinstance(value, str) else ""


def _retry_after(header: str | None, in_body: object) -> float | None:
    """Take the header, in seconds or as a date, else the body's number."""
    for value in (header, in_body):
        seconds = _seconds(value)
        if seconds is not None and math.isfinite(seconds) and seconds >= 0:
            return min(seconds, RETRY_AFTER_MAX_S)
    return None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        pass
    try:
        return email.utils.parsedate_to_datetime(str(value)).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
