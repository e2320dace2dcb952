"""Reads a foreign zip without trusting it: what it holds by path, and every rule on the archive itself.

Source: protocol §4.1, §4.4.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from bots.widget.breaches import Breach, breach, listed
from bots.widget.facts import ENTRIES_MAX, UNPACKED_MAX_BYTES, ZIP_MAX_BYTES

Files: TypeAlias = dict[str, bytes]

CENTRAL_ENTRY: Final = b"PK\x01\x02"
END_RECORD: Final = b"PK\x05\x06"
ZIP64_LOCATOR: Final = b"PK\x06\x07"
ZIP64_LOCATOR_BYTES: Final = 20
ZIP64_VERSION: Final = 45
LOCAL_HEADER_BYTES: Final = 30
ENCRYPTED: Final = 0x1
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DRIVE: Final = re.compile(r"[A-Za-z]:")
# all that zipfile was seen to raise on a damaged or hostile archive
DAMAGE: Final = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError),
    *(RuntimeError, NotImplementedError, OverflowError, IndexError),
)

MEGABYTE: Final = 1024 * 1024
REPACK: Final = "pack it anew with an ordinary zip program"
LIFT: Final = "pack the files themselves, not the folder around them"


def read_archive(zip_bytes: bytes) -> tuple[Files, list[Breach]]:
    """Unpack a zip into memory, within limits.

    Returns:
        The files by path, and the breaches. Paths are told as they should have been, with forward slashes and without
        a folder around them, so that the rest can be judged in the same go. Without files there is a breach.
    """
    if refusal := _refusal(zip_bytes):
        return {}, [refusal]
    try:
        with zipfile.ZipFile(io.BytesIO(zip_bytes)) as archive:
            entries = archive.infolist()
            if refusal := _too_much(entries) or _unsupported(entries):
                return {}, [refusal]
            found = [*_zip64(zip_bytes, entries), *_names(entries)]
            folder = _enclosing([entry.orig_filename for entry in entries])
            return {_lifted(entry, folder): archive.read(entry) for entry in entries if not entry.is_dir()}, found
    except DAMAGE:
        return {}, [breach("zip", "must be readable to its last file, and this one is damaged", REPACK)]


def _refusal(zip_bytes: bytes) -> Breach | None:
    """Refuse before anything is parsed."""
    if len(zip_bytes) > ZIP_MAX_BYTES:
        return breach("zip", f"must not be larger than {ZIP_MAX_BYTES // MEGABYTE} MB", "leave out what isn't needed")
    if END_RECORD not in zip_bytes:
        return breach("zip", "must be a zip archive, and this file is none", "choose the .zip that you would upload")
    # counted in the bytes: the number in the end record may lie, and parsing a hundred thousand entries takes long
    if zip_bytes.count(CENTRAL_ENTRY) > ENTRIES_MAX:
        return breach("zip", f"must not hold more than {ENTRIES_MAX} files", "leave out what isn't needed")
    return None


def _too_much(entries: Sequence[zipfile.ZipInfo]) -> Breach | None:
    if all(entry.is_dir() for entry in entries):
        return breach("zip", "must hold manifest.json, script.js, i18n and images, and it is empty", REPACK)
    # zipfile unpacks no more than an entry declares, so the declared sizes bound the memory
    if sum(entry.file_size for entry in entries) > UNPACKED_MAX_BYTES:
        rule = f"must not unpack to more than {UNPACKED_MAX_BYTES // MEGABYTE} MB"
        return breach("zip", rule, "leave out what isn't needed")
    return None


def _unsupported(entries: Sequence[zipfile.ZipInfo]) -> Breach | None:
    if locked := [entry.filename for entry in entries if entry.flag_bits & ENCRYPTED]:
        return breach(
            "zip", f"must not hold encrypted files, such as {listed(locked)}", "pack it anew without a password"
        )
    if odd := [entry.filename for entry in entries if entry.compress_type not in METHODS]:
        return breach("zip", f"must be packed by plain deflate, unlike {listed(odd)}", REPACK)
    return None


def _zip64(zip_bytes: bytes, entries: Sequence[zipfile.ZipInfo]) -> Iterator[Breach]:
    end = zip_bytes.rfind(END_RECORD)
    has_locator = zip_bytes[max(end - ZIP64_LOCATOR_BYTES, 0) : end].startswith(ZIP64_LOCATOR)
    if has_locator or any(_needs_zip64(zip_bytes, entry) for entry in entries):
        yield breach("zip", "must not use zip64, which Kommo can't read", "pack it anew with zip64 switched off")


def _needs_zip64(zip_bytes: bytes, entry: zipfile.ZipInfo) -> bool:
    header = zip_bytes[entry.header_offset : entry.header_offset + LOCAL_HEADER_BYTES]
    declared = int.from_bytes(header[4:6], "little")
    return max(declared, entry.extract_version) >= ZIP64_VERSION


def _names(entries: Sequence[zipfile.ZipInfo]) -> Iterator[Breach]:
    names = [entry.orig_filename for entry in entries]
    if slanted := [name for name in names if "\\" in name]:
        rule = f"must separate folders by / and not by a backslash as in {listed(slanted)}"
        yield breach("zip", rule, "pack it with a program that writes forward slashes")
    if fleeing := [name for name in names if _flees(name)]:
        rule = f"must hold no paths that lead out of it, such as {listed(fleeing)}"
        yield breach("zip", rule, "name files relative to the top of the zip")
    if links := [entry.filename for entry in entries if stat.S_ISLNK(entry.external_attr >> 16)]:
        yield breach("zip", f"must hold no links, such as {listed(links)}", "pack the file itself")
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        yield breach("zip", f"must hold each file once, unlike {listed(twice)}", REPACK)
    if folder := _enclosing(names):
        rule = f"must have manifest.json at its top, and it lies in the folder {listed([folder])}"
        yield breach("zip", rule, LIFT)


def _lifted(entry: zipfile.ZipInfo, folder: str) -> str:
    return entry.orig_filename.replace("\\", "/").removeprefix(f"{folder}/")


def _flees(name: str) -> bool:
    path = name.replace("\\", "/")
    return path.startswith("/") or bool(DRIVE.match(path)) or ".." in path.split("/") or "\0" in path


def _enclosing(names: Sequence[str]) -> str:
    paths = [name.replace("\\", "/") for name in names]
    if "manifest.json" in paths:
        return ""
    folders = [path.removesuffix("/manifest.json") for path in paths if path.endswith("/manifest.json")]
    return min(folders, key=len, default="")
