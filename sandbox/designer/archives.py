"""Opens an uploaded zip in memory, as hostile as it may be, and says what is wrong with the archive itself.

Nothing is written to disk, and no name of the archive is ever used as a path of this machine. Source: protocol §4.1.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

UPLOAD_MAX_BYTES: Final = 8 * 1024 * 1024  # Kommo's own limit is not known; a widget has some hundred kilobytes
UNPACKED_MAX_BYTES: Final = 24 * 1024 * 1024
ENTRIES_MAX: Final = 500
RATIO_MAX: Final = 100  # unpacked to packed; texts and scripts stay below 20
RATIO_FROM_BYTES: Final = 1024 * 1024  # a small file that packs well harms nobody
NAME_MAX_CHARS: Final = 200
READ_BYTES: Final = 64 * 1024

ZIP64_LOCATOR: Final = b"PK\x06\x07"
ZIP64_VERSION: Final = 45
ZIP64_EXTRA: Final = 0x0001
LOCAL_HEADER: Final = struct.Struct("<4s5H3I2H")
ENCRYPTED: Final = 0x1
PLAIN: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UNREADABLE: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    struct.error,
)


class BadArchive(ValueError):
    """The upload is no archive that can be taken; the text is a sentence."""


def open_archive(blob: bytes) -> dict[str, bytes]:
    """Give the files of the zip by their names, folders left out.

    Raises:
        BadArchive: it is no zip, one that Kommo refuses, or one that would harm whoever unpacks it.
    """
    if len(blob) > UPLOAD_MAX_BYTES:
        raise BadArchive(f"The file is larger than {UPLOAD_MAX_BYTES:,} bytes.")
    try:
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            _check_entries(archive, blob)
            return _unpacked(archive)
    except BadArchive:
        raise
    except UNREADABLE as error:
        raise BadArchive("The file is no zip archive, or a damaged one.") from error


def _check_entries(archive: zipfile.ZipFile, blob: bytes) -> None:
    entries = archive.infolist()
    if len(entries) > ENTRIES_MAX:
        raise BadArchive(f"The archive has {len(entries):,} entries; {ENTRIES_MAX} are enough for a widget.")
    if len({entry.orig_filename for entry in entries}) < len(entries):
        raise BadArchive("The archive holds two entries of the same name.")
    if ZIP64_LOCATOR in blob[archive.start_dir :] or any(_is_zip64(entry, blob) for entry in entries):
        raise BadArchive("The archive is written as zip64; pack it as a plain zip.")
    for fault in (fault for entry in entries for fault in _entry_faults(entry)):
        raise BadArchive(fault)


def _is_zip64(entry: zipfile.ZipInfo, blob: bytes) -> bool:
    """Look into both headers: a packer may write the mark into the local one alone."""
    _mark, version, *_between, name, extra = LOCAL_HEADER.unpack_from(blob, entry.header_offset)
    begin = entry.header_offset + LOCAL_HEADER.size + name
    kinds = {kind for field in (entry.extra, blob[begin : begin + extra]) for kind in _extra_kinds(field)}
    return ZIP64_VERSION in (version, entry.extract_version) or ZIP64_EXTRA in kinds


def _extra_kinds(field: bytes) -> Iterator[int]:
    while len(field) >= 4:
        kind, length = struct.unpack_from("<HH", field)
        yield kind
        field = field[4 + length :]


def _entry_faults(entry: zipfile.ZipInfo) -> Iterator[str]:
    name = entry.orig_filename
    if "\\" in name:
        yield f"“{_short(name)}” is written with a backslash; paths in the archive are written with /."
    if re.match(r"/|[A-Za-z]:", name) or ".." in name.split("/") or re.search(r"[\x00-\x1f\x7f]", name):
        yield f"“{_short(name)}” leads out of the archive."
    if len(name) > NAME_MAX_CHARS:
        yield f"“{_short(name)}” is a name of more than {NAME_MAX_CHARS} characters."
    if stat.S_ISLNK(entry.external_attr >> 16):
        yield f"“{_short(name)}” is a link, not a file."
    if entry.flag_bits & ENCRYPTED:
        yield f"“{_short(name)}” is encrypted."
    if entry.compress_type not in PLAIN:
        yield f"“{_short(name)}” is packed in another way than deflate."
    yield from _size_faults(entry)


def _size_faults(entry: zipfile.ZipInfo) -> Iterator[str]:
    """Judge what the archive says of itself; what it really holds is counted while it is read."""
    if entry.file_size > RATIO_FROM_BYTES and entry.file_size > RATIO_MAX * max(entry.compress_size, 1):
        yield f"“{_short(entry.orig_filename)}” unpacks to more than {RATIO_MAX} times its size."


def _unpacked(archive: zipfile.ZipFile) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = UNPACKED_MAX_BYTES
    for entry in archive.infolist():
        if not entry.is_dir():
            files[entry.orig_filename] = _read(archive, entry, left)
            left -= len(files[entry.orig_filename])
    return files


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    parts = bytearray()
    with archive.open(entry) as packed:
        while part := packed.read(READ_BYTES):
            parts += part
            if len(parts) > left:
                raise BadArchive(f"The archive unpacks to more than {UNPACKED_MAX_BYTES:,} bytes.")
    return bytes(parts)


def top_folder(files: Mapping[str, bytes]) -> str:
    """Give the folder that encloses everything, empty when the manifest lies at the top as it must."""
    tops = {name.split("/", 1)[0] for name in files if "/" in name}
    if "manifest.json" in files or len(tops) == 0:
        return ""
    return next((top for top in sorted(tops) if f"{top}/manifest.json" in files), "")


def _short(name: str) -> str:
    plain = "".join(sign if sign.isprintable() else "�" for sign in name)
    return plain if len(plain) <= 80 else f"{plain[:79]}…"
