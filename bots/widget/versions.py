"""Versions of the widget: x.y.z, growing with each change of what the zip holds.

Whoever keeps a widget's version keeps it together with the digest of its content, per account: contents differ between
accounts (each has its own address), and so does the number of changes that an account has seen.
"""

import re
from typing import Final

FIRST_VERSION: Final = "1.0.0"
VERSION: Final = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")


def is_version(text: str) -> bool:
    """Say whether a text is three numbers with points between them. Source: protocol §4.3."""
    return VERSION.fullmatch(text) is not None


def next_version(previous: str | None, previous_digest: str | None, digest: str) -> str:
    """Say which version a zip gets.

    The first one is 1.0.0; the same content keeps its version, so that a download can be repeated; other content
    raises the last number. Kommo ignores or refuses an upload whose version has not grown.

    Args:
        previous: version of the account's last zip; None or empty when there was none.
        previous_digest: `content_digest` of that zip.
        digest: `content_digest` of the zip to come.

    Raises:
        ValueError: the previous version is none.

    Source: protocol §4.3, §4.4.
    """
    if not previous:
        return FIRST_VERSION
    if not is_version(previous):
        raise ValueError(f"{previous!a} is not a version such as {FIRST_VERSION}")
    return previous if previous_digest == digest else raised(previous)


def raised(version: str) -> str:
    """Raise the last number: for content that changed, and for an upload that Kommo wants newer without a change.

    Raises:
        ValueError: it is no version.
    """
    major, minor, patch = _numbers(version)
    return f"{major}.{minor}.{patch + 1}"


def is_older(version: str, *, than: str) -> bool:
    """Say whether a version comes before another one, as numbers: 1.0.9 before 1.0.10.

    Raises:
        ValueError: one of them is no version.
    """
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> tuple[int, int, int]:
    found = VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"{version!a} is not a version such as {FIRST_VERSION}")
    major, minor, patch = map(int, found.groups())
    return major, minor, patch
