"""The setup guide: a page per account, from nothing to the first answered message. Its state lives in the rows alone.

The page asks for its own steps every few seconds while a message could still change them; `?part=steps` is those steps
alone. Looking changes nothing; a tick is a POST of an owner or an editor.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin import times
from bots.admin.explained import REFUSALS
from bots.admin.guide_facts import Known, known_of
from bots.admin.guide_return import LeadsBack, from_guide, guide_of
from bots.admin.guide_words import NO_REASON, REMARKS, STATES, TITLES
from bots.admin.scoped import list_of, page_of, the_user
from bots.admin.theme import step
from bots.guide import IN_KOMMO, Proof, Step, StepCode, StepState, checklist, count_done, is_waiting, with_tick
from bots.kommo import is_extra_origin
from bots.models import Account, Bot, Exchange, Provider
from bots.scoping import OWNERS_AND_EDITORS, has_role

LOOK_EVERY_MS = 3000
PROVIDERS_AT_MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStep:
    """One step as its page shows it.

    Args:
        number: from 1.
        code: names its template and its place on the page.
        title: what is true when it is done.
        tone: for the eye.
        state: in words.
        is_next: the one to unfold.
        is_done: so that it counts.
        proof: how it was ticked, in words; "" when it wasn't.
        remark: a sentence with its remedy; "" for none.
        is_trouble: the remark tells of something wrong.
        link: the exchange behind it; "" for none.
        tick: what the button would send, "1" or "0"; "" for no button.
        stamp: changes when anything of this changes.
    """

    number: int
    code: str
    title: str
    tone: str
    state: str
    is_next: bool
    is_done: bool
    proof: str
    remark: str
    is_trouble: bool
    link: str
    tick: str

    @property
    def template(self) -> str:
        """Where its instructions stand."""
        return f"admin/bots/guide/{self.code}.html"

    @property
    def stamp(self) -> str:
        """A text that differs when the page has to show something else."""
        return "|".join((self.state, str(self.is_next), self.proof, self.remark, self.link, self.tick))


class Guided(LeadsBack[Account]):
    """Accounts with a setup guide."""

    @step(description=gettext_lazy("Setup guide"), url_path="guide", icon="checklist", permissions=["guide"])
    def guide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the steps, or set and take a tick."""
        account = self.row_or_404(request, object_id)
        if request.method == "POST":
            return self._tick(request, account)
        known = known_of(account)
        steps = checklist(known.facts, now=timezone.now())
        may_tick = self._may_tick(request, account)
        context = {
            "steps": [shown(one, account, known, may_tick=may_tick) for one in steps],
            "done": count_done(steps),
            "total": len(steps),
            "is_waiting": is_waiting(steps),
            "look_every_ms": LOOK_EVERY_MS,
            "here": self._places(request, account, known),
        }
        if request.GET.get("part") == "steps":
            return TemplateResponse(request, "admin/bots/guide_steps.html", context)
        page = {"opts": self.opts, "original": account, "title": _("Setup guide: %s") % account}
        context = {**self.admin_site.each_context(request), **page, **context}
        return TemplateResponse(request, "admin/bots/guide.html", context)

    def has_guide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Say whether to offer the guide: to whoever may read the account."""
        return object_id is not None and self.has_view_permission(request, self.row_or_404(request, object_id))

    def response_add(self, request: HttpRequest, obj: Account, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lead from a new account to its guide, unless another page was asked for."""
        response: HttpResponse = super().response_add(request, obj, *args, **kwargs)
        goes_on = {"_continue", "_addanother", "_popup"} & set(request.POST)
        return response if goes_on else HttpResponseRedirect(guide_of(obj))

    def _may_tick(self, request: HttpRequest, account: Account) -> bool:
        return has_role(the_user(request), OWNERS_AND_EDITORS, account=account.pk)

    def _tick(self, request: HttpRequest, account: Account) -> HttpResponse:
        if not self._may_tick(request, account):
            raise PermissionDenied
        code, ticked = request.POST.get("step", ""), request.POST.get("ticked", "")
        if code not in IN_KOMMO or ticked not in ("0", "1"):
            return HttpResponseBadRequest("step: must be one that is ticked by hand. Reload the page.")
        done = StepCode(code)
        with transaction.atomic():
            held = Account.objects.select_for_update().only("guide_ticks").get(pk=account.pk)
            held.guide_ticks = with_tick(held.guide_ticks, done, ticked=ticked == "1")
            held.save(update_fields=["guide_ticks"])
            text = _("Setup guide, ticked: %s") if ticked == "1" else _("Setup guide, tick taken back: %s")
            self.log_change(request, account, text % TITLES[done])
        return HttpResponseRedirect(f"{guide_of(account)}#step-{code}")

    def _places(self, request: HttpRequest, account: Account, known: Known) -> dict[str, Any]:
        """Give where the instructions lead, and what they let a person copy."""
        is_owner = self.has_change_permission(request, account)
        return {
            "account": account,
            "stand_in": account.origin if is_extra_origin(account.origin, settings.KOMMO_EXTRA_ORIGINS) else "",
            "guide": guide_of(account),
            "account_page": from_guide(page_of(account), account),
            "bot_page": _bot_page(account, known.bot),
            "bot": known.bot,
            "providers": [(str(one), from_guide(page_of(one), account)) for one in _providers_in_use(account)],
            "provider_add": from_guide(reverse("admin:bots_provider_add"), account, account=account.pk),
            "exchange_list": list_of(Exchange, account=account.pk),
            "kommo_id_address": f"{account.origin}/api/v4/account",
            "hook_url": account.hook_url if is_owner else "",
            "widget_download": _step_page(account, "download_widget") if is_owner else "",
            "salesbot_download": _step_page(account, "download_salesbot") if is_owner else "",
        }


