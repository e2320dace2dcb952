"""Switching accounts and bots on and off, several at once."""

from typing import TypeVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin.scoped import ScopedAdmin
from bots.models import Account, Bot

M = TypeVar("M", Account, Bot)


class Switchable(ScopedAdmin[M]):
    """Rows that can be switched off: their Salesbots then go on without a message."""

    actions = ("switch_on", "switch_off")

    @admin.action(description=gettext_lazy("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        self._switch(request, queryset, on=True)

    @admin.action(description=gettext_lazy("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        self._switch(request, queryset, on=False)

    def _switch(self, request: HttpRequest, rows: QuerySet[M], *, on: bool) -> None:
        changed = list(self.changeable(request, rows).filter(enabled=not on))
        for row in changed:
            row.enabled = on
            row.save(update_fields=["enabled"])
            self.log_change(request, row, _("Switched on") if on else _("Switched off"))
        messages.success(request, (_("Switched on: %d.") if on else _("Switched off: %d.")) % len(changed))
