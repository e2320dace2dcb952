"""The widget that an account uploads to Kommo: its files, the builder of its zip, and the judge of any such zip.

Beside it a Salesbot to import, which is built around the widget's step.

A library: no models, no settings, no Django. Import from here only.
"""

from bots.widget.breaches import Breach
from bots.widget.checking import check_widget
from bots.widget.facts import LOCALES, ZIP_MAX_BYTES, Hosts
from bots.widget.packing import CannotBuild, build_widget, content_digest
from bots.widget.salesbot import GREETING_MAX_CHARS, SILENCE_DAYS, SILENCE_DAYS_MAX, build_salesbot
from bots.widget.versions import FIRST_VERSION, is_older, is_version, next_version, raised

__all__ = [
    "FIRST_VERSION",
    "GREETING_MAX_CHARS",
    "LOCALES",
    "SILENCE_DAYS",
    "SILENCE_DAYS_MAX",
    "ZIP_MAX_BYTES",
    "Breach",
    "CannotBuild",
    "Hosts",
    "build_salesbot",
    "build_widget",
    "check_widget",
    "content_digest",
    "is_older",
    "is_version",
    "next_version",
    "raised",
]
