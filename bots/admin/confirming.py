"""Steps that ask before they act: a page says what will follow, and only its button does it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from bots.admin.guide_return import way_back
from bots.admin.scoped import ScopedAdmin, page_of

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person is asked.

    Args:
        title: the step, as a short phrase.
        text: what follows from it, a sentence or two.
        button: what the button says.
        form: what else is needed; None for nothing.
        refusal: why it can't be done now, with what to do first; then there is no button.
    """

    title: str
    text: str
    button: str
    form: forms.Form | None = None
    refusal: str = ""


class AsksFirst(ScopedAdmin[M]):
    """Pages with steps beyond save and delete. They change nothing on GET."""

    def ask_first(
        self,
        request: HttpRequest,
        object_id: str,
        *,
        question: Callable[[M], Question],
        act: Callable[[M, dict[str, Any]], str],
    ) -> HttpResponse:
        """Show the question; after its button was pressed, act, and tell what `act` says was done.

        Args:
            request: a POST acts.
            object_id: of the row, from the address.
            question: made for the row.
            act: gets the row and the form's values; gives the message. It may refuse by ValidationError.

        Raises:
            Http404: no such row for this user.
            PermissionDenied: the user may read the row only.
        """
        row = self.row_or_404(request, object_id)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        asked = question(row)
        if request.method == "POST" and not asked.refusal and (asked.form is None or asked.form.is_valid()):
            try:
                return self._act(request, row, asked, act)
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": asked.title,
            "question": asked,
            "way_back": way_back(request),
            "back": way_back(request) or page_of(row),
        }
        return TemplateResponse(request, "admin/bots/confirm.html", context)

    def _act(
        self, request: HttpRequest, row: M, asked: Question, act: Callable[[M, dict[str, Any]], str]
    ) -> HttpResponse:
        with transaction.atomic():
            done = act(row, asked.form.cleaned_data if asked.form else {})
            self.log_change(request, row, asked.title)
        messages.success(request, done)
        return HttpResponseRedirect(page_of(row))

    def _may_step(self, request: HttpRequest, object_id: str | None) -> M | None:
        """Find the row of a step that the user may take; None when the user may read it only.

        The theme asks by the id from the address, and knows no rows.
        """
        if object_id is None:
            return None
        row = self.row_or_404(request, object_id)
        return row if self.has_change_permission(request, row) else None
