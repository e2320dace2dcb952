"""Widget zips for tests: ours, and ours with something changed."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

from bots.widget import build_widget

HOOK_URL = "https://bridge.example.com/kommo/acme-hook-key/widget-request/"
VALUES: dict[str, Any] = {
    "hook_url": HOOK_URL,
    "support_link": "https://bridge.example.com",
    "support_email": "owner@acme.test",
    "account_name": "Acme",
}


def our_zip(**values: Any) -> bytes:
    """Build the widget of Acme, version 1.0.0 unless told otherwise."""
    return build_widget(**{"version": "1.0.0", **VALUES} | values)


def files_of(zip_bytes: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(zip_bytes)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_of(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo("placeholder")
            entry.filename = name  # the constructor would cut a NUL off
            entry.compress_type = method
            archive.writestr(entry, content, compresslevel=1)
    return buffer.getvalue()


def ours(change: Callable[[dict[str, bytes]], Any] = len) -> bytes:
    """Give our zip after `change` had its way with the files."""
    files = files_of(our_zip())
    change(files)
    return zip_of(files)


def with_json(name: str, change: Callable[[Any], Any]) -> bytes:
    """Give our zip with one of its JSON files changed in place."""

    def changed(files: dict[str, bytes]) -> None:
        content = json.loads(files[name])
        change(content)
        files[name] = json.dumps(content).encode()

    return ours(changed)


def with_manifest(**parts: Any) -> bytes:
    """Give our zip with values of the manifest replaced, by path with __ for the points; ... takes a value out."""

    def change(manifest: dict[str, Any]) -> None:
        for path, value in parts.items():
            *folders, last = path.split("__")
            part = manifest
            for folder in folders:
                part = part[folder]
            if value is ...:
                del part[last]
            else:
                part[last] = value

    return with_json("manifest.json", change)


def with_file(name: str, content: bytes | None) -> bytes:
    """Give our zip with one file replaced, or left out for None."""
    return ours(lambda files: files.pop(name) if content is None else files.update({name: content}))


def a_png(width: int, height: int, *, padding: int = 0) -> bytes:
    """Make a grey PNG, larger by some bytes of a chunk that nobody reads."""
    rows = zlib.compress(bytes(height * (width + 1)))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")]
    if padding:
        chunks.insert(1, (b"teSt", bytes(padding)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
