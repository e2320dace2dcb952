"""The rules on a widget's pictures. Source: protocol §4.2."""

import struct
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from bots.widget.breaches import Breach, breach
from bots.widget.facts import IMAGE_MAX_BYTES, LOGOS, PIPELINE_LOGO, PIPELINE_LOGO_SIZE, Size

PNG: Final = b"\x89PNG\r\n\x1a\n"
HEADER: Final = struct.Struct(">8sI4sII")
END_CHUNK: Final = b"IEND\xaeB`\x82"
PICTURE_STARTS: Final = (PNG, b"\xff\xd8\xff", b"GIF87a", b"GIF89a")


def logo_breaches(files: Mapping[str, bytes], locations: Collection[object]) -> Iterator[Breach]:
    """Judge the logos; that of the digital pipeline is asked for with its location only."""
    wanted = dict(LOGOS)
    if "digital_pipeline" in locations or PIPELINE_LOGO in files:
        wanted[PIPELINE_LOGO] = PIPELINE_LOGO_SIZE
    for name, size in wanted.items():
        yield from _logo(name, files.get(name), size)


def is_picture(content: bytes) -> bool:
    """Say whether a file begins as PNG, JPEG or GIF do."""
    return content.startswith(PICTURE_STARTS)


def _logo(name: str, content: bytes | None, size: Size) -> Iterator[Breach]:
    written = f"{size[0]} x {size[1]} pixels"
    if content is None:
        yield breach(name, "must be there", f"add it as a PNG of {written}")
        return
    found = _png_size(content)
    if found is None:
        yield breach(name, "must be a whole PNG, and it is none", f"save it as a PNG of {written}")
    elif found != size:
        rule = f"must have {written}, and it has {found[0]} x {found[1]}"
        yield breach(name, rule, "scale it to exactly that size")
    if len(content) > IMAGE_MAX_BYTES:
        rule = f"must not have more than {IMAGE_MAX_BYTES // 1024} KB, and it has {len(content) // 1024}"
        yield breach(name, rule, "save it with fewer colours")


def _png_size(content: bytes) -> Size | None:
    """Give width and height in pixels; None when it is no PNG, or one that was cut off."""
    if len(content) < HEADER.size or END_CHUNK not in content[-64:]:
        return None
    start, length, kind, width, height = HEADER.unpack_from(content)
    is_png = start == PNG and length == 13 and kind == b"IHDR"
    return (width, height) if is_png else None