def _step_page(account: Account, name: str) -> str:
    return from_guide(reverse(f"admin:bots_account_{name}", args=[account.pk]), account)


def _bot_page(account: Account, bot: Bot | None) -> str:
    if bot:
        return from_guide(page_of(bot), account)
    return from_guide(reverse("admin:bots_bot_add"), account, account=account.pk)


def _providers_in_use(account: Account) -> QuerySet[Provider]:
    return account.providers.filter(archived_at__isnull=True).order_by("name")[:PROVIDERS_AT_MOST]


def shown(one: Step, account: Account, known: Known, *, may_tick: bool) -> ShownStep:
    """Put a step into words."""
    name, tone = STATES[one.state]
    exchange = exchange_behind(one, known)
    tick = ("0" if one.proof is Proof.HAND else "1") if one.can_be_ticked and may_tick else ""
    return ShownStep(
        number=list(StepCode).index(one.code) + 1,
        code=one.code.value,
        title=str(TITLES[one.code]),
        tone=tone,
        state=str(name),
        is_next=one.is_next,
        is_done=one.state is StepState.DONE,
        proof=proof_in_words(one, account, known),
        remark=remark_in_words(one, account, known),
        is_trouble=one.state is StepState.TROUBLE,
        link=page_of(exchange) if exchange else "",
        tick=tick,
    )


def exchange_behind(one: Step, known: Known) -> Exchange | None:
    """Give the exchange that proves a step, or that shows what is wrong with it."""
    if one.code is StepCode.REPLY:
        return known.answered or known.last
    return known.first if one.code is StepCode.REQUEST else None


def proof_in_words(one: Step, account: Account, known: Known) -> str:
    """Say how a step was ticked; "" when it wasn't."""
    at = times.shown(one.at, account.zone)
    match one.proof:
        case Proof.ENTERED if one.at:
            return _("entered on %s") % at
        case Proof.ENTERED if one.code is StepCode.SECRETS and one.remark is None and known.facts.token.expires_at:
            end = times.shown(known.facts.token.expires_at, account.zone)
            return _("entered; by its own words the token is good until %s") % end
        case Proof.ENTERED:
            return _("entered")
        case Proof.BUILT:
            return _("version %(version)s, built on %(at)s") % {"version": account.widget_version, "at": at}
        case Proof.SEEN:
            return _seen_in_words(one, known, at)
        case Proof.HAND:
            return _("ticked by hand")
    return ""


def _seen_in_words(one: Step, known: Known, at: str) -> str:
    request = known.answered if one.code is StepCode.REPLY else known.first
    version = request.widget_version if request else ""
    text = _("seen on %(at)s, from widget %(version)s") if version else _("seen on %(at)s")
    return text % {"at": at, "version": version}


def remark_in_words(one: Step, account: Account, known: Known) -> str:
    """Say what there is to say about a step; "" for nothing."""
    if one.remark is None:
        return ""
    return str(REMARKS[one.remark]) % {
        "end": times.shown(known.facts.token.expires_at, account.zone),
        "named": known.facts.token.kommo_id,
        "entered": account.kommo_id,
        "bot": known.bot or "",
        "old": known.last.widget_version if known.last else "",
        "new": account.widget_version,
        "address": settings.PUBLIC_URL,
        "refusal": REFUSALS.get(account.refused_code, ""),
        "refused_at": times.shown(known.facts.refused_at, account.zone),
        "reason": (known.last.reason_text if known.last else "") or NO_REASON,
    }
