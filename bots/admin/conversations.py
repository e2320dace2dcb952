"""Conversations: the list, and each as a transcript."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Substr
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin import times
from bots.admin.filters import AccountFilter, is_key
from bots.admin.reading import ReadOnly
from bots.admin.scoped import list_of
from bots.admin.transcripts import lines
from bots.models import Conversation, Exchange, Message

LINES_PER_PAGE = 200
EXCERPT_CHARS = 90
PLACES = {2: "leads", 12: "customers"}  # by entity type (protocol §1.3): the part of Kommo's own address for it


@admin.register(Conversation)
class ConversationAdmin(ReadOnly[Conversation]):
    page_template = "admin/bots/conversation.html"
    list_display = ("name", "account", "origin", "last_words", "message_count", "last_message")
    list_display_links = ("name", "last_words")
    list_filter = (AccountFilter,)
    list_select_related = ("account",)
    search_fields = ("=entity_id", "=contact_id", "=talk_id")
    search_help_text = gettext_lazy("Id of the lead, customer, contact or talk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        mine = Message.objects.filter(conversation=OuterRef("pk"))
        last = mine.exclude(text="").order_by("-pk").annotate(start=Substr("text", 1, 200)).values("start")[:1]
        count = mine.order_by().values("conversation").annotate(count=Count("pk")).values("count")
        rows = super().get_queryset(request).select_related("account")
        return rows.annotate(last_text=Subquery(last), messages_in_all=Subquery(count))

    def page_context(self, request: HttpRequest, row: Conversation) -> dict[str, Any]:
        before = request.GET.get("before", "")
        earlier = row.messages.filter(pk__lt=int(before)) if is_key(before) else row.messages.all()
        newest_first = list(earlier.order_by("-pk")[: LINES_PER_PAGE + 1])
        shown = newest_first[:LINES_PER_PAGE][::-1]
        ids = {message.exchange_id for message in shown if message.exchange_id}
        exchanges = (
            Exchange.objects.filter(pk__in=ids)
            .select_related("bot")
            .defer("data", "body", "timeline", "bot__prompt", "bot__knowledge", "bot__links", "bot__routes")
        )
        answered = Message.objects.filter(exchange__in=ids, role=Message.Role.BOT).values_list("exchange", flat=True)
        return {
            "lines": list(
                lines(shown, {e.pk: e for e in exchanges}, frozenset(filter(None, answered)), zone=row.account.zone)
            ),
            "earlier": shown[0].pk if len(newest_first) > LINES_PER_PAGE else None,
            "is_earlier": is_key(before),
            "facts": facts(row),
            "kommo_link": kommo_link(row),
            "exchanges_link": list_of(Exchange, conversation=row.pk),
        }

    @admin.display(description=gettext_lazy("Conversation"), ordering="entity_id")
    def name(self, row: Conversation) -> str:
        return str(row)

    @admin.display(description=gettext_lazy("Last words"))
    def last_words(self, row: Any) -> SafeString:
        words = Truncator(" ".join((row.last_text or "").split())).chars(EXCERPT_CHARS)
        return format_html('<span class="kb-excerpt">{}</span>', words or _("(no words)"))

    @admin.display(description=gettext_lazy("Messages"))
    def message_count(self, row: Any) -> int:
        return row.messages_in_all or 0

    @admin.display(description=gettext_lazy("Last message"), ordering="last_message_at")
    def last_message(self, row: Conversation) -> SafeString | str:
        return times.cell(row.last_message_at, row.account.zone)


def facts(row: Conversation) -> list[tuple[str, str]]:
    """Give what is known of a conversation: pairs of name and value."""
    zone = row.account.zone
    found = [
        (_("Account"), str(row.account)),
        (_("Channel"), row.origin),
        (_("Contact id"), row.contact_id),
        (_("Talk id"), row.talk_id),
        (_("First message"), times.shown(row.created_at, zone)),
        (_("Last message"), times.shown(row.last_message_at, zone)),
        (_("Times"), zone.key),
    ]
    return [(name, value) for name, value in found if value]


def kommo_link(row: Conversation) -> str:
    """Give the address of the lead or customer in Kommo, "" when it isn't known."""
    place = PLACES.get(row.entity_type)
    return f"{row.account.origin}/{place}/detail/{row.entity_id}" if place and row.entity_id.isdecimal() else ""
