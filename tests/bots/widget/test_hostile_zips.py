"""Zips from anybody: large, lying, locked, linked or damaged ones end in a breach, quickly and without a crash."""

import io
import random
import stat
import struct
import time
import zipfile
from collections.abc import Callable

import pytest

from bots.widget import ZIP_MAX_BYTES, check_widget
from bots.widget.facts import ENTRIES_MAX, SCRIPT_MAX_BYTES
from tests.bots.widget.zips import files_of, our_zip, ours, with_file, zip_of

MEGABYTE = 1024 * 1024
ANEW = "pack it anew with an ordinary zip program."
NO_ZIP = "zip: must be a zip archive, and this file is none; choose the .zip that you would upload."
DAMAGED = f"zip: must be readable to its last file, and this one is damaged; {ANEW}"


def packed(pack: Callable[[zipfile.ZipFile], object]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        pack(archive)
    return buffer.getvalue()


def zip64() -> bytes:
    """Write our files as a stream whose size is unknown, which makes zipfile use zip64."""
    files = files_of(our_zip())

    def pack(archive: zipfile.ZipFile) -> None:
        for name, content in files.items():
            with archive.open(name, "w", force_zip64=True) as entry:
                entry.write(content)

    return packed(pack)


def zip64_directory() -> bytes:
    """Give our zip with a directory that ends as zip64 does, before the usual end."""
    zip_bytes = our_zip()
    end = zip_bytes.rindex(b"PK\x05\x06")
    count, size, offset = struct.unpack_from("<HII", zip_bytes, end + 10)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    return zip_bytes[:end] + record + locator + zip_bytes[end:]


def linked() -> bytes:
    files = files_of(our_zip())

    def pack(archive: zipfile.ZipFile) -> None:
        for name, content in files.items():
            archive.writestr(name, content)
        link = zipfile.ZipInfo("style.css")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")

    return packed(pack)


def doubled() -> bytes:
    files = files_of(our_zip())
    entries = [*files.items(), ("script.js", files["script.js"])]

    def pack(archive: zipfile.ZipFile) -> None:
        for name, content in entries:
            archive.writestr(name, content)

    with pytest.warns(UserWarning, match="Duplicate name"):
        return packed(pack)


def encrypted() -> bytes:
    zip_bytes = bytearray(zip_of({"manifest.json": b"{}"}))
    zip_bytes[6] |= 1
    zip_bytes[zip_bytes.index(b"PK\x01\x02") + 8] |= 1
    return bytes(zip_bytes)


def bomb() -> bytes:
    return zip_of(files_of(our_zip()) | {f"{n}.css": bytes(8 * MEGABYTE) for n in range(4)})


def lying_bomb() -> bytes:
    """Give a file that says it has ten bytes and unpacks to 64 MB."""
    zip_bytes = zip_of({"manifest.json": bytes(64 * MEGABYTE)})
    return zip_bytes.replace((64 * MEGABYTE).to_bytes(4, "little"), (10).to_bytes(4, "little"))


HOSTILE = [
    pytest.param(
        lambda: b"",
        NO_ZIP,
        id="nothing",
    ),
    pytest.param(
        lambda: b"%PDF-1.7" * 99,
        NO_ZIP,
        id="a PDF",
    ),
    pytest.param(
        lambda: b"Rar!\x1a\x07\x00",
        NO_ZIP,
        id="a RAR",
    ),
    pytest.param(
        lambda: bytes(ZIP_MAX_BYTES + 1),
        "zip: must not be larger than 10 MB; leave out what isn't needed.",
        id="a file of 10 MB",
    ),
    pytest.param(
        lambda: zip_of({}),
        f"zip: must hold manifest.json, script.js, i18n and images, and it is empty; {ANEW}",
        id="an empty zip",
    ),
    pytest.param(
        lambda: zip_of({"images/": b"", "i18n/": b""}),
        f"zip: must hold manifest.json, script.js, i18n and images, and it is empty; {ANEW}",
        id="folders alone",
    ),
    pytest.param(bomb, "zip: must not unpack to more than 30 MB; leave out what isn't needed.", id="a bomb"),
    pytest.param(
        lying_bomb,
        DAMAGED,
        id="a bomb that lies",
    ),
    pytest.param(
        lambda: zip_of({f"{n}.css": b"" for n in range(ENTRIES_MAX + 1)}),
        "zip: must not hold more than 500 files; leave out what isn't needed.",
        id="too many files",
    ),
    pytest.param(
        lambda: b"PK\x01\x02" * 200_000 + b"PK\x05\x06",
        "zip: must not hold more than 500 files; leave out what isn't needed.",
        id="a directory alone",
    ),
    pytest.param(
        encrypted,
        "zip: must not hold encrypted files, such as manifest.json; pack it anew without a password.",
        id="encrypted",
    ),
    pytest.param(
        lambda: zip_of(files_of(our_zip()), method=zipfile.ZIP_LZMA),
        f"zip: must be packed by plain deflate, unlike manifest.json, script.js, i18n/en.json and 15 more; {ANEW}",
        id="LZMA",
    ),
    pytest.param(
        zip64,
        "zip: must not use zip64, which Kommo can't read; pack it anew with zip64 switched off.",
        id="zip64 files",
    ),
    pytest.param(
        zip64_directory,
        "zip: must not use zip64, which Kommo can't read; pack it anew with zip64 switched off.",
        id="a zip64 directory",
    ),
    pytest.param(linked, "zip: must hold no links, such as style.css; pack the file itself.", id="a link"),
    pytest.param(
        doubled,
        f"zip: must hold each file once, unlike script.js; {ANEW}",
        id="a file twice",
    ),
    pytest.param(
        lambda: our_zip()[:-100],
        NO_ZIP,
        id="cut off at the end",
    ),
    pytest.param(
        lambda: our_zip()[5000:],
        DAMAGED,
        id="cut off at the start",
    ),
    pytest.param(
        lambda: with_file("manifest.json", b" " * 600_000),
        "manifest.json: must not have more than 512 KB; shorten it.",
        id="a large manifest",
    ),
    pytest.param(
        lambda: with_file("manifest.json", b"[" * 200_000),
        "manifest.json: must be JSON in UTF-8; save it as UTF-8 and check it for odd values.",
        id="a deep manifest",
    ),
    pytest.param(
        lambda: with_file("manifest.json", b'{"a":' + b"9" * 100_000 + b"}"),
        "manifest.json: must be JSON in UTF-8; save it as UTF-8 and check it for odd values.",
        id="a number of 100,000 digits",
    ),
    pytest.param(
        lambda: with_file("script.js", b"x" * (SCRIPT_MAX_BYTES + 1)),
        "script.js: must not have more than 1024 KB; minify it.",
        id="a large script",
    ),
]


@pytest.mark.parametrize(("hostile", "sentence"), HOSTILE)
def test_a_hostile_zip_is_refused_in_one_sentence(hostile, sentence):
    zip_bytes = hostile()
    started = time.monotonic()
    found = check_widget(zip_bytes)
    assert [str(one) for one in found] == [sentence]
    assert time.monotonic() - started < 10  # seconds; usually 0.1


@pytest.mark.parametrize("name", ["a\0b", "\x1b[31mred.css", "x" * 5000, "emoji😀.css", "new\nline"])
def test_an_odd_name_is_told_on_one_short_line_or_not_at_all(name):
    for one in check_widget(ours(lambda files: files.update({f"../{name}": b""}))):
        assert str(one).isprintable()
        assert len(str(one)) < 300


def test_texts_nested_a_thousand_deep_are_compared_without_a_crash():
    deep = b'{"a":' * 900 + b"1" + b"}" * 900
    found = check_widget(with_file("i18n/es.json", deep))
    assert {one.file for one in found} > {"i18n/es.json"}


@pytest.mark.parametrize("depth", [300, 900, 950, 980, 5000])
def test_a_value_of_any_depth_is_told_on_one_short_line(depth):
    deep = b'{"widget": {"version": ' + b"[" * depth + b"]" * depth + b"}}"
    for one in check_widget(with_file("manifest.json", deep)):
        assert str(one).isprintable()
        assert len(str(one)) < 300


@pytest.mark.parametrize("place", ["name", "version", "locale", "support", "installation"])
@pytest.mark.parametrize("value", ["[]", "{}", "null", "true", "1e999", '"\\u0000"', "[[[]]]", '{"a": [1]}', "-1"])
def test_any_json_value_in_any_place_is_judged(place, value):
    manifest = files_of(our_zip())["manifest.json"].decode()
    spoilt = manifest.replace('"widget": {', f'"widget": {{"{place}": {value},', 1).replace(
        f'"{place}": "', f'"was_{place}": "'
    )
    for one in check_widget(with_file("manifest.json", spoilt.encode())):
        assert str(one).isprintable()


@pytest.mark.parametrize("part", ["widget", "locations", "tour", "settings", "salesbot_designer"])
@pytest.mark.parametrize(
    "value",
    ["[]", "{}", "null", "1", '"x"', '[{"a": 1}, null]', '{"a": null, "b": []}', '{"a": {"settings": {"b": 1}}}'],
)
def test_any_json_value_as_a_part_of_the_manifest_is_judged(part, value):
    spoilt = f'{{"{part}": {value}}}'.encode()
    assert check_widget(with_file("manifest.json", spoilt))


SMALL = zip_of({name: content for name, content in files_of(our_zip()).items() if not name.startswith("images/tour")})


@pytest.mark.parametrize("seed", range(150))
def test_a_damaged_zip_never_crashes_the_judge(seed):
    chance = random.Random(seed)
    spoilt = bytearray(SMALL)
    start = chance.choice([0, len(spoilt) - 1500])  # the directory decides more than the files do
    for _ in range(chance.choice([1, 1, 4, 40])):
        spoilt[chance.randrange(start, len(spoilt))] = chance.randrange(256)
    if chance.random() < 0.3:
        del spoilt[chance.randrange(len(spoilt)) :]
    assert isinstance(check_widget(bytes(spoilt)), tuple)


@pytest.mark.parametrize(
    "piece",
    [
        "/*",
        "//",
        '"',
        "'",
        "`${",
        "`${`",
        "=/[",
        "=/[a",
        "return /",
        "a(",
        "a( ",
        "\\",
        '"\\',
        "/**",
        "a()  {",
        "define (",
    ],
)
def test_a_hostile_script_costs_no_more_than_its_length(piece):
    source = (piece * SCRIPT_MAX_BYTES)[: SCRIPT_MAX_BYTES // 4]
    started = time.monotonic()
    assert check_widget(with_file("script.js", source.encode()))
    assert time.monotonic() - started < 20  # seconds; usually below 1, minutes if it were quadratic
