"""The login form."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as ThemeForm
else:
    from unfold.forms import AuthenticationForm as ThemeForm


class LoginForm(ThemeForm):
    """Asks for the e-mail address as such, so that phones show the right keyboard."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.input_type = "email"
