"""The door to the admin theme: what the type checker sees as Django's own is django-unfold's when it runs."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

from unfold import widgets
from unfold.decorators import action

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, SimpleListFilter, TabularInline
    from django.contrib.admin.views.main import ChangeList
    from django.contrib.admin.widgets import AdminTextInputWidget as ThemeTextInput
    from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
else:
    from unfold.admin import ModelAdmin, TabularInline
    from unfold.contrib.filters.admin import DropdownFilter as SimpleListFilter
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm
    from unfold.forms import UserCreationForm as AdminUserCreationForm
    from unfold.views import ChangeList
    from unfold.widgets import UnfoldAdminTextInputWidget as ThemeTextInput

__all__ = [
    "AdminPasswordChangeForm",
    "AdminUserCreationForm",
    "ChangeList",
    "ModelAdmin",
    "SimpleListFilter",
    "TabularInline",
    "ThemeTextInput",
    "UserChangeForm",
    "checkbox",
    "email_input",
    "password_input",
    "select",
    "split_datetime",
    "step",
    "text_area",
    "text_input",
]


F = TypeVar("F", bound=Callable[..., Any])


def step(*, description: Any, url_path: str, icon: str, permissions: Collection[str]) -> Callable[[F], F]:
    """Make a method a step that a row's page links to, under `url_path`.

    Args:
        description: what the link says.
        url_path: last part of the address.
        icon: name of a Material symbol.
        permissions: `has_NAME_permission` methods that are asked with the row's id.
    """
    decorate: Callable[[F], F] = action(description=description, url_path=url_path, icon=icon, permissions=permissions)
    return decorate


def text_input(**attrs: Any) -> Any:
    """Make a line for text."""
    return widgets.UnfoldAdminTextInputWidget(attrs=attrs)


def email_input(**attrs: Any) -> Any:
    """Make a line for an address."""
    return widgets.UnfoldAdminEmailInputWidget(attrs=attrs)


def password_input(**attrs: Any) -> Any:
    """Make a line that hides what is typed and never shows a value."""
    return widgets.UnfoldAdminPasswordWidget(attrs=attrs, render_value=False)


def text_area(**attrs: Any) -> Any:
    """Make a box for long text."""
    return widgets.UnfoldAdminTextareaWidget(attrs=attrs)


def select(**attrs: Any) -> Any:
    """Make a list to choose from."""
    return widgets.UnfoldAdminSelectWidget(attrs=attrs)


def checkbox(**attrs: Any) -> Any:
    """Make a box to tick."""
    return widgets.UnfoldBooleanWidget(attrs=attrs)


def split_datetime() -> Any:
    """Make two lines, for a date and a time."""
    return widgets.UnfoldAdminSplitDateTimeWidget()
