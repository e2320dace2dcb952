"""The way back: a page that was opened from an account's setup guide leads there again, saved or not.

Such a page has the account's number in its address. A number says nowhere to go but to a guide, and only to that of an
account that the user may read; anything else counts as not said.
"""

import re
from typing import Any, TypeVar

from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from bots.admin.scoped import ScopedAdmin, the_user
from bots.models import Account
from bots.scoping import visible_to

M = TypeVar("M", bound=Model)

FROM_GUIDE = "guide"
NUMBER = re.compile(r"[0-9]{1,18}")
NEXT = "#next"  # the step to take now, if one is left
ONWARD = frozenset({"_continue", "_addanother"})


def guide_of(account: Account) -> str:
    """Give the address of an account's guide."""
    return reverse("admin:bots_account_guide", args=[account.pk])


def from_guide(address: str, account: Account, /, **fields: int) -> str:
    """Give the address of a page as the guide links to it.

    Args:
        address: of the page, without a query.
        account: whose guide to come back to.
        fields: what a form for a new row is to begin with, rows by their number.
    """
    return f"{address}?{urlencode({**fields, FROM_GUIDE: account.pk})}"


def way_back(request: HttpRequest) -> str:
    """Give the guide from which a page was opened; "" for a page that came from elsewhere."""
    number = request.GET.get(FROM_GUIDE, "")
    if not NUMBER.fullmatch(number):
        return ""
    account = visible_to(Account.objects.only("pk"), the_user(request)).filter(pk=number).first()
    return guide_of(account) + NEXT if account else ""


class LeadsBack(ScopedAdmin[M]):
    """Forms that return to the guide from which they were opened."""

    change_form_outer_before_template = "admin/bots/guide_back.html"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Show the way back beside the form."""
        return super().render_change_form(request, {**context, "way_back": way_back(request)}, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: M, *args: Any, **kwargs: Any) -> HttpResponse:
        return _led_back(request, super().response_add(request, obj, *args, **kwargs))

    def response_change(self, request: HttpRequest, obj: M, *args: Any, **kwargs: Any) -> HttpResponse:
        return _led_back(request, super().response_change(request, obj, *args, **kwargs))


def _led_back(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Go to the guide instead of the list; a form that goes on keeps its way back."""
    guide = way_back(request)
    if not guide or not isinstance(response, HttpResponseRedirect):
        return response
    if not ONWARD & set(request.POST):
        return HttpResponseRedirect(guide)
    joint = "&" if "?" in response.url else "?"
    return HttpResponseRedirect(f"{response.url}{joint}{urlencode({FROM_GUIDE: request.GET[FROM_GUIDE]})}")
