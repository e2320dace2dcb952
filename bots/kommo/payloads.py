"""The body of a widget_request: from bytes to one normal form, whichever way Kommo wrote it.

`read_body` needs no token and trusts nothing; `parse_data` says what the fields mean, and is called once the token
has been verified. token and return_url are handed on raw: they are compared character for character, and cleaning
could turn a hostile text into a good one.

Source: protocol §1.2 (documented as JSON, seen live as a form with brackets).
"""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from bots.kommo.characters import storable
from bots.kommo.errors import BodyUnreadable, DataRefused
from bots.kommo.forms import FormRefused, multipart_pairs, nested, urlencoded_pairs
from bots.kommo.jsontext import DEPTH_MAX, FIELDS_MAX, JsonRefused, read_json
from kommobridge.base.faults import Fault

BODY_FIELDS_MAX = FIELDS_MAX + 2  # token and return_url come on top
# A chat's longest message has 4,096 characters and an e-mail rarely 10,000; this is some 8,000 tokens, which a model
# still reads in one piece, and keeps one customer's pasted book out of every later prompt.
MESSAGE_MAX_CHARS = 32_000
INSTRUCTION_MAX_CHARS = 1_000
NAME_MAX_CHARS = 100  # slugs, ids, channels; a longer one isn't one

Encoding = Literal["json", "form", "multipart", "form-json"]
Kind = Literal["json", "form", "multipart"]

KNOWN_FIELDS = frozenset({"token", "data", "return_url"})
NAME_FIELDS = ("bot", "lead_id", "contact_id", "talk_id", "origin", "widget")
WRITE_IT = "Send token, data and return_url as JSON or as a form."

JSON_TYPE = re.compile(r"(?:application|text)/(?:[a-z0-9.-]+\+)?json")
BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]{1,200})"|([^\s;,"]{1,200}))', re.IGNORECASE)
# One or more placeholders and nothing else; the inner part can't run over the end of its own.
PLACEHOLDERS = re.compile(r"(?s)(?:\{\{(?:(?!\}\}).)*+\}\}\s*+)++")


@dataclass(frozen=True, slots=True, kw_only=True)
class WidgetBody:
    """A widget_request as it came, split but not believed.

    Attributes:
        token: raw text; None when missing or no text.
        data: text, list, object or None; `parse_data` reads it.
        return_url: raw text; None when missing or no text.
        encoding: how it was written; "form-json" is a form whose data is JSON text.
    """

    token: str | None = field(repr=False)
    data: object = field(repr=False)
    return_url: str | None = field(repr=False)
    encoding: Encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class WidgetData:
    """The normal form of a widget_request's data; a missing text is empty.

    Attributes:
        message: the customer's text, at most MESSAGE_MAX_CHARS characters.
        bot: slug of the bot that the Salesbot's designer chose.
        lead_id: of the lead, as Kommo's placeholder gave it: a hint, the token alone says whose conversation it is.
        contact_id: likewise.
        talk_id: likewise.
        origin: channel, for example "waba".
        widget: version of the widget that wrote the step.
        instruction: extra instruction of this step, at most INSTRUCTION_MAX_CHARS characters.
        extra: every other field, cleaned, and known ones whose value isn't a text of theirs.
    """

    message: str = field(default="", repr=False)
    bot: str = ""
    lead_id: str = ""
    contact_id: str = ""
    talk_id: str = ""
    origin: str = ""
    widget: str = ""
    instruction: str = field(default="", repr=False)
    extra: dict[str, object] = field(default_factory=dict, repr=False)


def read_body(body: bytes, content_type: str) -> WidgetBody:
    """Split a body; the content type decides how, and a look at it when that fails or says nothing.

    Args:
        body: at most some hundred KiB; the caller limits it.
        content_type: header with parameters, may be empty.

    Raises:
        BodyUnreadable: it can be read in no way, or breaks a limit: depth DEPTH_MAX, FIELDS_MAX fields.
    """
    if not body.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise _unreadable("must not be empty")
    declared, seen = _declared(content_type), _seen(body)
    if declared == "form" and seen != "form":  # almost anything reads as a form, so the look comes first
        return _first_that_reads(body, content_type, kinds=(seen, "form"))
    kinds = (declared, seen) if declared and declared != seen else (seen,)
    return _first_that_reads(body, content_type, kinds=kinds)


def parse_data(data: object) -> WidgetData:
    """Read the fields of a widget_request's data.

    Absent, null, an empty list and an empty text are an empty object; a text may be JSON. Numbers become texts. A
    value that is nothing but a placeholder which Kommo left unresolved counts as missing.

    Raises:
        DataRefused: it isn't an object.

    Source: protocol §1.2.
    """
    fields = {storable(key): _cleaned(value) for key, value in _object(data).items()}
    fields = {key: value for key, value in fields.items() if not _is_placeholder(value)}
    message = _text(fields.pop("message", ""), fields, name="message")
    instruction = _text(fields.pop("instruction", ""), fields, name="instruction").strip()
    names = {name: _name(fields, name) for name in NAME_FIELDS}
    return WidgetData(
        message=message[:MESSAGE_MAX_CHARS] if message.strip() else "",
        instruction=instruction[:INSTRUCTION_MAX_CHARS],
        extra=fields,
        **names,
    )


