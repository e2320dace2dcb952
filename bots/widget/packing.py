"""Builds an account's widget: our files with the account's address in them, as a zip with the same bytes every time."""

import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bots.widget.facts import LOCALES, Hosts
from bots.widget.versions import FIRST_VERSION, is_version
from kommobridge.base.faults import Fault, Faulty

FILES: Final = Path(__file__).parent / "files"
BUILT_MARK: Final = "'@@BUILT@@'"
TOUR: Final = "images/tour_{locale}.png"

# A zip knows no time zone and nothing before 1980; any fixed time will do.
TIMESTAMP: Final = (2026, 1, 1, 0, 0, 0)
UNIX: Final = 3
PLAIN_FILE: Final = 0o100644 << 16

URL_MAX_CHARS: Final = 500
NAME_MAX_CHARS: Final = 120
# what an address is written with, quotes, braces and brackets of markup left out
WEB_ADDRESS: Final = re.compile(r"https?://[!#-&(-;=?-\[\]_a-z~]+")
EMAIL: Final = re.compile(r"[^\s@,;<>]{1,64}@[^\s@,;<>]{1,190}")


class CannotBuild(Faulty):
    """A widget can't be built from these values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    hook_url: str
    account_name: str
    support_link: str
    support_email: str
    hosts: Hosts


def build_widget(
    *,
    hook_url: str,
    version: str,
    support_link: str,
    support_email: str,
    account_name: str = "",
    hosts: Hosts = "kommo",
) -> bytes:
    """Give the zip that the account uploads to Kommo; the same arguments give the same bytes.

    Args:
        hook_url: absolute address that the Widget step calls.
        version: x.y.z; see `next_version`.
        support_link: web page where the account finds help, shown by Kommo.
        support_email: likewise, an address.
        account_name: shown in the widget's settings window; may be empty.
        hosts: "amocrm" adds Russian, which Kommo doesn't take.

    Raises:
        CannotBuild: naming the value that is wrong.

    Source: protocol §4.1, §4.3.
    """
    if not is_version(version):
        raise _cannot("version", "must be three numbers such as 1.0.3", "Give one that is higher than the last.")
    plan = _Plan(
        hook_url=hook_url,
        account_name=account_name,
        support_link=support_link,
        support_email=support_email,
        hosts=hosts,
    )
    return _zipped(_files(_checked(plan), version))


def content_digest(
    *, hook_url: str, support_link: str, support_email: str, account_name: str = "", hosts: Hosts = "kommo"
) -> str:
    """Give a fingerprint of all that a zip of these values holds, its version left out: 64 hexadecimal digits.

    It changes when a value changes and when a release of ours changes a file; how the zip is compressed plays no part.

    Raises:
        CannotBuild: naming the value that is wrong.
    """
    plan = _Plan(
        hook_url=hook_url,
        account_name=account_name,
        support_link=support_link,
        support_email=support_email,
        hosts=hosts,
    )
    digest = hashlib.sha256()
    for name, content in _files(_checked(plan), FIRST_VERSION).items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _cannot(field: str, rule: str, remedy: str) -> CannotBuild:
    return CannotBuild(Fault(field, rule, remedy))


def _checked(plan: _Plan) -> _Plan:
    if plan.hosts not in LOCALES:
        raise _cannot("hosts", "must be kommo or amocrm", "Take kommo unless the account lives on amocrm.ru.")
    for field, url in (("hook_url", plan.hook_url), ("support_link", plan.support_link)):
        if not WEB_ADDRESS.fullmatch(url) or len(url) > URL_MAX_CHARS or not _host(url):
            rule = f"must be an absolute http or https address of at most {URL_MAX_CHARS} characters"
            raise _cannot(field, rule, "Check PUBLIC_URL.")
    if not EMAIL.fullmatch(plan.support_email):
        raise _cannot("support_email", "must be an e-mail address", "Kommo shows it to the account's users.")
    return replace(plan, account_name=_one_line(plan.account_name))


def _one_line(name: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(printable.split())[:NAME_MAX_CHARS]


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # a bracket without its pair
        return None


def _files(plan: _Plan, version: str) -> dict[str, bytes]:
    """Give every file of the zip by its path, in the order in which they are packed."""
    locales = LOCALES[plan.hosts]
    texts = {locale: (FILES / "i18n" / f"{locale}.json").read_bytes() for locale in locales}
    images = [f"images/{path.name}" for path in sorted((FILES / "images").glob("logo*.png"))]
    images += [TOUR.format(locale=locale) for locale in locales]
    return {
        "manifest.json": _manifest(plan, version),
        "script.js": _script(plan, version, english=json.loads(texts["en"])),
        **{f"i18n/{locale}.json": content for locale, content in texts.items()},
        **{name: (FILES / name).read_bytes() for name in images},
    }


def _manifest(plan: _Plan, version: str) -> bytes:
    manifest: dict[str, Any] = json.loads((FILES / "manifest.json").read_bytes())
    locales = LOCALES[plan.hosts]
    manifest["widget"] |= {"version": version, "locale": list(locales)}
    manifest["widget"]["support"] = {"link": plan.support_link, "email": plan.support_email}
    manifest["tour"]["tour_images"] = {locale: [f"/{TOUR.format(locale=locale)}"] for locale in locales}
    return f"{json.dumps(manifest, indent=2, ensure_ascii=False)}\n".encode()


def _script(plan: _Plan, version: str, *, english: dict[str, dict[str, str]]) -> bytes:
    source = (FILES / "script.js").read_text(encoding="utf-8")
    built = {
        "hook_url": plan.hook_url,
        "version": version,
        "account": plan.account_name,
        "english": {group: english[group] for group in ("settings", "salesbot")},
    }
    # ASCII, and no "</": safe wherever a page may put it
    return source.replace(BUILT_MARK, json.dumps(built).replace("</", "<\\/")).encode()


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    # Kommo refuses zip64, and backslashes: zipfile writes names as they are given
    with zipfile.ZipFile(buffer, "w", allowZip64=False) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=TIMESTAMP)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, UNIX, PLAIN_FILE
            archive.writestr(entry, content, compresslevel=9)
    return buffer.getvalue()
