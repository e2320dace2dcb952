"""Exchanges: the list with what became of each, and a page with everything that was said and done."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin import times
from bots.admin.exchange_pages import as_json, asked, calls, result, steps, took
from bots.admin.explained import OUTCOMES, STATES, Words, outcome_words, reason_words, state_words
from bots.admin.filters import AccountFilter, BotFilter, ConversationFilter, WordsFilter
from bots.admin.reading import ReadOnly
from bots.admin.scoped import page_of
from bots.models import Exchange

EXCERPT_CHARS = 70
LONG_COLUMNS = (
    "reply_text", "body", "data", "timeline", "token_facts", "instruction", "offered", "bot__prompt", "bot__knowledge",
    "bot__outputs", "bot__links", "bot__routes",
)  # fmt: skip


class StateFilter(WordsFilter):
    title = gettext_lazy("state")
    parameter_name = "state"
    words = {state.value: words.name for state, words in STATES.items()}


class OutcomeFilter(WordsFilter):
    title = gettext_lazy("outcome")
    parameter_name = "outcome"
    words = {outcome.value: words.name for outcome, words in OUTCOMES.items()}


@admin.register(Exchange)
class ExchangeAdmin(ReadOnly[Exchange]):
    page_template = "admin/bots/exchange.html"
    list_display = (
        "number",
        "customer_wrote",
        "account",
        "bot",
        "state_shown",
        "outcome_shown",
        "why",
        "received",
        "seconds",
    )
    list_display_links = ("number", "customer_wrote")
    list_filter = (AccountFilter, BotFilter, StateFilter, OutcomeFilter, ConversationFilter)
    list_select_related = ("account", "bot", "conversation")
    search_fields = ("=conversation__entity_id", "=continue_id")
    search_help_text = gettext_lazy("Id of the lead or customer, or continue id")
    sortable_by = ("number",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Exchange]:
        rows = super().get_queryset(request).select_related("account", "bot", "conversation")
        return rows.defer(*LONG_COLUMNS) if "_kept_short" in request.__dict__ else rows

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Leave the long columns in the database: a list shows none of them."""
        request.__dict__["_kept_short"] = True
        return super().changelist_view(request, extra_context)

    def page_context(self, request: HttpRequest, row: Exchange) -> dict[str, Any]:
        zone = row.account.zone
        attempts = list(row.attempts.select_related("provider"))
        return {
            **result(row),
            "exchange": row,
            "conversation_link": page_of(row.conversation),
            "bot_link": page_of(row.bot) if row.bot else "",
            "asked": asked(row, zone=zone),
            "other_data": as_json(row.data),
            "token_facts": as_json(row.token_facts),
            "steps": list(steps(row, zone=zone)),
            "calls": calls(attempts, zone=zone),
            "body": as_json(row.body),
        }

    @admin.display(description="#", ordering="pk")
    def number(self, row: Exchange) -> str:
        return str(row.pk)

    @admin.display(description=gettext_lazy("Customer wrote"))
    def customer_wrote(self, row: Exchange) -> SafeString:
        words = Truncator(" ".join(row.text[:300].split())).chars(EXCERPT_CHARS)
        return format_html('<span class="kb-excerpt">{}</span>', words or _("(no words)"))

    @admin.display(description=gettext_lazy("State"))
    def state_shown(self, row: Exchange) -> SafeString:
        return chip(state_words(row.state))

    @admin.display(description=gettext_lazy("Outcome"))
    def outcome_shown(self, row: Exchange) -> SafeString | str:
        words = outcome_words(row.outcome)
        return chip(words) if words else "–"

    @admin.display(description=gettext_lazy("Reason"))
    def why(self, row: Exchange) -> SafeString | str:
        words = reason_words(row.reason)
        return format_html('<span class="kb-wrap" title="{}">{}</span>', row.reason_text, words) if words else "–"

    @admin.display(description=gettext_lazy("Received"))
    def received(self, row: Exchange) -> SafeString | str:
        return times.cell(row.received_at, row.account.zone)

    @admin.display(description=gettext_lazy("Took, s"))
    def seconds(self, row: Exchange) -> str:
        return took(row) or "–"


def chip(words: Words) -> SafeString:
    """Draw a word in its tone, with its sentence on hover."""
    return format_html('<span class="kb-chip kb-{}" title="{}">{}</span>', words.tone, words.sentence, words.name)
