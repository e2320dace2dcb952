"""Which zips are taken, and which rule the others break."""

import io
import json
import zipfile
from typing import Any

import pytest
import requests

from sandbox.designer import archives
from tests.sandbox.widgets import (
    ENGLISH,
    a_manifest,
    a_png,
    a_widget,
    broken_rules,
    designer,
    files_of,
    packed,
    upload,
)

WENT_WRONG = {"error": "Something went wrong"}


def without(*names: str) -> bytes:
    return packed({name: data for name, data in files_of().items() if name not in names})


def having(**files: bytes) -> bytes:
    """Pack the good widget with other files; `__` stands for a slash, `_json` and `_png` for the ending."""
    named = {
        name.replace("__", "/").replace("_json", ".json").replace("_png", ".png"): data for name, data in files.items()
    }
    return packed(files_of() | named)


def manifested(change: Any) -> bytes:
    return packed(files_of(a_manifest(change)))


def renamed(rename: Any) -> bytes:
    return packed({rename(name): data for name, data in files_of().items()})


def entry(name: str, data: bytes = b"x", *, attributes: int = 0) -> bytes:
    """Pack the good widget and one entry more."""
    out = io.BytesIO(packed(files_of()))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr, info.compress_type = attributes, zipfile.ZIP_DEFLATED
        archive.writestr(info, data)
    return out.getvalue()


def encrypted() -> bytes:
    """Set the flag of encryption in every header of the directory."""
    blob = bytearray(packed(files_of()))
    at = blob.find(b"PK\x01\x02")
    while at >= 0:
        blob[at + 8] |= 1
        at = blob.find(b"PK\x01\x02", at + 1)
    return bytes(blob)


def bent(at: int) -> bytes:
    """Change a byte inside the packed data."""
    blob = bytearray(packed(files_of()))
    blob[at] ^= 0xFF
    return bytes(blob)


def bzipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
        for name, data in files_of().items():
            archive.writestr(name, data)
    return out.getvalue()


BROKEN = {
    "no zip": (b"PK is how it begins", "no zip archive"),
    "an empty file": (b"", "no zip archive"),
    "a damaged zip": (bent(120), "no zip archive"),
    "zip64": (packed(files_of(), zip64=True), "zip64"),
    "backslashes": (renamed(lambda name: name.replace("/", "\\")), "backslash"),
    "an enclosing folder": (renamed(lambda name: f"widget/{name}"), "lies in the folder “widget”"),
    "a way out of the archive": (entry("images/../../evil.png"), "leads out of the archive"),
    "an absolute path": (entry("/etc/cron.d/evil"), "leads out of the archive"),
    "a drive": (entry("C:/evil.js"), "leads out of the archive"),
    "a link": (entry("images/link.png", b"/etc/passwd", attributes=0o120777 << 16), "is a link"),
    "an encrypted zip": (encrypted(), "is encrypted"),
    "another packing": (bzipped(), "another way than deflate"),
    "a bomb": (entry("bomb.txt", b"\0" * 20_000_000), "unpacks to more than 100 times"),
    "too many entries": (packed(files_of() | {f"x/{number}": b"" for number in range(500)}), "entries"),
    "manifest missing": (without("manifest.json"), "manifest.json is missing"),
    "manifest with a comment": (having(manifest_json=b"{// the tutorial's\n}"), "manifest.json is not JSON"),
    "manifest with a trailing comma": (having(manifest_json=b'{"widget": {},}'), "manifest.json is not JSON"),
    "manifest not UTF-8": (having(manifest_json=b'{"widget": "\xff"}'), "manifest.json is not JSON"),
    "manifest with NaN": (having(manifest_json=b'{"widget": NaN}'), "manifest.json is not JSON"),
    "manifest is a list": (having(manifest_json=b"[]"), "must hold a JSON object"),
    "manifest empty": (having(manifest_json=b"{}"), "widget.version must be written as x.y.z"),
    "manifest too deep": (having(manifest_json=b"[" * 200_000), "manifest.json is not JSON"),
    "script missing": (without("script.js"), "script.js is missing"),
    "script empty": (packed(files_of() | {"script.js": b" \n"}), "script.js is missing or empty"),
    "a locale without its file": (without("i18n/es.json"), "i18n/es.json is missing"),
    "i18n not JSON": (having(i18n__es_json=b"{"), "i18n/es.json is not JSON"),
    "i18n of another shape": (
        having(i18n__es_json=json.dumps(ENGLISH | {"more": "x"}).encode()),
        "i18n/es.json has other keys than i18n/en.json",
    ),
    "a text that is nowhere": (
        manifested(lambda whole: whole["settings"]["team"].update(name="settings.gone")),
        "has no text “settings.gone”",
    ),
    "a locale that Kommo has not": (
        packed(files_of(a_manifest(lambda whole: whole["widget"].update(locale=["xx"]))) | {"i18n/xx.json": b"{}"}),
        "widget.locale must list some of",
    ),
    "a picture missing": (without("images/logo_min.png"), "images/logo_min.png is missing"),
    "a picture of another size": (
        having(images__logo_png=a_png(130, 101)),
        "is 130 × 101 pixels; it must be 130 × 100",
    ),
    "a picture that is no PNG": (having(images__logo_png=b"GIF89a"), "images/logo.png is no PNG"),
    "a picture too heavy": (having(images__logo_png=a_png(130, 100, padding=310_000)), "larger than 300 KB"),
    "the pipeline's picture missing": (
        manifested(lambda whole: whole["locations"].append("digital_pipeline")),
        "images/logo_dp.png is missing",
    ),
    "no tour": (manifested(lambda whole: whole.pop("tour")), "tour.is_tour must be true"),
    "a tour switched off": (manifested(lambda whole: whole["tour"].update(is_tour=False)), "tour.is_tour must be true"),
    "a tour without a picture": (
        manifested(lambda whole: whole["tour"].update(tour_images={"en": []})),
        "must name at least one picture",
    ),
    "a tour's picture not in the zip": (without("images/tour.png"), "“/images/tour.png”, which is not in the zip"),
    "a version of two parts": (
        manifested(lambda whole: whole["widget"].update(version="1.0")),
        "widget.version must be written as x.y.z",
    ),
    "another interface": (
        manifested(lambda whole: whole["widget"].update(interface_version=1)),
        "widget.interface_version must be 2",
    ),
    "installation left out": (
        manifested(lambda whole: whole["widget"].pop("installation")),
        "widget.installation must be true or false",
    ),
    "an unknown location": (manifested(lambda whole: whole["locations"].append("moon")), "“moon”, which is not known"),
    "no locations": (manifested(lambda whole: whole.pop("locations")), "locations must list"),
    "a location that is no text": (manifested(lambda whole: whole["locations"].append([])), "which is not known"),
    "a setting of an unknown type": (
        manifested(lambda whole: whole["settings"]["team"].update(type="select")),
        "settings.team.type must be one of text, pass",
    ),
    "a step's field of an unknown type": (
        manifested(lambda whole: whole["salesbot_designer"]["ask"]["settings"]["topic"].update(type="pass")),
        "salesbot_designer.ask.settings.topic.type must be one of text, numeric, url",
    ),
    "the designer's location without a step": (
        manifested(lambda whole: whole.pop("salesbot_designer")),
        "salesbot_designer must declare at least one handler",
    ),
}


