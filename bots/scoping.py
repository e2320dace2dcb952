"""Whose rows a user sees and changes: the one place that narrows rows to accounts.

An operator sees everything. Everybody else sees the accounts of their memberships, and what they may change there
depends on their role. A user object lives for one request; the roles found for it are kept on it.
"""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet

from bots.models import Membership, User

Role = Membership.Role
AnyUser = User | AnonymousUser
M = TypeVar("M", bound=Model)

EVERY_ROLE = frozenset(Role)
OWNERS = frozenset({Role.OWNER})
OWNERS_AND_EDITORS = frozenset({Role.OWNER, Role.EDITOR})


def roles_of(user: AnyUser) -> Mapping[int, Role]:
    """Give the user's role by primary key of account; nothing for operators, who need none."""
    kept: dict[str, Any] = user.__dict__
    if "_kept_roles" not in kept:
        found = Membership.objects.filter(user=user).values_list("account", "role") if user.pk else ()
        kept["_kept_roles"] = {account: Role(role) for account, role in found}
    roles: Mapping[int, Role] = kept["_kept_roles"]
    return roles


def sees_everything(user: AnyUser) -> bool:
    """Say whether the user is an operator who may log in."""
    return user.is_active and user.is_superuser


def has_one_account(user: AnyUser) -> bool:
    """Say whether naming the account would tell this user nothing."""
    return not sees_everything(user) and len(roles_of(user)) == 1


def visible_to(rows: QuerySet[M], user: AnyUser, *, roles: Collection[Role] = EVERY_ROLE) -> QuerySet[M]:
    """Narrow rows to the accounts in which the user has one of the roles.

    Args:
        rows: of a model that says its `ACCOUNT_PATH`; of any other model only operators see rows.
        user: who looks; somebody who may not log in sees nothing.
        roles: for rows that the user may change, the roles that may.
    """
    if sees_everything(user):
        return rows
    path = getattr(rows.model, "ACCOUNT_PATH", None)
    if path is None or not user.is_active:
        return rows.none()
    accounts = [account for account, role in roles_of(user).items() if role in roles]
    return rows.filter(**{f"{path}__in": accounts})


def has_role(user: AnyUser, roles: Collection[Role], *, account: int | None = None) -> bool:
    """Say whether the user has one of the roles.

    Args:
        user: who asks.
        roles: any of them is enough.
        account: primary key of the account; None asks for any account at all.
    """
    if sees_everything(user):
        return True
    if not user.is_active:
        return False
    held = roles_of(user)
    return any(role in roles for role in held.values()) if account is None else held.get(account) in roles


def account_of(row: Model | None) -> int | None:
    """Give the primary key of the account that a row belongs to; None for no row, or one of no account."""
    find = getattr(row, "owner_account_id", None)
    return find() if find else None
