"""The app of accounts, bots and exchanges."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BotsConfig(AppConfig):
    """Everything of a tenant and of Kommo."""

    name = "bots"
    verbose_name = _("KommoBridge")
