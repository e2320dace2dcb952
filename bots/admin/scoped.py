"""The base of every admin page of a tenant's rows: nobody sees, chooses, changes or counts what isn't theirs.

Rows, related choices, filters, inlines, histories and permissions go through `bots.scoping`. What isn't allowed by name
is closed: a related model without an account offers no choice to members, and a list takes no lookup beyond its own
filters. A row of another account is answered like one that does not exist.
"""

from collections.abc import Callable, Collection
from typing import Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.forms import Field, ModelChoiceField, ModelMultipleChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from bots.admin.theme import ChangeList, ModelAdmin, TabularInline
from bots.models import Account
from bots.scoping import (
    EVERY_ROLE,
    OWNERS,
    AnyUser,
    Role,
    account_of,
    has_one_account,
    has_role,
    visible_to,
)

M = TypeVar("M", bound=models.Model)
P = TypeVar("P", bound=models.Model)

COUNTED_AT_MOST = 10_000  # a page number beyond is of no use, and counting more costs time


class CappedPaginator(Paginator[Any]):
    """Pages over a list that may be endless: it is counted up to a limit only."""

    @cached_property
    def count(self) -> int:
        """Count rows, at most `COUNTED_AT_MOST`."""
        rows = self.object_list
        if isinstance(rows, models.QuerySet):
            return rows.order_by().values("pk")[:COUNTED_AT_MOST].count()
        return len(rows)


class ScopedChangeList(ChangeList):
    """A list that doesn't offer "show all" when nothing is filtered."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.has_active_filters or self.query):
            self.full_result_count = self.result_count

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than the pages reach."""
        return bool(self.result_count >= COUNTED_AT_MOST)


class AccountRowForm(forms.ModelForm[M]):
    """The form of a row whose account is chosen once: names stay unique in it also when it isn't in the form."""

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # the stubs leave it out
        return excluded - {"account"} if account_of(self.instance) else excluded


class Scoped(BaseModelAdmin[M]):
    """What pages and inlines share: rows, choices and permissions of the user's own accounts."""

    writers: ClassVar[Collection[Role]] = OWNERS
    """The roles that may add and change; whoever is a member may read."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[M]:
        return visible_to(super().get_queryset(request), the_user(request))

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return has_role(the_user(request), EVERY_ROLE, account=account_of(obj))

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return has_role(the_user(request), self.writers, account=account_of(obj))

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return has_role(the_user(request), self.writers, account=account_of(obj))

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return has_role(the_user(request), self.writers, account=account_of(obj))

    def choices_for(self, related: type[P], request: HttpRequest) -> models.QuerySet[P]:
        """Give the rows that a form may point at: those of accounts that the user may change here."""
        return visible_to(related._default_manager.all(), the_user(request), roles=self.writers)

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        kwargs.setdefault("queryset", self.choices_for(db_field.related_model, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self, db_field: models.ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        kwargs.setdefault("queryset", self.choices_for(db_field.related_model, request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Field | None:
        """Take away the links beside a choice that lead to its row: they open pages in pages."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for link in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            if hasattr(getattr(field, "widget", None), link):
                setattr(field.widget, link, False)  # type: ignore[union-attr]  # a field without widget has no link
        return field


class ScopedInline(Scoped[M], TabularInline[M, P]):
    """Rows within the page of the row that they belong to."""

    extra = 0
    show_change_link = False
    hide_title = True


class ScopedAdmin(Scoped[M], ModelAdmin[M]):
    """The list and the pages of one kind of a tenant's rows."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = CappedPaginator
    list_filter_submit = True
    list_after_template = "admin/bots/capped.html"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Leave out the account for somebody who has only one."""
        columns = list(super().get_list_display(request))
        return [name for name in columns if name != "account"] if has_one_account(the_user(request)) else columns

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ScopedChangeList]:
        return ScopedChangeList

    def get_actions(self, request: HttpRequest) -> Any:
        """Leave out bulk deletion: a row goes by its own page, which knows what points at it."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def changeable(self, request: HttpRequest, rows: models.QuerySet[M]) -> models.QuerySet[M]:
        """Narrow the rows of an action to those that the user may change, not only see."""
        return visible_to(rows, the_user(request), roles=self.writers)

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> list[Any] | tuple[Any, ...]:
        """Hold a row in the account in which it was made."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return (*fields, "account") if obj is not None and hasattr(obj, "account") else fields

    def get_form(self, request: HttpRequest, obj: M | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Let a form take what its page shows and nothing more; Django keeps every declared field."""
        form = super().get_form(request, obj, change=change, **kwargs)
        shown = flatten_fieldsets(self.get_fieldsets(request, obj))
        for name in set(form.base_fields) - set(shown):
            del form.base_fields[name]
        return form

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Take only what the list's own filters ask; any other lookup could probe columns."""
        filters = self.get_list_filter(request) if request else self.list_filter
        return lookup in {getattr(item, "parameter_name", None) for item in filters}

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Choose the account when there is only one."""
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        accounts = list(self.choices_for(Account, request)[:2])
        return initial | {"account": accounts[0].pk} if len(accounts) == 1 else initial

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        return self._in_zone(super().changeform_view, request, object_id, *args, **kwargs)

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        return self._in_zone(super().delete_view, request, object_id, *args, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        zone = self.zone_of(self.row_or_404(request, object_id))
        kwargs["extra_context"] = {**(kwargs.get("extra_context") or {}), "zone": zone}
        return self._in_zone(super().history_view, request, object_id, *args, **kwargs)

    def row_or_404(self, request: HttpRequest, object_id: str) -> M:
        """Find a row that the user sees.

        Raises:
            Http404: there is none, or it is another account's; the answer is the same.
            PermissionDenied: its kind isn't for this user.
        """
        kept: dict[tuple[type[models.Model], str], M | None] = request.__dict__.setdefault("_kept_rows", {})
        if (self.model, object_id) not in kept:  # a page asks several times: zone, steps, notices
            kept[self.model, object_id] = self.get_object(request, unquote(object_id))
        row = kept[self.model, object_id]
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def zone_of(self, row: models.Model | None) -> ZoneInfo:
        """Give the time zone in which a row's times are shown and typed."""
        account = row if isinstance(row, Account) else getattr(row, "account", None)
        return account.zone if isinstance(account, Account) else ZoneInfo("UTC")

    def _in_zone(
        self,
        view: Callable[..., HttpResponse],
        request: HttpRequest,
        object_id: str | None,
        *args: Any,
        **kwargs: Any,
    ) -> HttpResponse:
        """Run a view of a row and render its page in the time zone of the row's account."""
        row = self.row_or_404(request, object_id) if object_id else None
        with timezone.override(self.zone_of(row)):
            response = view(request, object_id, *args, **kwargs)
            render = getattr(response, "render", None)
            return render() if render else response

    def _get_obj_does_not_exist_redirect(self, *_unused: Any) -> HttpResponse:
        """Answer 404 for what isn't there or isn't the user's; Django's own would redirect."""
        raise Http404


def the_user(request: HttpRequest) -> AnyUser:
    """Give who asks."""
    return request.user


def page_of(row: models.Model) -> str:
    """Give the address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_of(model: type[models.Model], **lookups: object) -> str:
    """Give the address of a list, filtered."""
    query = {name: str(value) for name, value in lookups.items()}
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", query=query or None)
