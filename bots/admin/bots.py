"""Bots: prompt, knowledge, the models asked in order, declared outputs, limits. One is the account's default."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin.archiving import Archivable
from bots.admin.confirming import Question
from bots.admin.filters import AccountFilter, ArchivedFilter
from bots.admin.guide_return import LeadsBack
from bots.admin.json_boxes import JSONBox, json_text
from bots.admin.scoped import AccountRowForm, ScopedInline, the_user
from bots.admin.switching import Switchable
from bots.admin.theme import text_area
from bots.models import Account, Bot, ModelChoice, Provider
from bots.scoping import OWNERS_AND_EDITORS, has_one_account

PARTS = (
    (None, {"fields": ("account", "name", "slug", "enabled", "is_default")}),
    (gettext_lazy("What it says"), {"fields": ("prompt", "knowledge")}),
    (gettext_lazy("What it offers"), {"fields": ("offers_buttons", "links")}),
    (gettext_lazy("When it can't answer"), {"fields": ("fallback_text", "empty_text", "deadline_s")}),
    (gettext_lazy("How its Salesbot goes on"), {"fields": ("outputs", "routes", "delivery")}),
    (gettext_lazy("Fine tuning"), {"fields": ("temperature", "max_tokens", "history_messages")}),
)
IN_JSON = ("outputs", "links", "routes")


class BotForm(AccountRowForm[Bot]):
    """A bot as owners and editors change it."""

    outputs = JSONBox(
        kind=list,
        label=gettext_lazy("Outputs"),
        help_text=gettext_lazy(
            'Values for the Salesbot to branch on as {{json.city}}. A list such as [{"name": "city", "type": "text", '
            '"description": "where the customer lives", "choices": ["Madrid", "Porto"]}]; type is text, number or '
            "boolean; choices may be left out."
        ),
    )
    links = JSONBox(
        kind=list,
        label=gettext_lazy("Links"),
        help_text=gettext_lazy(
            "Pages that the model may offer; it chooses, you write the addresses. A list such as [{"
            '"text": "Price list", "url": "https://example.com/prices", "description": "when asked for prices"}]; '
            "the customer sees the text."
        ),
    )
    routes = JSONBox(
        kind=dict,
        rows=4,
        label=gettext_lazy("Ways out"),
        help_text=gettext_lazy(
            "Where an outcome (success, handoff, silent, fail) leaves, when not by its own exit: "
            '{"handoff": {"exit": "success"}} takes another exit of the Widget step, {"fail": {"goto": {"type": '
            '"question", "step": 4}}} jumps at once to a step of a flow of your own; our widget\'s leaves by exits. '
            "{{json.status}} still tells the outcome."
        ),
    )

    class Meta:
        model = Bot
        fields = [name for _title, part in PARTS for name in part["fields"]]
        widgets = {
            "prompt": text_area(rows=14),
            "knowledge": text_area(rows=18),
            "fallback_text": text_area(rows=3),
            "empty_text": text_area(rows=3),
        }
        help_texts = {
            "offers_buttons": gettext_lazy(
                "The model may offer answers to tap. They are buttons below a text of up to 80 characters, where the "
                "channel has buttons; else a numbered list in the text. The customer may tap, or write the number."
            ),
            "delivery": gettext_lazy(
                "Whole is right for our widget. In pieces is for a flow of your own that can't show {{json.message}}: "
                "at most 10 messages of 80 characters, 9 when the outcome jumps to a step. What doesn't fit is cut "
                "and ends in “…”; a list of answers stays whole; a web address of more than 80 characters is left out."
            ),
        }

    def clean_is_default(self) -> bool:
        """Keep one default bot.

        Raises:
            ValidationError: it would be none.
        """
        wanted: bool = self.cleaned_data["is_default"]
        if self.instance.pk and self.instance.is_default and not wanted:
            raise ValidationError(_("An account needs a default bot. Mark another one as default instead."))
        if wanted and self.instance.archived_at:
            raise ValidationError(_("This bot is archived. Restore it first."))
        return wanted

    def _get_validation_exclusions(self) -> set[str]:
        """Leave the one default aside: the page moves it from the other bot when it saves."""
        return {*super()._get_validation_exclusions(), "is_default"}


class ModelChoiceForm(forms.ModelForm[ModelChoice]):
    """One model of a bot; it belongs to the bot's account also before the bot is saved."""

    class Meta:
        model = ModelChoice
        fields = ("bot", "provider", "model", "position", "input_price", "output_price")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("input_price", "output_price"):
            if self.initial.get(name) is not None:
                self.initial[name] = f"{self.initial[name].normalize():f}"  # 1, not 1.000000

    def clean(self) -> dict[str, Any]:
        """Take the account from the bot, so that a provider of another account is refused."""
        cleaned: dict[str, Any] = super().clean() or {}
        bot = cleaned.get("bot")
        if bot is not None:
            self.instance.account_id = bot.account_id
        return cleaned


