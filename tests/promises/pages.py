"""Every page of the admin, found by walking its registry: a page made tomorrow is among them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

SITE_PAGES = ("index", "password_change", "password_change_done", "search", "jsi18n")


def registered() -> list[type[Model]]:
    """Give the models that have pages."""
    return list(admin.site._registry)


def admin_of(model: type[Model]) -> ModelAdmin[Any]:
    """Give the page class of a model."""
    return admin.site._registry[model]


def site_pages() -> list[str]:
    """Give the pages that belong to no row."""
    labels = {model._meta.app_label for model in registered()}
    lists = [reverse("admin:app_list", args=[label]) for label in labels]
    return [reverse(f"admin:{name}") for name in SITE_PAGES] + lists + [f"{reverse('admin:search')}?s=a&extended=1"]


def list_page(model: type[Model]) -> str:
    """Give the list of a model."""
    return reverse(f"admin:{_name(model)}_changelist")


def add_page(model: type[Model]) -> str:
    """Give the page that adds."""
    return reverse(f"admin:{_name(model)}_add")


def row_pages(row: Model) -> dict[str, str]:
    """Give the pages of a row by the last part of their address, steps of our own included."""
    model = type(row)
    if model not in admin.site._registry:
        return {}
    change = reverse(f"admin:{_name(model)}_change", args=[row.pk])
    base = change.removesuffix("change/")
    steps = [step.path for step in admin_of(model)._get_base_actions_detail()]  # type: ignore[attr-defined]  # the theme's
    pages = {name: f"{base}{name}/" for name in ("change", "history", "delete", *steps)}
    return pages | ({"password": f"{base}password/"} if model._meta.model_name == "user" else {})


def every_page(rows: Iterable[Model]) -> Iterator[str]:
    """Give every address that shows something."""
    yield from site_pages()
    for model in registered():
        yield list_page(model)
        yield add_page(model)
    for row in rows:
        yield from row_pages(row).values()


def _name(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"


@dataclass
class Tag:
    """A start tag of a page."""

    name: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Markup(HTMLParser):
    """A page taken apart into its tags and the fields of its forms."""

    tags: list[Tag] = field(default_factory=list)
    inside: list[Tag] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with nothing read."""
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag, and remember those whose text counts."""
        self.tags.append(Tag(tag, {name: value or "" for name, value in attrs}))
        if tag in ("textarea", "option", "script", "select"):
            self.inside.append(self.tags[-1])

    def handle_endtag(self, tag: str) -> None:
        """Leave a tag."""
        while self.inside and tag in (open_tag.name for open_tag in self.inside):
            if self.inside.pop().name == tag:
                break

    def handle_data(self, data: str) -> None:
        """Add text to the tag that it stands in."""
        if self.inside:
            self.inside[-1].text += data


def taken_apart(html: str) -> Markup:
    """Read a page."""
    markup = Markup()
    markup.feed(html)
    return markup


def form_of(html: str) -> dict[str, Any]:
    """Give what a browser would send for the page's fields: name to text, or to a list of texts."""
    data: dict[str, Any] = {}
    select: Tag | None = None
    for tag in taken_apart(html).tags:
        name = tag.attributes.get("name", "")
        if tag.name == "select":
            select = tag
        elif tag.name == "option" and select is not None and "selected" in tag.attributes:
            data[select.attributes.get("name", "")] = tag.attributes.get("value", "")
        elif tag.name == "textarea" and name:
            data[name] = tag.text.removeprefix("\n")
        elif tag.name == "input" and name and _is_sent(tag):
            data[name] = tag.attributes.get("value", "on")
    data.pop("", None)
    return {name: value for name, value in data.items() if not name.startswith("_") and "__prefix__" not in name}


def _is_sent(tag: Tag) -> bool:
    kind = tag.attributes.get("type", "text")
    if kind in ("checkbox", "radio"):
        return "checked" in tag.attributes
    if kind == "text" or "value" in tag.attributes or kind in ("password", "email", "number"):
        tag.attributes.setdefault("value", "")
    return kind not in ("submit", "button", "file")


def submit(client: Client, address: str, **changes: Any) -> Any:
    """Send a page's form as a browser would after some fields were changed; None takes a field away.

    Args:
        client: who does it.
        address: of the page with the form.
        changes: by field name, with `__` for `-`: `model_choices__0__model`.
    """
    data = form_of(client.get(address).content.decode()) | {
        name.replace("__", "-"): value for name, value in changes.items()
    }
    return client.post(address, {name: value for name, value in data.items() if value is not None})


def errors_of(response: Any) -> str:
    """Give what a form complains about, as one text."""
    context = response.context
    forms = [
        context["adminform"].form,
        *(form for inline in context["inline_admin_formsets"] for form in inline.formset),
    ]
    sets = [str(inline.formset.non_form_errors()) for inline in context["inline_admin_formsets"]]
    return " ".join([*(str(form.errors) for form in forms), *sets])
