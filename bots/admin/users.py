"""Users: for operators only. Members are added on the page of their account."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bots.admin import times
from bots.admin.scoped import ScopedAdmin, ScopedInline, the_user
from bots.admin.theme import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from bots.models import Membership, User
from bots.scoping import sees_everything


class UserMembershipInline(ScopedInline[Membership, User]):
    model = Membership
    fields = ("account", "role")
    verbose_name_plural = gettext_lazy("accounts of this user")


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]  # takes none when it runs
    """A user with a first password, or with none yet."""

    class Meta:
        model = User
        fields = ("email", "name")


class ChangedUserForm(UserChangeForm):  # type: ignore[type-arg]  # takes none when it runs
    """A user; the password has a page of its own."""

    class Meta:
        model = User
        fields = ("email", "name", "is_active", "is_superuser")
        labels = {"is_superuser": gettext_lazy("Operator")}
        help_texts = {"is_superuser": gettext_lazy("Runs the deployment: sees and changes every account.")}


@admin.register(User)
class UserAdmin(ScopedAdmin[User], DjangoUserAdmin):  # type: ignore[type-arg]  # takes none when it runs
    form = ChangedUserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    inlines = (UserMembershipInline,)
    list_display = ("email", "name", "is_active", "operator", "seen")
    list_filter = ()
    search_fields = ("email", "name")
    search_help_text = gettext_lazy("E-mail or name")
    ordering = ("email",)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        (gettext_lazy("Access"), {"fields": ("is_active", "is_superuser")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return sees_everything(the_user(request))

    has_change_permission = has_add_permission = has_delete_permission = has_view_permission

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Set another password; for everybody but operators there is no such page."""
        self.row_or_404(request, id)
        return super().user_change_password(request, id, form_url)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Keep operators from locking themselves out."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "is_active", "is_superuser") if obj is not None and obj.pk == request.user.pk else fields

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], Any, set[Any], list[str]]:
        """Refuse to delete a user with memberships or a history: switched off, they stay its author."""
        refusals = [self._past_of(user) for user in objs]
        told = [refusal for refusal in refusals if refusal]
        return ([], {}, set(), told) if told else super().get_deleted_objects(objs, request)

    def _past_of(self, user: User) -> str:
        if user.memberships.exists():
            return _("%s is a member of accounts. Remove the memberships, or switch the user off.") % user
        if LogEntry.objects.filter(user=user).exists():
            return _("%s has a history here. Switch the user off instead.") % user
        return ""

    @admin.display(description=gettext_lazy("Operator"), boolean=True, ordering="is_superuser")
    def operator(self, user: User) -> bool:
        return user.is_superuser

    @admin.display(description=gettext_lazy("Last login"), ordering="last_login")
    def seen(self, user: User) -> SafeString | str:
        return times.cell(user.last_login, self.zone_of(None))
