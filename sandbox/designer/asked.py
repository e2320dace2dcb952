"""Reads what the designer's requests ask for; every mistake is named by field and rule."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from sandbox.api.asked import WrongRequest, read_text

JSON = dict[str, Any]
FIELDS_MAX: Final = 100
VALUE_MAX_CHARS: Final = 10_000
EXITS_MAX: Final = 50
SOURCE_MAX_CHARS: Final = 256 * 1024  # the flow's own limit of 64 KB is the flow reader's to tell
WAYS: Final = ("listen", "say", "stop")


def read_zip(asked: JSON) -> bytes:
    """Read the file, base64 in `zip`.

    Raises:
        WrongRequest: it is not base64.
    """
    try:
        return base64.b64decode(asked["zip"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise WrongRequest("zip: must be the file in base64") from error


def read_settings(asked: JSON) -> dict[str, str] | None:
    """Read `settings`, an object of texts; None when it is left out.

    Raises:
        WrongRequest: it is none.
    """
    return None if "settings" not in asked else _texts(asked, "settings")


def read_step(asked: JSON) -> JSON:
    """Read a Widget step that is saved: handler, params, source, exits, links, greeting.

    Raises:
        WrongRequest: a part is missing or wrong.
    """
    return {
        "handler": read_text(asked, "handler"),
        "params": _texts(asked, "params"),
        "source": _source(asked),
        "exits": _exits(asked),
        "links": _links(asked),
        "greeting": read_text(asked, "greeting", limit=VALUE_MAX_CHARS),
    }


def _source(asked: JSON) -> str:
    source = asked.get("source")
    if not isinstance(source, str):
        raise WrongRequest("source: onSalesbotDesignerSave must return the flow as JSON text, not as an object")
    if len(source) > SOURCE_MAX_CHARS:
        raise WrongRequest("source: must not be larger than 65536 bytes")
    return source


def _texts(asked: Mapping[str, Any], key: str) -> dict[str, str]:
    found = asked.get(key, {})
    if not isinstance(found, dict) or len(found) > FIELDS_MAX:
        raise WrongRequest(f"{key}: must be an object of at most {FIELDS_MAX} texts")
    for name, value in found.items():
        if not isinstance(value, str) or len(value) > VALUE_MAX_CHARS:
            raise WrongRequest(f"{key}.{name}: must be a text of at most {VALUE_MAX_CHARS:,} characters")
    return found


def _exits(asked: JSON) -> list[dict[str, str]]:
    listed = asked.get("exits")
    if not isinstance(listed, list) or not 1 <= len(listed) <= EXITS_MAX:
        raise WrongRequest(f"exits: must be a list of 1 to {EXITS_MAX} exits, each with code and title")
    exits = [_exit(item, f"exits[{number}]") for number, item in enumerate(listed)]
    if len({one["code"] for one in exits}) < len(exits):
        raise WrongRequest("exits: must not name a code twice")
    return exits


def _exit(raw: object, place: str) -> dict[str, str]:
    if not isinstance(raw, dict) or not isinstance(raw.get("code"), str) or not raw["code"]:
        raise WrongRequest(f"{place}: must be an object with the text code")
    title = raw.get("title")
    return {"code": raw["code"][:VALUE_MAX_CHARS], "title": title if isinstance(title, str) else raw["code"]}


def _links(asked: JSON) -> dict[str, dict[str, str]]:
    found = asked.get("links", {})
    if not isinstance(found, dict) or len(found) > EXITS_MAX:
        raise WrongRequest("links: must be an object of exit codes")
    return {code: _link(raw, f"links.{code}") for code, raw in found.items()}


def _link(raw: object, place: str) -> dict[str, str]:
    if not isinstance(raw, dict) or raw.get("to") not in WAYS:
        raise WrongRequest(f"{place}.to: must be one of {', '.join(WAYS)}")
    text = raw.get("text", "")
    if not isinstance(text, str) or len(text) > VALUE_MAX_CHARS or (raw["to"] == "say" and not text.strip()):
        raise WrongRequest(f"{place}.text: must be what the Salesbot says there")
    return {"to": raw["to"], "text": text}
