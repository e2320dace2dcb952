"""Filters of the lists: a choice from few values, or from the user's own rows."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bots.admin.theme import SimpleListFilter, select
from bots.models import Account, Bot, Conversation
from bots.scoping import visible_to

CHOICES_AT_MOST = 500  # a list that nobody scrolls further
KEY_DIGITS_AT_MOST = 18


class SelectForm(forms.Form):
    """One list to choose from; the theme's own brings a script library for it."""

    def __init__(self, *, name: str, label: str, choices: Any, data: Any, multiple: bool = False) -> None:
        super().__init__(data)
        self.fields[name] = forms.ChoiceField(label=label, required=False, choices=choices, widget=select())


class WordsFilter(SimpleListFilter):
    """Chooses among the values of one column, in words."""

    form_class = SelectForm
    words: ClassVar[Mapping[str, Any]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return list(self.words.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{str(self.parameter_name): value}) if value in self.words else queryset


class OwnRowsFilter(SimpleListFilter):
    """Chooses among the rows that the user sees; with fewer than `hidden_below` there is nothing to choose."""

    form_class = SelectForm
    rows_of: ClassVar[type[Model]]
    hidden_below: ClassVar[int] = 1

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        rows = visible_to(self.rows_of._default_manager.all(), request.user)
        return [(str(row.pk), self.label(row)) for row in rows[:CHOICES_AT_MOST]]

    def label(self, row: Any) -> str:
        """Give what the list shows of a row."""
        return str(row)

    def has_output(self) -> bool:
        return len(self.lookup_choices) >= self.hidden_below

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = str(self.value() or "")
        if not value:
            return queryset
        return queryset.filter(**{str(self.parameter_name): int(value)}) if is_key(value) else queryset.none()


def is_key(text: str) -> bool:
    """Say whether a text may be a primary key; a number that no database holds is none."""
    return text.isascii() and text.isdecimal() and len(text) <= KEY_DIGITS_AT_MOST


class AccountFilter(OwnRowsFilter):
    title = _("account")
    parameter_name = "account"
    rows_of = Account
    hidden_below = 2


class BotFilter(OwnRowsFilter):
    title = _("bot")
    parameter_name = "bot"
    rows_of = Bot

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        rows = visible_to(Bot.objects.select_related("account"), request.user)[:CHOICES_AT_MOST]
        several = len({bot.account_id for bot in rows}) > 1
        return [(str(bot.pk), f"{bot.account} / {bot}" if several else str(bot)) for bot in rows]


class ConversationFilter(OwnRowsFilter):
    """Keeps to one conversation when a link asks for it; there is no list of all."""

    title = _("conversation")
    parameter_name = "conversation"
    rows_of = Conversation

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        value = str(self.value() or "")
        rows = visible_to(Conversation.objects.filter(pk=int(value)), request.user) if is_key(value) else ()
        return [(str(row.pk), str(row)) for row in rows]

    def has_output(self) -> bool:
        return bool(self.value())


class ArchivedFilter(SimpleListFilter):
    """Shows rows in use unless the archived ones are asked for."""

    form_class = SelectForm
    title = _("archived")
    parameter_name = "archived"
    all_option = ("", _("In use"))

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("yes", _("Archived")), ("all", _("Both"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "all":
                return queryset
            case "yes":
                return queryset.filter(archived_at__isnull=False)
            case _:
                return queryset.filter(archived_at__isnull=True)
