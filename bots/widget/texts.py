"""The rules on a widget's JSON files and their translations. Source: protocol §4.5."""

import codecs
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NoReturn

from bots.widget.breaches import Breach, breach, listed, shown
from bots.widget.facts import JSON_MAX_BYTES

KEY: Final = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+", re.ASCII)

DEPTH_MAX: Final = 10  # of i18n files; a hostile one may nest a thousand deep

Place = tuple[str, str]  # where the manifest names a key, and the key


class NoJson(ValueError):
    """A file that is no JSON object; carries its breach."""

    def __init__(self, found: Breach) -> None:
        """Keep the breach."""
        super().__init__(str(found))
        self.breach = found


def read_object(name: str, content: bytes) -> dict[str, object]:
    """Read a file that must hold a JSON object.

    Raises:
        NoJson: with the place where it goes wrong.
    """
    if len(content) > JSON_MAX_BYTES:
        raise NoJson(breach(name, f"must not have more than {JSON_MAX_BYTES // 1024} KB", "shorten it"))
    if content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise NoJson(breach(name, "must be UTF-8 without a byte order mark", "save it as UTF-8 without BOM"))
    try:
        found = json.loads(content.decode(), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        rule = f"must be JSON, and line {error.lineno}, column {error.colno} is not ({error.msg})"
        raise NoJson(breach(name, rule, "correct it there, without comments and trailing commas")) from error
    except (ValueError, RecursionError) as error:
        raise NoJson(breach(name, "must be JSON in UTF-8", "save it as UTF-8 and check it for odd values")) from error
    if not isinstance(found, dict):
        raise NoJson(breach(name, "must be a JSON object", "put everything between { and }"))
    return found


def locale_breaches(files: Mapping[str, bytes], locales: Sequence[str], *, named: Sequence[Place]) -> Iterator[Breach]:
    """Judge the i18n files: one for each locale, all of the same shape, with every key that the manifest names.

    Args:
        files: the zip's.
        locales: those of the manifest.
        named: i18n keys by the place in the manifest that names them.
    """
    shapes: dict[str, dict[str, object]] = {}
    for name in (f"i18n/{locale}.json" for locale in locales):
        if name not in files:
            yield breach(name, "must be there, since widget.locale names it", "add it, or take the locale out")
            continue
        try:
            shapes[name] = dict(_leaves(read_object(name, files[name])))
        except NoJson as error:
            yield error.breach
    for name, texts in shapes.items():
        yield from _keys(name, texts, named)
    yield from _same_shape(shapes, told={key for _, key in named})


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _leaves(texts: Mapping[str, object], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, object]]:
    for key, value in texts.items():
        if isinstance(value, dict) and depth < DEPTH_MAX:
            yield from _leaves(value, f"{prefix}{key}.", depth + 1)
        else:
            yield f"{prefix}{key}", value


def _keys(name: str, texts: Mapping[str, object], named: Sequence[Place]) -> Iterator[Breach]:
    for place, key in named:
        value = texts.get(key)
        if key not in texts:
            yield breach(name, f"must have the key {key}, which manifest.json names in {place}", "add its text")
        elif not isinstance(value, str) or not value.strip():
            yield breach(name, f"must have a text for {key}, and it has {shown(value)}", "write one")


def _same_shape(shapes: Mapping[str, Mapping[str, object]], *, told: Collection[str]) -> Iterator[Breach]:
    """Compare each file with all of them together: what one lacks is named, but for what was told already."""
    union = dict.fromkeys(key for texts in shapes.values() for key in texts if key not in told)
    for name, texts in shapes.items():
        if missing := [key for key in union if key not in texts]:
            rule = f"must have the same keys as the other locales, and it lacks {listed(missing)}"
            yield breach(name, rule, "add them, or take them out everywhere")
