"""The project as an app: its commands and templates."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Settings, admin site, health, supervisor."""

    name = "kommobridge"
