"""What the package shows to others, and what it does without."""

import subprocess
import sys

import bots.widget

PUBLIC = {
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
}


def test_the_front_exports_exactly_the_public_names():
    assert set(bots.widget.__all__) == PUBLIC
    assert all(hasattr(bots.widget, name) for name in PUBLIC)


def test_the_library_loads_neither_django_nor_models():
    look = "import sys, bots.widget; print({'django', 'rest_framework', 'litellm', 'bots.models'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
