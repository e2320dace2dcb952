"""Providers: vendor, base address and a key that is never shown."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin.archiving import Archivable
from bots.admin.confirming import Question
from bots.admin.filters import AccountFilter, ArchivedFilter
from bots.admin.guide_return import LeadsBack
from bots.admin.scoped import AccountRowForm
from bots.admin.secrets import SecretField, SecretsForm, secret_hint
from bots.admin.theme import select
from bots.models import Attempt, ModelChoice, Provider
from bots.models.providers import vendor_choices
from bots.scoping import OWNERS
from llm import VENDORS


class ProviderForm(SecretsForm, AccountRowForm[Provider]):
    """A provider as operators and owners change it."""

    new_api_key = SecretField(
        "api_key", help_text=gettext_lazy("From the vendor's own pages. Stored encrypted, never shown.")
    )
    provider = forms.ChoiceField(label=gettext_lazy("Vendor"), choices=lazy(vendor_choices, list)(), widget=select())

    class Meta:
        model = Provider
        fields = ("account", "name", "provider", "api_base")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.provider
        vendors = self.fields.get("provider")
        if stored and stored not in VENDORS and isinstance(vendors, forms.ChoiceField):
            vendors.choices = [(stored, _("%s (no longer offered)") % stored), *vendor_choices()]


@admin.register(Provider)
class ProviderAdmin(LeadsBack[Provider], Archivable[Provider]):
    form = ProviderForm
    writers = OWNERS
    list_display = ("name", "account", "vendor", "new_api_key", "use")
    list_filter = (AccountFilter, ArchivedFilter)
    list_select_related = ("account",)
    search_fields = ("name", "account__name")
    search_help_text = gettext_lazy("Name, or the account's name")
    fields = ("account", "name", "provider", "new_api_key", "api_base")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        chosen = ModelChoice.objects.filter(provider=OuterRef("pk"))
        return super().get_queryset(request).annotate(is_chosen=Exists(chosen))

    def uses_of(self, row: Provider) -> str:
        choices = ModelChoice.objects.filter(provider=row).count()
        calls = Attempt.objects.filter(provider=row).exists()
        if choices:
            return _("%d models of bots use it.") % choices
        return _("Past exchanges name it.") if calls else ""

    def archive_question(self, row: Provider) -> Question:
        choices = list(ModelChoice.objects.filter(provider=row, bot__archived_at__isnull=True).select_related("bot"))
        bots = ", ".join(sorted({str(choice.bot) for choice in choices}))
        text = _("Its models are not asked any more. What it did stays readable, and it can be restored.")
        used = _("These bots skip its models from then on: %s.") % bots if bots else ""
        return Question(title=_("Archive"), text=f"{text} {used}".strip(), button=_("Archive"))

    @admin.display(description=gettext_lazy("API key"))
    def new_api_key(self, provider: Provider) -> str:
        """Show readers, and the list, what stands in the place of the write-only field."""
        return secret_hint(provider, "api_key")

    @admin.display(description=gettext_lazy("Vendor"), ordering="provider")
    def vendor(self, provider: Provider) -> str:
        vendor = VENDORS.get(provider.provider)
        return vendor.label if vendor else provider.provider

    @admin.display(description=gettext_lazy("In use"))
    def use(self, provider: Provider) -> str:
        if provider.archived_at:
            return _("archived")
        return _("by bots") if getattr(provider, "is_chosen", False) else _("not yet")
