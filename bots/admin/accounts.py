"""Accounts: the connection to Kommo, secrets that are never shown, the address that Kommo calls, members."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin import attention, times
from bots.admin.account_forms import CONNECTION, AccountForm, NewKeyForm, previous_key_end
from bots.admin.confirming import Question
from bots.admin.guide import Guided
from bots.admin.members import MembershipInline
from bots.admin.scoped import page_of, the_user
from bots.admin.secrets import is_secret_set, secret_hint
from bots.admin.switching import Switchable
from bots.admin.theme import step
from bots.admin.widget_downloads import OffersWidget
from bots.models import Account, Bot
from bots.models.accounts import new_key
from bots.scoping import OWNERS, sees_everything


@admin.register(Account)
class AccountAdmin(Guided, Switchable[Account], OffersWidget):
    form = AccountForm
    writers = OWNERS
    inlines = (MembershipInline,)
    list_display = ("name", "subdomain", "kommo_id", "is_on", "needs")
    search_fields = ("name", "subdomain", "=kommo_id")
    search_help_text = gettext_lazy("Name, subdomain or Kommo account id")
    actions_detail = ("guide", "download_widget", "download_salesbot", "make_key")
    change_form_outer_before_template = "admin/bots/notices.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return sees_everything(the_user(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return sees_everything(the_user(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return attention.with_what_matters(super().get_queryset(request))

    def get_fieldsets(self, request: HttpRequest, obj: Account | None = None) -> Any:
        """Show the parts that there are: an end only for a previous secret or address that exists."""
        secrets = ["new_client_secret"]
        if obj is not None and is_secret_set(obj, "previous_client_secret"):
            may_change = self.has_change_permission(request, obj)
            secrets += [
                "new_previous_client_secret",
                "previous_client_secret_until" if may_change else "previous_until",
            ]
        parts = [(_("Connection"), {"fields": CONNECTION}), (_("Secrets"), {"fields": [*secrets, "new_access_token"]})]
        if obj is not None and self.has_change_permission(request, obj):
            hook = ["hook_address"] + (["previous_key_until"] if previous_key_end(obj) else [])
            text = _("Widget steps call this address. Whoever has it still needs the integration's secret key.")
            parts.insert(1, (_("Address for Kommo"), {"fields": hook, "description": text}))
        return parts if obj is None else [*parts, (_("Widget"), {"fields": ["widget"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[Any, ...]:
        return (*super().get_readonly_fields(request, obj), "hook_address", "widget")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        account = self.row_or_404(request, object_id)
        notices = {"findings": attention.findings(account), "zone": account.zone}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **notices})

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save; forget the trouble that a new token ends, and move the end of the previous address."""
        if form.new_secret("new_access_token"):
            obj.trouble, obj.trouble_at = "", None
        super().save_model(request, obj, form, change)
        if "previous_key_until" in form.changed_data and (end := form.cleaned_data["previous_key_until"]):
            obj.hook_keys.filter(expires_at__isnull=False).update(expires_at=end)

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse in a sentence while a Salesbot waits, whenever that is noticed."""
        try:
            response: HttpResponse = super().delete_view(request, object_id, *args, **kwargs)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return HttpResponseRedirect(page_of(self.row_or_404(request, object_id)))
        return response

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], Any, set[Any], list[str]]:
        """Count what goes with an account instead of listing every message, or say why it can't go."""
        account: Account = objs[0]
        if account.has_open_exchanges():
            open_still = _("an exchange that is still open. Switch the account off, wait two minutes, and try again.")
            return [], {}, set(), [open_still]
        counts = {
            _("members"): account.memberships.count(),
            _("providers"): account.providers.count(),
            _("bots"): Bot.objects.filter(account=account).count(),  # `account.bots` holds the default ones only
            _("conversations"): account.conversations.count(),
            _("exchanges"): account.exchanges.count(),
        }
        return [str(account)], counts, set(), []

    @step(description=gettext_lazy("New address"), url_path="new-key", icon="key", permissions=["make_key"])
    def make_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then give the account a new hook key; the one before it is honoured for 72 hours."""

        def question(account: Account) -> Question:
            return Question(
                title=_("New address"),
                text=_(
                    "%s gets a new address for its Widget steps. The present one works for 72 hours more; put the new "
                    "one into Kommo before then. An address that was replaced earlier stops working now."
                )
                % account,
                button=_("Make a new address"),
                form=NewKeyForm(request.POST or None),
            )

        def act(account: Account, values: dict[str, Any]) -> str:
            account.set_key(values["key"] or new_key(), now=timezone.now())
            return _(
                "The address is new. Download the widget again and upload it; then open each Salesbot with the Widget "
                "step, change something in the step and save it."
            )

        return self.ask_first(request, object_id, question=question, act=act)

    def has_make_key_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Say whether to offer a new address."""
        return self._may_step(request, object_id) is not None

    @admin.display(description=gettext_lazy("On"), boolean=True, ordering="enabled")
    def is_on(self, account: Account) -> bool:
        return account.enabled

    @admin.display(description=gettext_lazy("Needs attention"))
    def needs(self, account: Account) -> SafeString | str:
        """Show the first thing to do; the account's page has all of them."""
        worst = next(iter(attention.findings(account)), None)
        return format_html('<span class="kb-wrap">{}</span>', worst.text) if worst and worst.level != "note" else "–"

    @admin.display(description=gettext_lazy("Address"))
    def hook_address(self, account: Account) -> SafeString | str:
        if not account.pk:
            return _("Made when the account is saved.")
        return format_html('<code class="kb-copy" data-copy>{}</code>', account.hook_url)

    @admin.display(description=gettext_lazy("Widget"))
    def widget(self, account: Account) -> str:
        """Tell the last widget that was built, and with which one the last request came."""
        if not account.widget_version:
            return " ".join([_("None was built yet."), *attention.version_in_use(account)])
        built = _("Version %(version)s, built %(when)s.") % {
            "version": account.widget_version,
            "when": times.shown(account.widget_built_at, account.zone),
        }
        return " ".join([built, *attention.version_in_use(account)])

    # What readers see in the place of a write-only field of the same name.
    @admin.display(description=gettext_lazy("Secret key"))
    def new_client_secret(self, account: Account) -> str:
        return secret_hint(account, "client_secret")

    @admin.display(description=gettext_lazy("Previous secret key"))
    def new_previous_client_secret(self, account: Account) -> str:
        return secret_hint(account, "previous_client_secret")

    @admin.display(description=gettext_lazy("Previous secret honoured until"))
    def previous_until(self, account: Account) -> str:
        return times.shown(account.previous_client_secret_until, account.zone)

    @admin.display(description=gettext_lazy("Long-lived token"))
    def new_access_token(self, account: Account) -> str:
        return secret_hint(account, "access_token")
