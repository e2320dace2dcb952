"""The rules on the parts of manifest.json that belong to one location each. Source: protocol §4.3."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from bots.widget.breaches import Breach, breach, listed, shown, warning
from bots.widget.facts import SETTING_TYPES, STEP_SETTING_TYPES
from bots.widget.manifests import NAME, Manifest, Object, name_breaches, object_at, setting_breaches

DESIGNER: Final = "salesbot_designer"
# `logo` is a picture, and `conditions` adds to Kommo's own condition step; every other entry is a kind of Widget step
NO_HANDLERS: Final = ("logo", "conditions")

# By location: the part that it needs, and the texts that must stand in it.
TEXTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "advanced_settings": ("advanced", ("title",)),
    "sms": ("sms", ("endpoint",)),
    "mobile_card": ("mobile", ("frame_url", "color")),
    "digital_pipeline": ("dp", ("webhook_url",)),
}


def placement_breaches(manifest: Manifest, files: Collection[str]) -> Iterator[Breach]:
    """Judge what the locations of a manifest bring with them."""
    for location, (part, keys) in TEXTS.items():
        if location in manifest.locations:
            yield from _texts(location, part, object_at(manifest.whole, part), keys)
    if "digital_pipeline" in manifest.locations:
        yield from _pipeline(object_at(manifest.whole, "dp"))
    if DESIGNER in manifest.locations:
        yield from _designer(manifest.whole, files)
    elif DESIGNER in manifest.whole and manifest.locations:
        rule = f"{DESIGNER} needs the location of the same name, and locations lacks it"
        yield warning(NAME, rule, f"add {DESIGNER} to locations, or the Widget step isn't offered")


def _texts(location: str, part: str, found: Object, keys: Collection[str]) -> Iterator[Breach]:
    for key in keys:
        if not isinstance(found.get(key), str) or not found[key]:
            rule = f"{part}.{key} must be a text, since locations has {location}, and it is {shown(found.get(key))}"
            yield breach(NAME, rule, "write it, or take the location out")


def _pipeline(found: Object) -> Iterator[Breach]:
    if not isinstance(found.get("action_multiple"), bool):
        rule = f"dp.action_multiple must be true or false, and it is {shown(found.get('action_multiple'))}"
        yield breach(NAME, rule, "say whether the action may span several stages")
    yield from setting_breaches("dp.settings", object_at(found, "settings"), SETTING_TYPES)


def _designer(whole: Object, files: Collection[str]) -> Iterator[Breach]:
    designer = object_at(whole, DESIGNER)
    handlers = {code: handler for code, handler in designer.items() if code not in NO_HANDLERS}
    if not handlers:
        rule = f"{DESIGNER} must hold at least one handler, since locations has {DESIGNER}"
        yield breach(NAME, rule, "describe the Widget step there: a code with name and settings")
    for code, handler in handlers.items():
        yield from _handler(f"{DESIGNER}.{code}", handler)
    yield from _designer_logo(designer.get("logo"), files)


def _handler(place: str, handler: object) -> Iterator[Breach]:
    if not isinstance(handler, dict):
        yield breach(NAME, f"{place} must be an object, and it is {shown(handler)}", "give it name and settings")
        return
    yield from name_breaches(place, handler)
    settings = handler.get("settings")
    if not isinstance(settings, Mapping):
        yield breach(NAME, f"{place}.settings must be an object, and it is {shown(settings)}", "list the step's fields")
        return
    yield from setting_breaches(f"{place}.settings", settings, STEP_SETTING_TYPES)


def _designer_logo(logo: object, files: Collection[str]) -> Iterator[Breach]:
    """A path on Kommo's server, `/widgets/CODE/images/…`, is right when the zip holds its end."""
    if logo is None:
        return
    if not isinstance(logo, str):
        yield breach(NAME, f"{DESIGNER}.logo must be a path, and it is {shown(logo)}", "name a picture or leave it out")
    elif not any(logo.lstrip("/") == name or logo.endswith(f"/{name}") for name in files):
        rule = f"{DESIGNER}.logo should name a picture of the zip, unlike {listed([logo])}"
        yield warning(NAME, rule, "add the file or leave logo out")
