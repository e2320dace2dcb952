"""Makes Django find the `sandbox` command; the app has no models."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """The stand-in for Kommo as an installed app."""

    name = "sandbox"
    verbose_name = "Sandbox"
