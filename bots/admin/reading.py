"""Pages that are only read: rows that the program writes, shown by templates of their own."""

from typing import Any, ClassVar, TypeVar

from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils import timezone

from bots.admin.scoped import ScopedAdmin

M = TypeVar("M", bound=models.Model)


class ReadOnly(ScopedAdmin[M]):
    """Nobody adds, changes or deletes, operators neither."""

    page_template: ClassVar[str]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def page_context(self, request: HttpRequest, row: M) -> dict[str, Any]:
        """Give what the page's template shows of a row."""
        raise NotImplementedError

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show the row.

        Raises:
            Http404: no such row for this user.
        """
        row = self.row_or_404(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": str(row),
            "subtitle": str(self.opts.verbose_name),
            "zone": self.zone_of(row),
            **self.page_context(request, row),
        }
        with timezone.override(self.zone_of(row)):
            return TemplateResponse(request, self.page_template, context).render()
