"""Who finds what in the navigation."""

from django.http import HttpRequest

from bots.scoping import EVERY_ROLE, has_role, sees_everything


def is_operator(request: HttpRequest) -> bool:
    """Say whether to show what is for operators."""
    return sees_everything(request.user)


def belongs_somewhere(request: HttpRequest) -> bool:
    """Say whether there is anything to navigate to."""
    return has_role(request.user, EVERY_ROLE)
