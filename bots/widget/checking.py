"""Judges any widget zip by the rules of Kommo's upload, before Kommo does: theirs are told in no detail.

A breach is what Kommo refuses, a warning what it lets pass although the widget won't work as meant.
"""

from collections.abc import Iterator

from bots.widget.archives import Files, read_archive
from bots.widget.breaches import Breach, breach
from bots.widget.facts import Hosts
from bots.widget.manifests import NAME, Manifest, manifest_breaches, named_keys, read_manifest
from bots.widget.pictures import logo_breaches
from bots.widget.placements import placement_breaches
from bots.widget.scripts import script_breaches
from bots.widget.texts import NoJson, locale_breaches, read_object


def check_widget(zip_bytes: bytes, *, hosts: Hosts = "kommo") -> tuple[Breach, ...]:
    """Tell every rule that a zip breaks, the weighty ones first; none when Kommo would take it.

    The zip may come from anybody: nothing of it is run or written, and one that is large, deep or damaged ends in a
    breach of its own.

    Args:
        zip_bytes: the whole file.
        hosts: for whom it is; amoCRM takes Russian.

    Source: protocol §4.
    """
    files, found = read_archive(zip_bytes)
    if files:
        found += _inside(files, hosts)
    return tuple(sorted(found, key=lambda one: one.is_warning))


def _inside(files: Files, hosts: Hosts) -> Iterator[Breach]:
    locations: tuple[str, ...] = ()
    try:
        manifest = _manifest(files)
    except NoJson as error:
        yield error.breach
    else:
        locations = manifest.locations
        yield from manifest_breaches(manifest, files, hosts=hosts)
        yield from placement_breaches(manifest, files)
        yield from locale_breaches(files, manifest.locales, named=named_keys(manifest))
    yield from script_breaches(files.get("script.js"), locations)
    yield from logo_breaches(files, locations)


def _manifest(files: Files) -> Manifest:
    if NAME not in files:
        raise NoJson(breach(NAME, "must lie at the top of the zip", "add it"))
    return read_manifest(read_object(NAME, files[NAME]))
