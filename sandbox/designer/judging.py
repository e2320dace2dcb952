"""Decides whether Kommo would take a zip: every broken rule is told, in the sandbox's words and in Kommo's.

Kommo's own answers are terse and most are not known; where none is documented the one that was seen most stands in.
Source: protocol §4.1 to §4.5; the answers: §4.4.
"""

import json
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.designer.archives import BadArchive, open_archive, top_folder
from sandbox.designer.manifests import manifest_faults, named_texts, part, read_package
from sandbox.designer.packages import MANIFEST, SCRIPT, Package, version_number

WENT_WRONG: Final = "Something went wrong"
SETTINGS_REQUIRED: Final = '"settings" field is required'
TOLD_MAX: Final = 40
SENTENCE_MAX_CHARS: Final = 300
PICTURE_MAX_BYTES: Final = 300 * 1024
PICTURES: Final = {
    "logo_main.png": (400, 272),
    "logo.png": (130, 100),
    "logo_small.png": (108, 108),
    "logo_medium.png": (240, 84),
    "logo_min.png": (84, 84),
}
STEP_PICTURE: Final = ("logo_dp.png", (174, 109))  # with the location digital_pipeline alone
PNG: Final = re.compile(rb"\x89PNG\r\n\x1a\n....IHDR(....)(....)", re.DOTALL)


class Refused(ValueError):
    """Kommo does not take the zip.

    Args:
        broken: the broken rules as sentences, at least one; a hostile manifest can break thousands, some are kept.
        answer: what Kommo says.
    """

    def __init__(self, broken: tuple[str, ...], answer: str = WENT_WRONG) -> None:
        """Keep both sides' words."""
        super().__init__(answer)
        more = (f"And {len(broken) - TOLD_MAX:,} more.",) if len(broken) > TOLD_MAX else ()
        self.broken = (*(_short(fault) for fault in broken[:TOLD_MAX]), *more)
        self.answer = answer


def judge(blob: bytes, *, newer_than: str = "") -> Package:
    """Give the widget in the zip.

    Args:
        blob: the uploaded file.
        newer_than: the version that is here already; empty when none is.

    Raises:
        Refused: one rule or more is broken.
    """
    files = _opened(blob)
    manifest = _read_object(files, MANIFEST)
    texts = {locale: _texts(files, locale) for locale in _locales(manifest)}
    broken = [*manifest_faults(manifest, files), *_version_faults(manifest, newer_than), *_script_faults(files)]
    broken += [*_text_faults(manifest, texts), *_picture_faults(manifest, files)]
    if broken:
        settings_alone = all("“settings”" in fault for fault in broken)
        raise Refused(tuple(broken), SETTINGS_REQUIRED if settings_alone else WENT_WRONG)
    return read_package(manifest, {name: found for name, found in texts.items() if isinstance(found, dict)}, files)


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= SENTENCE_MAX_CHARS else f"{sentence[: SENTENCE_MAX_CHARS - 1]}…"


def _opened(blob: bytes) -> dict[str, bytes]:
    try:
        files = open_archive(blob)
    except BadArchive as error:
        raise Refused((str(error),)) from error
    if folder := top_folder(files):
        raise Refused((f"Everything lies in the folder “{folder}”; manifest.json has to lie at the top of the zip.",))
    return files


def _read_object(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    found = _parsed(files, name)
    if isinstance(found, str):
        raise Refused((found,))
    return found


def _parsed(files: Mapping[str, bytes], name: str) -> dict[str, Any] | str:
    """Give the JSON object of a file, or the sentence that says why there is none."""
    if name not in files:
        return f"{name} is missing."
    try:
        found = json.loads(files[name].decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return f"{name} is not JSON ({error}); comments and trailing commas are not allowed in it."
    return found if isinstance(found, dict) else f"{name} must hold a JSON object."


def _no_number(name: str) -> float:
    """Python would read NaN and Infinity, which JSON does not have."""
    raise ValueError(f"{name} is no number")


def _locales(manifest: Mapping[str, Any]) -> list[str]:
    listed = part(manifest, "widget", "locale")
    return [locale for locale in listed if isinstance(locale, str)] if isinstance(listed, list) else []


def _texts(files: Mapping[str, bytes], locale: str) -> dict[str, Any] | str:
    return _parsed(files, f"i18n/{locale}.json")


def _version_faults(manifest: Mapping[str, Any], newer_than: str) -> Iterator[str]:
    version = part(manifest, "widget", "version")
    if not isinstance(version, str) or not re.fullmatch(r"\d{1,9}\.\d{1,9}\.\d{1,9}", version, re.ASCII):
        yield "widget.version must be written as x.y.z, in digits."
    elif newer_than and version_number(version) <= version_number(newer_than):
        yield f"widget.version has not grown: it is {version}, and {newer_than} was uploaded before."


def _script_faults(files: Mapping[str, bytes]) -> Iterator[str]:
    if not files.get(SCRIPT, b"").strip():
        yield f"{SCRIPT} is missing or empty."


def _text_faults(manifest: Mapping[str, Any], texts: Mapping[str, dict[str, Any] | str]) -> Iterator[str]:
    yield from (found for found in texts.values() if isinstance(found, str))
    read = {locale: found for locale, found in texts.items() if isinstance(found, dict)}
    for locale, found in read.items():
        for key in named_texts(manifest):
            if not isinstance(part(found, *key.split(".")), str):
                yield f"i18n/{locale}.json has no text “{key}”, which manifest.json names."
    shapes = {locale: frozenset(_keys(found)) for locale, found in read.items()}
    for locale, shape in shapes.items():
        if shape != next(iter(shapes.values())):
            yield f"i18n/{locale}.json has other keys than i18n/{next(iter(shapes))}.json."


def _keys(texts: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in texts.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def _picture_faults(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[str]:
    locations = part(manifest, "locations")
    wanted = dict(PICTURES)
    if isinstance(locations, list) and "digital_pipeline" in locations:
        wanted |= [STEP_PICTURE]
    for name, size in wanted.items():
        picture = files.get(f"images/{name}")
        fault = _picture_fault(picture, size) if picture is not None else "is missing"
        if fault:
            yield f"images/{name} {fault}."


def _picture_fault(picture: bytes, size: tuple[int, int]) -> str:
    if len(picture) > PICTURE_MAX_BYTES:
        return f"is larger than {PICTURE_MAX_BYTES // 1024} KB"
    head = PNG.match(picture)
    if not head:
        return "is no PNG"
    width, height = (struct.unpack(">I", side)[0] for side in head.groups())
    return "" if (width, height) == size else f"is {width} × {height} pixels; it must be {size[0]} × {size[1]}"
