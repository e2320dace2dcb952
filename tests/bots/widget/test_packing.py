"""The builder: the same bytes every time, and what belongs into them."""

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from bots.widget import LOCALES, CannotBuild, check_widget, content_digest, packing
from tests.bots.widget.zips import HOOK_URL, VALUES, files_of, our_zip

REBUILD = """
import hashlib, json, sys
from bots.widget import build_widget
print(hashlib.sha256(build_widget(version="1.0.0", **json.loads(sys.argv[1]))).hexdigest())
"""


def manifest_of(zip_bytes):
    return json.loads(files_of(zip_bytes)["manifest.json"])


@pytest.mark.parametrize("hosts", ["kommo", "amocrm"])
@pytest.mark.parametrize("version", ["1.0.0", "1.0.2", "12.34.56"])
def test_what_we_build_keeps_every_rule(hosts, version):
    assert check_widget(our_zip(hosts=hosts, version=version), hosts=hosts) == ()


@pytest.mark.parametrize("account_name", ["", "Acme", "Ñandú & Söhne </script> '\"`${x} \u2028 {{lead.id}}", "x" * 500])
def test_any_account_name_makes_a_zip_that_keeps_every_rule(account_name):
    assert check_widget(our_zip(account_name=account_name)) == ()


def test_another_process_builds_the_same_bytes():
    here = our_zip()
    command = [sys.executable, "-c", REBUILD, json.dumps(VALUES)]
    digests = {subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert digests == {f"{hashlib.sha256(here).hexdigest()}\n"}


@pytest.mark.parametrize("hosts", ["kommo", "amocrm"])
def test_each_locale_has_its_texts_and_its_picture(hosts):
    zip_bytes = our_zip(hosts=hosts)
    locales = LOCALES[hosts]
    files, manifest = files_of(zip_bytes), manifest_of(zip_bytes)
    assert manifest["widget"]["locale"] == list(locales)
    assert {name for name in files if name.startswith("i18n/")} == {f"i18n/{locale}.json" for locale in locales}
    assert manifest["tour"]["tour_images"] == {locale: [f"/images/tour_{locale}.png"] for locale in locales}
    assert len({files[f"images/tour_{locale}.png"] for locale in locales}) == len(locales)


def test_russian_is_for_amocrm_only():
    assert "ru" not in manifest_of(our_zip())["widget"]["locale"]
    assert "ru" in manifest_of(our_zip(hosts="amocrm"))["widget"]["locale"]


def test_the_address_and_the_version_are_in_the_script():
    script = files_of(our_zip(version="3.2.1"))["script.js"].decode()
    assert f'"hook_url": "{HOOK_URL}"' in script
    assert '"version": "3.2.1"' in script
    assert "@@" not in script


def test_names_have_forward_slashes_and_the_archive_neither_folders_nor_zip64():
    with zipfile.ZipFile(io.BytesIO(our_zip())) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries if "\\" in entry.filename or entry.is_dir()] == []
    assert {entry.extract_version for entry in entries} == {20}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_DEFLATED}
    assert len({entry.date_time for entry in entries}) == 1


def test_support_is_what_the_caller_said():
    assert manifest_of(our_zip())["widget"]["support"] == {
        "link": "https://bridge.example.com",
        "email": "owner@acme.test",
    }


def test_an_http_address_with_a_port_is_fine_for_a_trial():
    url = "http://127.0.0.1:8000/kommo/acme-hook-key/widget-request/"
    assert check_widget(our_zip(hook_url=url, support_link="http://127.0.0.1:8000")) == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("hook_url", "", id="no address"),
        pytest.param("hook_url", "/kommo/key/widget-request/", id="a path alone"),
        pytest.param("hook_url", "ftp://bridge.example.com/", id="another scheme"),
        pytest.param("hook_url", "https://bridge.example.com/{{lead.id}}/", id="a placeholder in the address"),
        pytest.param("hook_url", "https://bridge.example.com/a b", id="a space in the address"),
        pytest.param("hook_url", "https:///kommo/key/", id="an address without host"),
        pytest.param("hook_url", "https://[::1/kommo", id="half a bracket"),
        pytest.param("hook_url", "https://bridge.example.com/" + "x" * 500, id="a very long address"),
        pytest.param("hook_url", "https://bridge.example.com/\n", id="a line break"),
        pytest.param("support_link", "javascript:alert(1)", id="a script as link"),
        pytest.param("support_email", "nobody", id="no e-mail address"),
        pytest.param("support_email", "", id="an empty e-mail address"),
        pytest.param("version", "1.0", id="two numbers"),
        pytest.param("version", "1.0.0-beta", id="a version with a word"),
        pytest.param("version", "01.0.0", id="a version with a leading zero"),
        pytest.param("hosts", "zoho", id="unknown hosts"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(field, value):
    with pytest.raises(CannotBuild, match=f"^{field}: must be ") as caught:
        our_zip(**{field: value})
    assert caught.value.fault.field == field
    assert caught.value.fault.remedy


def test_the_digest_leaves_out_the_version_alone():
    plain = content_digest(**VALUES)
    others = {
        content_digest(**VALUES | {"hook_url": HOOK_URL.replace("acme", "rival")}),
        content_digest(**VALUES | {"account_name": "Rival"}),
        content_digest(**VALUES | {"support_link": "https://help.example.com"}),
        content_digest(**VALUES | {"support_email": "editor@acme.test"}),
        content_digest(**VALUES, hosts="amocrm"),
    }
    assert content_digest(**VALUES) == plain
    assert len(others - {plain}) == 5
    assert re.fullmatch(r"[0-9a-f]{64}", plain)


def test_the_digest_changes_with_a_file_of_ours(tmp_path, monkeypatch):
    before = content_digest(**VALUES)
    shutil.copytree(packing.FILES, tmp_path / "files")
    monkeypatch.setattr(packing, "FILES", tmp_path / "files")
    assert content_digest(**VALUES) == before
    logo = tmp_path / "files" / "images" / "logo.png"
    logo.write_bytes(logo.read_bytes() + b" ")
    assert content_digest(**VALUES) != before
