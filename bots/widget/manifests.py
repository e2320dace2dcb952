"""The rules on a widget's manifest.json that every widget has to keep: who it is, its languages, settings and tour.

Source: protocol §4.3, §4.4.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bots.widget.breaches import Breach, breach, listed, shown, warning
from bots.widget.facts import LOCALES, LOCATIONS, SETTING_TYPES, Hosts
from bots.widget.pictures import is_picture
from bots.widget.texts import KEY, Place
from bots.widget.versions import is_version

NAME: Final = "manifest.json"
INTERFACE_VERSION: Final = 2
KEYS_OF_WIDGET: Final = ("name", "description", "short_description")

Object = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest, read as far as its parts have the right form; what has not counts as empty.

    Args:
        whole: the file.
        widget: its part `widget`.
        locales: texts of `widget.locale`, each once.
        locations: texts of `locations`.
    """

    whole: Object
    widget: Object
    locales: tuple[str, ...]
    locations: tuple[str, ...]


def read_manifest(whole: Object) -> Manifest:
    """Take the parts out of a manifest that the rules ask for again and again."""
    widget = object_at(whole, "widget")
    return Manifest(whole, widget, _texts(widget.get("locale")), _texts(whole.get("locations")))


def object_at(parent: Object, key: str) -> Object:
    """Give a part that is an object, or an empty one."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def manifest_breaches(manifest: Manifest, files: Mapping[str, bytes], *, hosts: Hosts) -> Iterator[Breach]:
    """Judge what every manifest has to hold, but for the parts that a location brings."""
    if not manifest.widget:
        yield breach(NAME, "must have the object widget", "describe the widget there")
        return
    yield from _identity(manifest.widget)
    yield from _languages(manifest, hosts)
    yield from _support(manifest.widget)
    yield from _locations(manifest)
    yield from _settings(manifest)
    yield from _tour(manifest, files)


def named_keys(manifest: Manifest) -> tuple[Place, ...]:
    """List the i18n keys that the manifest names, each with the place that names it."""
    places = [(f"widget.{key}", manifest.widget.get(key)) for key in KEYS_OF_WIDGET]
    places.append(("tour.tour_description", object_at(manifest.whole, "tour").get("tour_description")))
    places.append(("advanced.title", object_at(manifest.whole, "advanced").get("title")))
    places += _names_in("settings", object_at(manifest.whole, "settings"))
    places += _names_in("dp.settings", object_at(object_at(manifest.whole, "dp"), "settings"))
    designer = object_at(manifest.whole, "salesbot_designer")
    places += _names_in("salesbot_designer", designer)
    for code in designer:
        where = f"salesbot_designer.{code}.settings"
        places += _names_in(where, object_at(object_at(designer, code), "settings"))
    return tuple((place, key) for place, key in places if isinstance(key, str) and KEY.fullmatch(key))


def setting_breaches(where: str, settings: Object, types: Sequence[str]) -> Iterator[Breach]:
    """Judge one group of settings: each an object with a name and a known type."""
    for code, setting in settings.items():
        place = f"{where}.{code}"
        if not isinstance(setting, dict):
            yield breach(NAME, f"{place} must be an object, and it is {shown(setting)}", "give it name and type")
            continue
        yield from name_breaches(place, setting)
        if setting.get("type") not in types:
            rule = f"{place}.type must be one of {', '.join(types)}, and it is {shown(setting.get('type'))}"
            yield breach(NAME, rule, "choose one of them")
        for switch in ("required", "manual"):
            if not isinstance(setting.get(switch, False), bool):
                rule = f"{place}.{switch} must be true or false, and it is {shown(setting[switch])}"
                yield breach(NAME, rule, "write it without quotation marks")


def name_breaches(place: str, named: Object) -> Iterator[Breach]:
    """Judge a name that the manifest takes out of the i18n files; a plain text passes, but speaks one language."""
    name = named.get("name")
    if not isinstance(name, str) or not name:
        rule = f"{place}.name must be an i18n key, and it is {shown(name)}"
        yield breach(NAME, rule, "name a key of the i18n files")
    elif not KEY.fullmatch(name):
        rule = f"{place}.name should be an i18n key such as settings.note, and it is {shown(name)}"
        yield warning(NAME, rule, "put the text into the i18n files, or it reads the same in every language")


def _texts(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else []
    return tuple(dict.fromkeys(item for item in found if isinstance(item, str)))


def _names_in(where: str, parts: Object) -> list[tuple[str, object]]:
    return [(f"{where}.{code}.name", part.get("name")) for code, part in parts.items() if isinstance(part, dict)]


def _identity(widget: Object) -> Iterator[Breach]:
    for key in KEYS_OF_WIDGET:
        value = widget.get(key)
        if not isinstance(value, str) or not KEY.fullmatch(value):
            rule = f"widget.{key} must be an i18n key such as widget.{key}, and it is {shown(value)}"
            yield breach(NAME, rule, "put the text into the i18n files and name its key")
    version = widget.get("version")
    if not isinstance(version, str) or not is_version(version):
        rule = f"widget.version must be a text of three numbers such as 1.0.3, and it is {shown(version)}"
        yield breach(NAME, rule, "correct it, and raise it with every upload")
    interface = widget.get("interface_version")
    if isinstance(interface, bool) or not isinstance(interface, int) or interface != INTERFACE_VERSION:
        rule = f"widget.interface_version must be the number 2, and it is {shown(interface)}"
        yield breach(NAME, rule, "write 2 without quotation marks")
    if not isinstance(widget.get("init_once", False), bool):
        rule = f"widget.init_once must be true or false, and it is {shown(widget['init_once'])}"
        yield breach(NAME, rule, "write it without quotation marks")
    if not isinstance(widget.get("installation"), bool):
        rule = f"widget.installation must be true or false, and it is {shown(widget.get('installation'))}"
        yield breach(NAME, rule, "write true for a widget that people install")
    elif not widget["installation"]:
        rule = "widget.installation should be true, and it is false"
        yield warning(NAME, rule, "write true, or the widget has no button to install it and its step isn't offered")


def _languages(manifest: Manifest, hosts: Hosts) -> Iterator[Breach]:
    if not manifest.locales:
        rule = f"widget.locale must list at least one language, and it is {shown(manifest.widget.get('locale'))}"
        yield breach(NAME, rule, f"list some of {', '.join(LOCALES[hosts])}")
    if foreign := [locale for locale in manifest.locales if locale not in LOCALES[hosts]]:
        only_russian = " (Russian is for amoCRM only)" if foreign == ["ru"] else ""
        rule = f"widget.locale may list {', '.join(LOCALES[hosts])}, and not {listed(foreign)}{only_russian}"
        yield breach(NAME, rule, "take it out")


def _support(widget: Object) -> Iterator[Breach]:
    support = object_at(widget, "support")
    for key in ("link", "email"):
        if not isinstance(support.get(key), str) or not support[key]:
            rule = f"widget.support.{key} should be a text, and it is {shown(support.get(key))}"
            yield warning(NAME, rule, "say where the widget's users find help")


def _locations(manifest: Manifest) -> Iterator[Breach]:
    if not manifest.locations:
        rule = f"locations must list at least one place, and it is {shown(manifest.whole.get('locations'))}"
        yield breach(NAME, rule, "list salesbot_designer for a Widget step")
    if unknown := [place for place in manifest.locations if place not in LOCATIONS]:
        rule = f"locations may list places that Kommo has, and not {listed(unknown)}"
        yield breach(NAME, rule, "correct its spelling or take it out")
    if pairs := [place[:-2] for place in manifest.locations if _has_twin(place, manifest.locations)]:
        rule = f"locations may list a place as -0 or as -1, and it lists {listed(pairs)} as both"
        yield breach(NAME, rule, "take one of the two out")


def _has_twin(place: str, locations: Collection[str]) -> bool:
    return place.endswith("-0") and f"{place[:-1]}1" in locations


def _settings(manifest: Manifest) -> Iterator[Breach]:
    has_window = manifest.widget.get("installation") is True or "settings" in manifest.locations
    settings = object_at(manifest.whole, "settings")
    if has_window and not settings:
        rule = "settings must hold at least one setting, since the widget has a settings window"
        yield breach(NAME, rule, "declare one, if only an optional note")
    yield from setting_breaches("settings", settings, SETTING_TYPES)


def _tour(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[Breach]:
    tour = object_at(manifest.whole, "tour")
    if tour.get("is_tour") is not True:
        rule = f"tour.is_tour must be true, and it is {shown(tour.get('is_tour'))}"
        yield breach(NAME, rule, "set it to true and list one picture for each locale")
    description = tour.get("tour_description")
    if not isinstance(description, str) or not KEY.fullmatch(description):
        rule = f"tour.tour_description must be an i18n key, and it is {shown(description)}"
        yield breach(NAME, rule, "put the text into the i18n files and name its key")
    pictures = object_at(tour, "tour_images")
    for locale in manifest.locales:
        yield from _tour_pictures(locale, _texts(pictures.get(locale)), files)


def _tour_pictures(locale: str, paths: Collection[str], files: Mapping[str, bytes]) -> Iterator[Breach]:
    place = f"tour.tour_images.{locale}"
    if not paths:
        yield breach(NAME, f"{place} must list at least one picture", "list one, such as /images/tour_1_en.png")
    if missing := [path for path in paths if path.lstrip("/") not in files]:
        rule = f"{place} must list pictures of the zip, unlike {listed(missing)}"
        yield breach(NAME, rule, "add the file or correct the path")
    if odd := [path for path in paths if not is_picture(files.get(path.lstrip("/"), b"\xff\xd8\xff"))]:
        rule = f"{place} must list PNG, JPEG or GIF, unlike {listed(odd)}"
        yield breach(NAME, rule, "save it as one of them")