@pytest.mark.statement("S4.1.top", "S4.1.slashes", "S4.1.zip64", "S4.2.sizes", "S4.2.weight", "S4.2.pipeline")
@pytest.mark.statement("S4.3.manifest", "S4.3.tour", "S4.3.locations", "S4.4.went-wrong", "S4.5.files", "S4.5.shape")
@pytest.mark.parametrize(("blob", "rule"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_zip_is_refused_tersely_and_the_broken_rule_is_told_beside(sandbox, blob, rule):
    answer = upload(sandbox, blob)

    assert (answer.status_code, answer.json()) == (400, WENT_WRONG)
    assert rule in broken_rules(sandbox)
    assert designer(sandbox).json()["widget"] is None


@pytest.mark.statement("S4.4.taken")
def test_a_good_zip_is_answered_as_kommo_does(sandbox):
    answer = upload(sandbox, a_widget())

    assert (answer.status_code, answer.json()) == (200, {"response": True, "langs": {}})
    told = designer(sandbox).json()
    assert (told["widget"]["version"], told["widget"]["status"], told["refusal"]) == ("1.0.0", "install", None)
    assert [step["code"] for step in told["widget"]["steps"]] == ["ask"]


@pytest.mark.statement("S4.4.settings")
@pytest.mark.parametrize("settings", [{}, None], ids=["empty", "missing"])
def test_a_widget_without_a_setting_is_refused_in_words_of_its_own(sandbox, settings):
    answer = upload(sandbox, manifested(lambda whole: whole.update(settings=settings)))

    assert (answer.status_code, answer.json()) == (400, {"error": '"settings" field is required'})
    assert "must declare at least one setting" in broken_rules(sandbox)


def test_several_broken_rules_are_all_told(sandbox):
    upload(sandbox, without("script.js", "images/logo.png", "i18n/es.json"))

    broken = designer(sandbox).json()["refusal"]["broken"]
    assert [rule.split(" ")[0] for rule in broken] == ["script.js", "i18n/es.json", "images/logo.png"]


def test_of_a_manifest_with_a_thousand_faults_some_are_told_and_none_at_full_length(sandbox):
    fields: dict[str, object] = {f"{number}{'x' * 1000}": {} for number in range(1000)}
    upload(sandbox, manifested(lambda whole: whole.update(settings=fields)))

    broken = designer(sandbox).json()["refusal"]["broken"]
    assert (len(broken), broken[-1]) == (41, "And 1,960 more.")
    assert max(map(len, broken)) == 300


@pytest.mark.statement("S4.3.version")
@pytest.mark.parametrize(
    ("version", "status"), [("1.0.0", 400), ("0.9.9", 400), ("1.0.1", 200), ("1.10.0", 200)], ids=str
)
def test_the_version_must_have_grown(sandbox, version, status):
    upload(sandbox, a_widget(version="1.0.0"))

    assert upload(sandbox, a_widget(version=version)).status_code == status
    assert ("has not grown" in broken_rules(sandbox)) == (status == 400)


def test_versions_are_compared_as_numbers(sandbox):
    upload(sandbox, a_widget(version="1.10.0"))

    assert upload(sandbox, a_widget(version="1.9.0")).status_code == 400


def test_a_refused_zip_leaves_the_widget_that_is_there(sandbox):
    upload(sandbox, a_widget())
    upload(sandbox, b"nonsense")

    assert designer(sandbox).json()["widget"]["version"] == "1.0.0"


def test_a_zip_that_is_too_large_is_refused(sandbox):
    assert upload(sandbox, b"x" * (archives.UPLOAD_MAX_BYTES + 1)).json() == WENT_WRONG
    assert "larger than" in broken_rules(sandbox)


def test_what_unpacks_to_too_much_is_refused_whatever_the_archive_says_of_itself(sandbox, monkeypatch):
    monkeypatch.setattr(archives, "UNPACKED_MAX_BYTES", 2_000)

    assert upload(sandbox, a_widget()).json() == WENT_WRONG
    assert "unpacks to more than 2,000 bytes" in broken_rules(sandbox)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused(sandbox):
    upload(sandbox, entry("script.js", b"alert(1)"))

    assert "two entries of the same name" in broken_rules(sandbox)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"--x--\r\n", "multipart/form-data; boundary=x"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (b"nonsense", "multipart/form-data"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n', "multipart/form-data; boundary=x"),
    ],
    ids=["JSON", "an empty form", "no form", "a form without a boundary", "a form without a file"],
)
def test_an_upload_without_a_file_is_refused(sandbox, body, content_type):
    client_id = sandbox.config.accounts[0].client_id
    address = f"{sandbox.url}/ajax/widgets/{client_id}/widget/upload/"

    answer = requests.post(address, data=body, headers={"Content-Type": content_type}, timeout=10)

    assert (answer.status_code, answer.json()) == (400, WENT_WRONG)


def test_an_upload_for_an_unknown_integration_is_404(sandbox):
    answer = requests.post(
        f"{sandbox.url}/ajax/widgets/nobody/widget/upload/", files={"widget": ("w.zip", a_widget())}, timeout=10
    )

    assert answer.status_code == 404


def test_a_foreign_page_cannot_upload(sandbox):
    client_id = sandbox.config.accounts[0].client_id
    address = f"{sandbox.url}/ajax/widgets/{client_id}/widget/upload/"

    answer = requests.post(
        address, files={"widget": ("w.zip", a_widget())}, headers={"Origin": "https://evil.example"}, timeout=10
    )

    assert answer.status_code == 403
    assert designer(sandbox).json()["widget"] is None


def test_uploads_are_told_in_the_journal(sandbox):
    upload(sandbox, b"nonsense")
    upload(sandbox, a_widget())

    told = [entry for entry in sandbox.journal if entry["kind"].startswith("widget_")]
    assert [(entry["kind"], entry["account"]) for entry in told] == [
        ("widget_refused", "demo"),
        ("widget_uploaded", "demo"),
    ]
    assert (told[0]["answer"], told[1]["version"]) == ("Something went wrong", "1.0.0")


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("script.js", "text/javascript"),
        ("i18n/en.json", "application/json"),
        ("images/logo.png", "image/png"),
        ("page.html", "text/plain"),
        ("drawing.svg", "text/plain"),
    ],
)
def test_a_widgets_files_are_served_under_the_pages_policy_and_never_as_pages(sandbox, name, content_type):
    upload(sandbox, packed(files_of() | {"page.html": b"<script>alert(1)</script>", "drawing.svg": b"<svg/>"}))

    answer = requests.get(f"{sandbox.url}/designer/demo/widget/1.0.0/{name}", timeout=10)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == content_type
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["demo/widget/0.9.0/script.js", "demo/widget/1.0.0/gone.js", "nobody/widget/1.0.0/script.js"]
)
def test_other_files_are_404(sandbox, path):
    upload(sandbox, a_widget())

    assert requests.get(f"{sandbox.url}/designer/{path}", timeout=10).status_code == 404
