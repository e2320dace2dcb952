"""Who belongs to an account: added by e-mail address, with a role."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin.scoped import ScopedInline, the_user
from bots.admin.theme import email_input
from bots.models import Account, Membership, User
from bots.scoping import OWNERS, Role, sees_everything


class MembershipForm(forms.ModelForm[Membership]):
    """One member: the address once, the role at any time."""

    email = forms.EmailField(label=gettext_lazy("E-mail"), widget=email_input(autocomplete="off"))

    class Meta:
        model = Membership
        fields = ("role",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["email"].disabled = True
            self.initial["email"] = self.instance.user.email

    def clean(self) -> dict[str, Any]:
        """Find the user of the address; whether there was one already is nobody's business here."""
        cleaned: dict[str, Any] = super().clean() or {}
        email = str(cleaned.get("email", "")).strip().lower()
        if email and not self.instance.pk:
            user = User.objects.filter(email=email).first()
            if user and user.memberships.filter(account=self.instance.account_id).exists():
                raise ValidationError({"email": _("is a member already. Change the role instead.")})
            self.instance.user = user or User(email=email)
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        """Leave the user aside: a new one is saved after the check."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # the stubs leave it out
        return {*excluded, "user"}

    def save(self, commit: bool = True) -> Membership:  # noqa: FBT001, FBT002  Django's own
        """Save a user for a new address, without a password: nobody can log in as them yet."""
        if self.instance.user._state.adding:
            self.instance.user = User.objects.create_user(self.instance.user.email)
        return super().save(commit)


class MembershipFormSet(BaseInlineFormSet[Membership, Account, forms.ModelForm[Membership]]):
    """All members of an account."""

    keeps_an_owner = True

    def clean(self) -> None:
        """Refuse two lines for one address, and to leave an account without an owner.

        Raises:
            ValidationError: saying which.
        """
        super().clean()
        kept = [
            form
            for form in self.forms
            if form.is_valid() and not form.cleaned_data.get("DELETE") and form.instance.role
        ]
        emails = [form.cleaned_data["email"].lower() for form in kept if "email" in form.cleaned_data]
        if len(set(emails)) != len(emails):
            raise ValidationError(_("An address stands here twice. Remove one of the lines."))
        owners = [form for form in kept if form.cleaned_data.get("role") == Role.OWNER]
        if self.keeps_an_owner and not owners:
            raise ValidationError(_("An account needs an owner. Make somebody else an owner first."))


class MembershipInline(ScopedInline[Membership, Account]):
    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    fields = ("email", "role")
    writers = OWNERS
    verbose_name = gettext_lazy("member")
    verbose_name_plural = gettext_lazy("members")
    template_before = "admin/bots/members_note.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user").order_by("user__email")

    def email(self, membership: Membership) -> str:
        """Show the address to those who may only read."""
        return membership.user.email

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Let operators leave an account without an owner."""
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.keeps_an_owner = not sees_everything(the_user(request))
        return formset
