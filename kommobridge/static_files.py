"""Whether the pages' files were collected under their hashed names."""

import logging

from django.conf import settings

log = logging.getLogger(__name__)


def warn_if_not_collected() -> bool:
    """Say in one line that `make setup` hasn't collected the static files; True when it was said.

    Pages work all the same: the files are then read from the apps' folders, without hashed names and compression.
    """
    if settings.STATIC_COLLECTED:
        return False
    log.warning("static files are not collected: run make setup; pages work, slower")
    return True
