"""The rules of manifest.json, and reading one that keeps them. Source: protocol §4.3, §4.4."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.designer.packages import Field, Package, StepKind, Texts

LOCALES: Final = ("en", "es", "pt", "tr", "id")
PAIRS: Final = ("lcard", "ccard", "comcard", "llist", "clist", "tlist")
LOCATIONS: Final = frozenset(
    {
        *(f"{name}-{number}" for name in PAIRS for number in (0, 1)),
        *("settings", "advanced_settings", "card_sdk", "catalogs", "digital_pipeline", "lead_sources", "widget_page"),
        *("sms", "mobile_card", "salesbot_designer", "website_chat_button", "everywhere", "ai_agent"),
    }
)
SETTING_TYPES: Final = ("text", "pass", "users", "users_lp", "custom")
FIELD_TYPES: Final = ("text", "numeric", "url")
WIDGET_TEXTS: Final = ("name", "description", "short_description")
INTERFACE_VERSION: Final = 2
LOGO: Final = "images/logo_small.png"
Manifest = Mapping[str, Any]


def part(whole: object, *path: str) -> Any:
    """Give what lies at a path of nested objects; None when there is nothing."""
    for key in path:
        whole = whole.get(key) if isinstance(whole, dict) else None
    return whole


def manifest_faults(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[str]:
    """Say which rules of the manifest itself are broken, a sentence each."""
    yield from _widget_faults(manifest)
    yield from _location_faults(manifest)
    yield from _setting_faults(manifest)
    yield from _tour_faults(manifest, files)
    yield from _step_faults(manifest)


def named_texts(manifest: Manifest) -> list[str]:
    """List the i18n keys that the manifest names, each once."""
    found = [part(manifest, "widget", key) for key in WIDGET_TEXTS]
    found += [part(manifest, "tour", "tour_description"), part(manifest, "advanced", "title")]
    found += [part(setting, "name") for setting in _objects(part(manifest, "settings"))]
    for step in _steps(manifest).values():
        found += [part(step, "name"), *(part(field, "name") for field in _objects(part(step, "settings")))]
    return list(dict.fromkeys(key for key in found if isinstance(key, str) and key))


def read_package(manifest: Manifest, texts: Mapping[str, Texts], files: Mapping[str, bytes]) -> Package:
    """Read a manifest that has no faults."""
    logo = str(part(manifest, "salesbot_designer", "logo") or "").lstrip("/")
    return Package(
        version=manifest["widget"]["version"],
        label=manifest["widget"]["name"],
        locales=tuple(manifest["widget"]["locale"]),
        texts=texts,
        has_settings=manifest["widget"]["installation"],
        settings=tuple(_read_field(code, raw) for code, raw in (part(manifest, "settings") or {}).items()),
        steps=tuple(_read_step(code, raw) for code, raw in _steps(manifest).items()),
        logo=logo if logo in files else LOGO,
        files=files,
    )


def _widget_faults(manifest: Manifest) -> Iterator[str]:
    widget = part(manifest, "widget")
    for key in WIDGET_TEXTS:
        if not isinstance(part(widget, key), str) or not part(widget, key):
            yield f"widget.{key} must name a text of the i18n files."
    if part(widget, "interface_version") != INTERFACE_VERSION:
        yield f"widget.interface_version must be {INTERFACE_VERSION}."
    if not isinstance(part(widget, "installation"), bool):
        yield "widget.installation must be true or false."
    locales = part(widget, "locale")
    if not isinstance(locales, list) or not locales or not set(map(str, locales)) <= set(LOCALES):
        yield f"widget.locale must list some of {', '.join(LOCALES)}."


def _location_faults(manifest: Manifest) -> Iterator[str]:
    locations = part(manifest, "locations")
    if not isinstance(locations, list) or not locations:
        yield "locations must list where the widget appears."
        return
    for location in locations:
        if location not in LOCATIONS if isinstance(location, str) else True:
            yield f"locations names “{location}”, which is not known."


def _setting_faults(manifest: Manifest) -> Iterator[str]:
    settings = part(manifest, "settings")
    if part(manifest, "widget", "installation") is not False and not settings:
        yield "“settings” must declare at least one setting."
    elif settings and not isinstance(settings, dict):
        yield "“settings” must be an object of settings."
    elif isinstance(settings, dict):
        yield from _field_faults(settings, "settings", SETTING_TYPES)


def _tour_faults(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[str]:
    if part(manifest, "tour", "is_tour") is not True:
        yield "tour.is_tour must be true."
    images = part(manifest, "tour", "tour_images")
    lists = list(images.values()) if isinstance(images, dict) else []
    named = [name for one in lists if isinstance(one, list) for name in one]
    if not named:
        yield "tour.tour_images must name at least one picture."
    for name in named:
        if not isinstance(name, str) or name.lstrip("/") not in files:
            yield f"tour.tour_images names “{name}”, which is not in the zip."


def _step_faults(manifest: Manifest) -> Iterator[str]:
    locations, steps = part(manifest, "locations"), _steps(manifest)
    if isinstance(locations, list) and "salesbot_designer" in locations and not steps:
        yield "salesbot_designer must declare at least one handler for the location of that name."
    for code, step in steps.items():
        place, fields = f"salesbot_designer.{code}", part(step, "settings")
        if not isinstance(part(step, "name"), str):
            yield f"{place}.name must name a text of the i18n files."
        if fields is not None and not isinstance(fields, dict):
            yield f"{place}.settings must be an object of fields."
        elif fields:
            yield from _field_faults(fields, f"{place}.settings", FIELD_TYPES)


def _field_faults(fields: Mapping[str, Any], place: str, types: tuple[str, ...]) -> Iterator[str]:
    for code, field in fields.items():
        if not isinstance(part(field, "name"), str) or not part(field, "name"):
            yield f"{place}.{code}.name must name a text of the i18n files."
        if part(field, "type") not in types:
            yield f"{place}.{code}.type must be one of {', '.join(types)}."


def _steps(manifest: Manifest) -> dict[str, Any]:
    found = part(manifest, "salesbot_designer")
    return {code: step for code, step in found.items() if code != "logo"} if isinstance(found, dict) else {}


def _objects(raw: object) -> list[Any]:
    return list(raw.values()) if isinstance(raw, dict) else []


def _read_step(code: str, raw: Mapping[str, Any]) -> StepKind:
    fields = part(raw, "settings") or {}
    return StepKind(code, raw["name"], tuple(_read_field(name, field) for name, field in fields.items()))


def _read_field(code: str, raw: Mapping[str, Any]) -> Field:
    default = raw.get("default_value")
    return Field(
        code=code,
        label=raw["name"],
        type=raw["type"],
        required=raw.get("required") is True,
        default="" if default is None or isinstance(default, dict | list) else str(default),
        manual=raw.get("manual") is not False,
    )
