"""Form bodies as PHP writes and reads them: urlencoded or multipart, with brackets for nesting.

What PHP can't say, a form can't either: an empty list or object vanishes, null and numbers are texts, and an object
whose names are 0, 1, 2 … is a list.
"""

import re
from collections.abc import Iterable

from bots.kommo.jsontext import DEPTH_MAX

PART_HEAD_MAX_BYTES = 2000

DISPOSITION = re.compile(
    rb'(?im)^content-disposition:[^\r\n]*?[;\s]name=(?:"(?P<quoted>(?:[^"\\\r\n]|\\.)*)"|(?P<bare>[^;\s]+))'
)
CODES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
FILE_NAME = re.compile(rb"(?i)[;\s]filename\*?=")
INDEX = re.compile(r"0|[1-9][0-9]{0,8}")  # a larger number is a name


class FormRefused(ValueError):
    """A form can't be read or breaks a limit; the text is the rule, as the end of a sentence."""


class Branch(dict[str, "str | Branch"]):
    """One level of names while a form is read; knows the index that the next [] gets."""

    __slots__ = ("next_index",)

    def __init__(self) -> None:
        super().__init__()
        self.next_index = 0

    def key_for(self, name: str) -> str:
        """Give the key that a name between brackets stands for; empty brackets append."""
        key = name or str(self.next_index)
        if INDEX.fullmatch(key):
            self.next_index = max(self.next_index, int(key) + 1)
        return key

    def branch(self, name: str) -> "Branch":
        """Give the level under a name; a text that stood there gives way."""
        key = self.key_for(name)
        below = self.get(key)
        if not isinstance(below, Branch):
            below = self[key] = Branch()
        return below


def urlencoded_pairs(body: bytes, *, fields_max: int) -> list[tuple[str, str]]:
    """Split an urlencoded body; bytes that aren't UTF-8 become replacement characters.

    A line break at the very end belongs to no field: written as one it would be percent-encoded.

    Raises:
        FormRefused: more than fields_max fields.
    """
    parts = [part for part in body.rstrip(b"\r\n").split(b"&") if part]
    if len(parts) > fields_max:
        raise FormRefused(f"must hold at most {fields_max} fields")
    split = (part.partition(b"=") for part in parts)
    return [(_unquoted(name), _unquoted(value)) for name, _, value in split]


def multipart_pairs(body: bytes, *, boundary: bytes, fields_max: int) -> list[tuple[str, str]]:
    """Split a multipart form; files are left out.

    Args:
        body: the whole body.
        boundary: as the content type names it; empty takes it from the first line.
        fields_max: most parts.

    Raises:
        FormRefused: no boundary, a part without name, no end, or more than fields_max parts.
    """
    line_break = b"\r\n" if b"\r\n" in body else b"\n"
    mark = boundary or body.lstrip().partition(line_break)[0].removeprefix(b"--").rstrip()
    if not mark:
        raise FormRefused("must name its boundary")
    parts = (line_break + body.lstrip()).split(line_break + b"--" + mark, fields_max + 2)
    if len(parts) > fields_max + 2:
        raise FormRefused(f"must hold at most {fields_max} fields")
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise FormRefused("must end with its boundary")
    fields = (_part(part, line_break) for part in parts[1:-1])
    return [field for field in fields if field is not None]


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Build what the bracketed names say; of two equal names the last one holds.

    Args:
        pairs: names like `data[tags][]` and their texts.

    Raises:
        FormRefused: deeper than DEPTH_MAX.
    """
    root = Branch()
    for name, value in pairs:
        *above, last = _path(name)
        branch = root
        for step in above:
            branch = branch.branch(step)
        branch[branch.key_for(last)] = value
    return {key: _finished(value) for key, value in root.items()}


def _unquoted(quoted: bytes) -> str:
    """Decode a name or value; runs of codes are taken at once, which urllib doesn't do (80 ms for 256 KiB of %)."""
    raw = CODES.sub(lambda run: bytes.fromhex(run[0].replace(b"%", b"").decode("ascii")), quoted.replace(b"+", b" "))
    return raw.decode("utf-8", "replace")


def _part(part: bytes, line_break: bytes) -> tuple[str, str] | None:
    """Read one part; None for a file."""
    head, found, content = part.partition(line_break * 2)
    if not found or len(head) > PART_HEAD_MAX_BYTES:
        raise FormRefused("must have parts with a short head and a content")
    disposition = DISPOSITION.search(head)
    if disposition is None:
        raise FormRefused("must name each part")
    if FILE_NAME.search(disposition[0]) or FILE_NAME.search(head):
        return None
    name = disposition["bare"] if disposition["quoted"] is None else re.sub(rb"\\(.)", rb"\1", disposition["quoted"])
    return name.decode("utf-8", "replace"), content.decode("utf-8", "replace")


def _path(name: str) -> list[str]:
    """Split `data[a][]` into data, a and nothing; what doesn't close its bracket is one plain name."""
    start = name.find("[")
    steps = [name if start <= 0 else name[:start]]
    while start > 0 and name[start : start + 1] == "[":
        end = name.find("]", start)
        if end < 0:
            return steps if len(steps) > 1 else [name]
        steps.append(name[start + 1 : end])
        if len(steps) > DEPTH_MAX:
            raise FormRefused(f"must not be nested deeper than {DEPTH_MAX}")
        start = end + 1
    return steps


def _finished(value: "str | Branch") -> object:
    if isinstance(value, str):
        return value
    if all(str(index) in value for index in range(len(value))):
        return [_finished(value[str(index)]) for index in range(len(value))]
    return {key: _finished(below) for key, below in value.items()}
