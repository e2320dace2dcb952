"""The admin site: its name, its start page, its login, and no style within a page."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as ThemeSite
else:
    from unfold.sites import UnfoldAdminSite as ThemeSite


class SiteConfig(AdminConfig):
    """Makes our site the one that `django.contrib.admin` knows as its own."""

    default_site = "kommobridge.site.Site"


class Site(ThemeSite):
    """The product's face."""

    site_title = "KommoBridge"
    site_header = "KommoBridge"
    index_title = _("Overview")
    enable_nav_sidebar = True

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Leave the theme's colours out of the page, where they would be a style that the policy refuses.

        `bots/static/bots/theme.css` holds them.
        """
        return {**super().each_context(request), "colors": None}
