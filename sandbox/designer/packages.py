"""A widget's zip once it was accepted, and what it lets an owner fill in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Texts: TypeAlias = Mapping[str, Any]
SCRIPT: Final = "script.js"
MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing to fill in.

    Args:
        code: its name for the script.
        label: key of its name in the i18n files.
        type: `text`, `pass`, `users`, `users_lp`, `custom`, `numeric` or `url`.
        required: of a setting: whether it may stay empty.
        default: of a step's field: what stands in it first.
        manual: of a step's field: whether a value is typed, or a CRM field chosen.

    Source: protocol §4.3.
    """

    code: str
    label: str
    type: str
    required: bool = False
    default: str = ""
    manual: bool = True


@dataclass(frozen=True, slots=True)
class StepKind:
    """One kind of Widget step that the widget offers; `code` is the handler's code."""

    code: str
    label: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A widget as it was uploaded.

    Args:
        version: `x.y.z`.
        label: key of its name in the i18n files.
        locales: the manifest's, in its order.
        texts: the i18n file of each locale.
        has_settings: whether it has a settings window.
        settings: what stands in that window.
        steps: the kinds of Widget step that it offers.
        logo: name of the file that pictures it in the designer.
        files: everything in the zip, by name.
    """

    version: str
    label: str
    locales: tuple[str, ...]
    texts: Mapping[str, Texts]
    has_settings: bool
    settings: tuple[Field, ...]
    steps: tuple[StepKind, ...]
    logo: str
    files: Mapping[str, bytes] = field(repr=False)

    def step(self, code: str) -> StepKind | None:
        """Give the kind of step with that handler code."""
        return next((kind for kind in self.steps if kind.code == code), None)


def version_number(version: str) -> tuple[int, ...]:
    """Give a version's parts as numbers, so that 1.10.0 comes after 1.9.0."""
    return tuple(int(part) for part in version.split("."))