class ModelChoiceInline(ScopedInline[ModelChoice, Bot]):
    model = ModelChoice
    form = ModelChoiceForm
    writers = OWNERS_AND_EDITORS
    fields = ("position", "provider", "model", "input_price", "output_price")
    verbose_name_plural = gettext_lazy("models, asked in this order until one answers")

    def get_formset(self, request: HttpRequest, obj: Bot | None = None, **kwargs: Any) -> Any:
        """Remember whose providers may be chosen."""
        request.__dict__["_kept_bot"] = obj
        return super().get_formset(request, obj, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the providers in use of the bot's own account; for a new bot those of every account of the user."""
        if db_field.name != "provider":
            return super().formfield_for_foreignkey(db_field, request, **kwargs)
        bot: Bot | None = request.__dict__.get("_kept_bot")
        rows = self.choices_for(Provider, request).select_related("account")
        chosen = Q(pk__in=bot.model_choices.values("provider")) if bot and bot.pk else Q()
        usable = Q(archived_at__isnull=True)
        if bot and bot.account_id:
            rows = rows.filter(account=bot.account_id)
        kwargs["queryset"] = rows.filter(usable | chosen) if chosen else rows.filter(usable)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        is_known = bool(bot and bot.account_id) or has_one_account(the_user(request))
        if field:
            field.label_from_instance = _named_alone if is_known else _named_with_account  # type: ignore[assignment]
        return field


def _named_alone(provider: Provider) -> str:
    return _("%s (archived)") % provider if provider.archived_at else str(provider)


def _named_with_account(provider: Provider) -> str:
    return f"{provider.account} / {_named_alone(provider)}"


@admin.register(Bot)
class BotAdmin(LeadsBack[Bot], Switchable[Bot], Archivable[Bot]):
    form = BotForm
    writers = OWNERS_AND_EDITORS
    inlines = (ModelChoiceInline,)
    list_display = ("name", "account", "slug", "use", "asked")
    list_filter = (AccountFilter, ArchivedFilter)
    list_select_related = ("account",)
    search_fields = ("name", "slug", "account__name")
    search_help_text = gettext_lazy("Name, slug, or the account's name")
    prepopulated_fields = {"slug": ("name",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bot]:
        return super().get_queryset(request).prefetch_related("model_choices__provider")

    def get_fieldsets(self, request: HttpRequest, obj: Bot | None = None) -> Any:
        """Show readers what is JSON as text."""
        if obj is None or self.has_change_permission(request, obj):
            return PARTS
        return [
            (title, {"fields": [f"{name}_as_text" if name in IN_JSON else name for name in part["fields"]]})
            for title, part in PARTS
        ]

    def save_model(self, request: HttpRequest, obj: Bot, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save, with exactly one default bot in the account: the first is it, a new one takes it over."""
        Account.objects.select_for_update().get(pk=obj.account_id)  # two editors at once
        others = Bot.objects.filter(account=obj.account_id, is_default=True).exclude(pk=obj.pk)
        if obj.is_default:
            for other in others:
                messages.info(request, _("%s is no longer the default bot.") % other)
            others.update(is_default=False)
        elif not change and not others.exists():
            obj.is_default = True
            messages.info(request, _("%s is the account's first bot and its default.") % obj)
        super().save_model(request, obj, form, change)

    def uses_of(self, row: Bot) -> str:
        if row.is_default:
            return _("It is the account's default bot.")
        return _("Past exchanges name it.") if row.exchanges.exists() else ""

    def archive_question(self, row: Bot) -> Question:
        return Question(
            title=_("Archive"),
            text=_(
                "Widget steps that name this bot get the default bot instead. Its conversations stay readable, and it "
                "can be restored."
            ),
            button=_("Archive"),
            refusal=_("This is the default bot. Mark another one as default first, or switch this one off.")
            if row.is_default
            else "",
        )

    @admin.display(description=gettext_lazy("Models"))
    def asked(self, bot: Bot) -> str:
        return ", ".join(choice.model for choice in bot.model_choices.all()) or "–"

    @admin.display(description=gettext_lazy("In use"))
    def use(self, bot: Bot) -> str:
        if bot.archived_at:
            return _("archived")
        if not bot.enabled:
            return _("switched off")
        return _("default") if bot.is_default else _("when named")

    @admin.display(description=gettext_lazy("Outputs"))
    def outputs_as_text(self, bot: Bot) -> SafeString | str:
        return json_text(bot.outputs)

    @admin.display(description=gettext_lazy("Links"))
    def links_as_text(self, bot: Bot) -> SafeString | str:
        return json_text(bot.links)

    @admin.display(description=gettext_lazy("Ways out"))
    def routes_as_text(self, bot: Bot) -> SafeString | str:
        return json_text(bot.routes)
