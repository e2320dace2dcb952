"""Downloads on the account's page: its widget to upload to Kommo, and a Salesbot around the widget's step to import.

Each is asked for on a page of its own and comes as the answer to that page's button, never to a link. A download may
raise the account's version, and what a GET changes is changed by everyone who prefetches it; the page also is the place
to say what to do with the file. Pressing again is harmless: unchanged content keeps its version and its bytes.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.account_widgets import salesbot_of, version_to_come, widget_of
from bots.admin import times
from bots.admin.confirming import AsksFirst, Question
from bots.admin.theme import checkbox, step, text_area, text_input
from bots.models import Account
from bots.widget import GREETING_MAX_CHARS, SILENCE_DAYS, SILENCE_DAYS_MAX, CannotBuild


class WidgetForm(forms.Form):
    """How a widget is downloaded whose content hasn't changed."""

    newer = forms.BooleanField(
        label=gettext_lazy("As a newer version"),
        required=False,
        widget=checkbox(),
        help_text=gettext_lazy("Only when Kommo refuses the upload because this version is not a new one."),
    )


class SalesbotForm(forms.Form):
    """What is said in a Salesbot besides the bot's answers, and how long it waits."""

    greeting = forms.CharField(
        label=gettext_lazy("First message"),
        required=False,
        max_length=GREETING_MAX_CHARS,
        widget=text_area(rows=3),
        help_text=gettext_lazy("Left empty, the bot answers the message that starts the Salesbot."),
    )
    silence_days = forms.IntegerField(
        label=gettext_lazy("Ends after days of silence"),
        required=False,
        initial=SILENCE_DAYS,
        min_value=1,
        max_value=SILENCE_DAYS_MAX,
        widget=text_input(inputmode="numeric", autocomplete="off"),
        help_text=gettext_lazy(
            "Set as the timer of the Pause block. Look at it after the import: Kommo documents no format for it. Left "
            "empty, the Salesbot waits without an end."
        ),
    )


class OffersWidget(AsksFirst[Account]):
    """Pages of an account with its two files for Kommo; for whoever may change the account."""

    @step(
        description=gettext_lazy("Download widget"), url_path="widget", icon="download", permissions=["hand_out_widget"]
    )
    def download_widget(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then answer with the account's zip; it holds the account's hook address."""

        def question(account: Account) -> Question:
            return _widget_question(account, request)

        def make(account: Account, values: dict[str, Any]) -> tuple[HttpResponse, str]:
            built = widget_of(account, newer=bool(values.get("newer")))
            name = f"kommobridge-{account.subdomain}-{built.version}.zip"
            return _file(built.content, name, kind="application/zip"), _("Downloaded: widget %s.") % built.version

        return self._hand_out(request, object_id, question=question, make=make)

    @step(
        description=gettext_lazy("Download Salesbot"),
        url_path="salesbot",
        icon="smart_toy",
        permissions=["hand_out_widget"],
    )
    def download_salesbot(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then answer with the JSON file of a Salesbot."""

        def question(_account: Account) -> Question:
            return _salesbot_question(request)

        def make(account: Account, values: dict[str, Any]) -> tuple[HttpResponse, str]:
            name = f"kommobridge-salesbot-{account.subdomain}.json"
            return _file(salesbot_of(account, **values), name, kind="application/json"), _("Downloaded: Salesbot.")

        return self._hand_out(request, object_id, question=question, make=make)

    def has_hand_out_widget_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Say whether to offer the files."""
        return self._may_step(request, object_id) is not None

    def _hand_out(
        self,
        request: HttpRequest,
        object_id: str,
        *,
        question: Callable[[Account], Question],
        make: Callable[[Account, dict[str, Any]], tuple[HttpResponse, str]],
    ) -> HttpResponse:
        """Ask as every step does; what answers the button is the file, and the next page tells of it."""
        files: list[HttpResponse] = []

        def act(account: Account, values: dict[str, Any]) -> str:
            try:
                file, done = make(account, values)
            except CannotBuild as error:
                raise ValidationError(_cannot(error)) from error
            files.append(file)
            return done

        page = self.ask_first(request, object_id, question=question, act=act)
        return files[0] if files else page


def _widget_question(account: Account, request: HttpRequest) -> Question:
    title = _("Download widget")
    try:
        version = version_to_come(account)
    except CannotBuild as error:
        return Question(title=title, text="", button="", refusal=_cannot(error))
    steps = _(
        "Upload it in your integration's window in Kommo, install it, and press Save in its settings once. Then open "
        "each Salesbot that has the Widget step, change something in the step and save: until then it runs the widget "
        "that it was saved with."
    )
    if version != account.widget_version:
        text = _("This will be version %s. The zip holds this account's address.") % version
        return Question(title=title, text=f"{text} {steps}", button=_("Download"))
    since = times.shown(account.widget_built_at, account.zone)
    text = _("Version %(version)s, unchanged since %(since)s. The zip holds this account's address.")
    told = text % {"version": version, "since": since}
    return Question(title=title, text=f"{told} {steps}", button=_("Download"), form=WidgetForm(_sent(request)))


def _salesbot_question(request: HttpRequest) -> Question:
    return Question(
        title=_("Download Salesbot"),
        text=_(
            "A Salesbot around the Widget step, as a file that Kommo's list of Salesbots imports. It has each message "
            "answered and waits for the next one. When the bot hands over or can't answer, it ends and leaves the chat "
            "to your team. After the import open its Widget block, choose the widget there and save. A first message "
            "goes out on every channel of the contact until you choose some in its block."
        ),
        button=_("Download"),
        form=SalesbotForm(_sent(request)),
    )


def _sent(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _cannot(error: CannotBuild) -> str:
    return _("The file can't be built. %s") % error


def _file(content: bytes, name: str, *, kind: str) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return HttpResponse(
        content, content_type=kind, headers={"Content-Disposition": disposition, "Cache-Control": "no-store"}
    )
