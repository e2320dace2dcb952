"""Collect the pages' static files under hashed names into `var/static`: `.venv/bin/python -m scripts.collect_static`.

Depends on no deployment: neither `.env` nor the environment's variables count, and no database is opened. Does nothing
when the sources are those of the last time.
"""

import hashlib
import os
import sys
from pathlib import Path

import django
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from kommobridge.base import environment

HASHED = "whitenoise.storage.CompressedManifestStaticFilesStorage"


def main() -> int:
    """Collect, unless nothing changed; give an exit code."""
    _prepare_settings()
    root = Path(settings.STATIC_ROOT)
    note = root / ".sources"
    sources = _sources()
    if settings.STATIC_COLLECTED and note.is_file() and note.read_text() == sources:
        return 0
    sys.stdout.write("Collecting static files\n")
    sys.stdout.flush()
    # What is there stays: a running server may still hand it out, and the new manifest is written last.
    call_command("collectstatic", interactive=False, verbosity=0)
    note.write_text(sources)
    return 0


def _prepare_settings() -> None:
    for variable in environment.VARIABLES:
        os.environ[variable.name] = ""
    os.environ |= {
        environment.WITHOUT_FILE: "1",
        "DJANGO_SETTINGS_MODULE": "kommobridge.settings",
        "SECRET_KEY": environment.random_secret(),
        "FIELD_KEYS": Fernet.generate_key().decode(),
        "LOG_LEVEL": "WARNING",
        "LOG_FORMAT": "text",
    }
    # The settings choose hashed names only where they are collected already.
    settings.STORAGES["staticfiles"] = {"BACKEND": HASHED}
    django.setup()


def _sources() -> str:
    """Give a fingerprint of every file that would be collected: its name, size and time of change."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            state = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
