"""The admin theme's settings: name, navigation, our own styles and scripts."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _item(title: Any, icon: str, name: str, permission: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{name}"), "permission": permission}


_MEMBERS = "kommobridge.navigation.belongs_somewhere"
_OPERATORS = "kommobridge.navigation.is_operator"

UNFOLD = {
    "SITE_TITLE": "KommoBridge",
    "SITE_HEADER": "KommoBridge",
    "SITE_SYMBOL": "forum",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("bots/icon.svg")}],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "DASHBOARD_CALLBACK": "bots.admin.overview.fill",
    "LOGIN": {"form": "kommobridge.login.LoginForm"},
    "STYLES": [lambda request: static("bots/theme.css"), lambda request: static("bots/admin.css")],
    "SCRIPTS": [lambda request: static("bots/quiet.js"), lambda request: static("bots/copy.js")],
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    {"title": _("Overview"), "icon": "space_dashboard", "link": reverse_lazy("admin:index")},
                    _item(_("Conversations"), "forum", "bots_conversation_changelist", _MEMBERS),
                    _item(_("Exchanges"), "swap_horiz", "bots_exchange_changelist", _MEMBERS),
                ]
            },
            {
                "title": _("Set up"),
                "items": [
                    _item(_("Bots"), "smart_toy", "bots_bot_changelist", _MEMBERS),
                    _item(_("Providers"), "key", "bots_provider_changelist", _MEMBERS),
                    _item(_("Accounts"), "storefront", "bots_account_changelist", _MEMBERS),
                ],
            },
            {
                "title": _("Deployment"),
                "items": [_item(_("Users"), "group", "bots_user_changelist", _OPERATORS)],
            },
        ]
    },
}