def _unreadable(rule: str) -> BodyUnreadable:
    return BodyUnreadable(Fault("body", rule, WRITE_IT))


def _declared(content_type: str) -> Kind | None:
    name = content_type.partition(";")[0].strip().lower()
    if JSON_TYPE.fullmatch(name):
        return "json"
    if name == "multipart/form-data":
        return "multipart"
    return "form" if name == "application/x-www-form-urlencoded" else None


def _seen(body: bytes) -> Kind:
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:2]
    if start[:1] in (b"{", b"["):
        return "json"
    return "multipart" if start == b"--" else "form"


def _first_that_reads(body: bytes, content_type: str, *, kinds: tuple[Kind, ...]) -> WidgetBody:
    """Read as the first kind; a second choice counts only when it finds fields that we know."""
    try:
        return _widget_body(*_fields(body, content_type, kind=kinds[0]))
    except BodyUnreadable:
        for kind in kinds[1:]:
            with suppress(BodyUnreadable):
                fields, encoding = _fields(body, content_type, kind=kind)
                if KNOWN_FIELDS & fields.keys():
                    return _widget_body(fields, encoding)
        raise


def _widget_body(fields: dict[str, object], encoding: Encoding) -> WidgetBody:
    token, return_url = fields.get("token"), fields.get("return_url")
    return WidgetBody(
        token=token if isinstance(token, str) else None,
        data=fields.get("data"),
        return_url=return_url if isinstance(return_url, str) else None,
        encoding=encoding,
    )


def _fields(body: bytes, content_type: str, *, kind: Kind) -> tuple[dict[str, object], Encoding]:
    try:
        if kind == "json":
            return _json_fields(body), "json"
        return _form_fields(body, content_type, kind=kind)
    except (JsonRefused, FormRefused) as refused:
        raise _unreadable(str(refused)) from None


def _json_fields(body: bytes) -> dict[str, object]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unreadable("must be UTF-8") from None
    fields = read_json(text, fields_max=BODY_FIELDS_MAX)
    if not isinstance(fields, dict):
        raise _unreadable("must be an object")
    return fields


def _form_fields(body: bytes, content_type: str, *, kind: Kind) -> tuple[dict[str, object], Encoding]:
    body = body.removeprefix(b"\xef\xbb\xbf")
    if kind == "multipart":
        named = BOUNDARY.search(content_type)
        boundary = (named[1] or named[2]).encode("utf-8", "replace") if named else b""
        pairs = multipart_pairs(body, boundary=boundary, fields_max=BODY_FIELDS_MAX)
    else:
        pairs = urlencoded_pairs(body, fields_max=BODY_FIELDS_MAX)
    fields = nested(pairs)
    if kind == "form" and b"=" not in body and not KNOWN_FIELDS & fields.keys():
        raise _unreadable("must be JSON or a form")
    return _with_json_data(fields, kind)


def _with_json_data(fields: dict[str, object], kind: Kind) -> tuple[dict[str, object], Encoding]:
    """Read data when it is JSON text; what only looks like it stays text, and `parse_data` refuses it later."""
    data = fields.get("data")
    if not isinstance(data, str) or not data.lstrip().startswith(("{", "[")):
        return fields, kind
    try:
        return fields | {"data": read_json(data, depth_max=DEPTH_MAX - 1)}, "form-json"
    except JsonRefused as refused:
        if refused.is_limit:
            raise
        return fields, kind


def _object(data: object) -> dict[str, object]:
    if isinstance(data, str) and data.strip():
        try:
            data = read_json(data, depth_max=DEPTH_MAX - 1)
        except JsonRefused:
            raise _not_an_object() from None
    if data is None or data == [] or (isinstance(data, str) and not data.strip()):
        return {}
    if not isinstance(data, dict):
        raise _not_an_object()
    return data


def _not_an_object() -> DataRefused:
    return DataRefused(Fault("data", "must be an object", "Send it as data[name]=value or as a JSON object."))


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): _cleaned(item) for key, item in value.items()}
    return value


def _is_placeholder(value: object) -> bool:
    return isinstance(value, str) and PLACEHOLDERS.fullmatch(value.strip()) is not None


def _text(value: object, fields: dict[str, object], *, name: str) -> str:
    """Give a value as text; what can't be one goes to the other fields."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if value is not None:
        fields[name] = value
    return ""


def _name(fields: dict[str, object], name: str) -> str:
    text = _text(fields.pop(name, ""), fields, name=name).strip()
    if len(text) <= NAME_MAX_CHARS:
        return text
    fields[name] = text
    return ""
