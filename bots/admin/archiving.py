"""Taking rows out of use that something points at, and back: what they did stays readable."""

from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin.confirming import AsksFirst, Question
from bots.admin.theme import step
from bots.models import Bot, Provider

M = TypeVar("M", Bot, Provider)


class Archivable(AsksFirst[M]):
    """Rows that are archived when they have a past, and deleted only while they have none."""

    actions_detail = ("archive", "restore")

    def uses_of(self, row: M) -> str:
        """Say in words what points at a row; "" when it may be deleted."""
        raise NotImplementedError

    def archive_question(self, row: M) -> Question:
        """Say what archiving this row leads to."""
        raise NotImplementedError

    @step(description=gettext_lazy("Archive"), url_path="archive", icon="archive", permissions=["archive"])
    def archive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then take the row out of use."""

        def act(row: M, _values: dict[str, Any]) -> str:
            row.archive(timezone.now())
            return _("Archived: %s") % row

        return self.ask_first(request, object_id, question=self.archive_question, act=act)

    @step(description=gettext_lazy("Restore"), url_path="restore", icon="unarchive", permissions=["restore"])
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then take the row back into use."""

        def question(row: M) -> Question:
            return Question(title=_("Restore"), text=_("%s will be in use again.") % row, button=_("Restore"))

        def act(row: M, _values: dict[str, Any]) -> str:
            row.archived_at = None
            row.save(update_fields=["archived_at"])
            return _("In use again: %s") % row

        return self.ask_first(request, object_id, question=question, act=act)

    def has_archive_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Say whether to offer archiving."""
        row = self._may_step(request, object_id)
        return row is not None and row.archived_at is None

    def has_restore_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Say whether to offer the way back."""
        row = self._may_step(request, object_id)
        return row is not None and row.archived_at is not None

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], Any, set[Any], list[str]]:
        """Refuse the deletion of a row with a past, in a sentence instead of a list of everything that it did."""
        uses = [(row, self.uses_of(row)) for row in objs]
        refusals = [_("%(row)s: %(uses)s Archive it instead.") % {"row": row, "uses": why} for row, why in uses if why]
        return ([], {}, set(), refusals) if refusals else super().get_deleted_objects(objs, request)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Offer deletion only where it is possible."""
        row = context.get("original")
        context["show_delete"] = row is not None and not self.uses_of(row)
        return super().render_change_form(request, context, *args, **kwargs)
