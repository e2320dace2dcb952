"""Whose rows a user sees and changes."""

import pytest
from django.contrib.auth.models import AnonymousUser

from bots.models import Account, Attempt, Bot, Exchange, Heartbeat, Membership, Message, User
from bots.scoping import EVERY_ROLE, OWNERS, OWNERS_AND_EDITORS, Role, account_of, has_role, visible_to
from tests.cast import Cast, a_bot, a_conversation, a_member, a_message, an_account, an_attempt, an_exchange, the_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return the_cast()


def again(user: User) -> User:
    """Load a user as the next request does; what was found out for the last one is forgotten."""
    return User.objects.get(pk=user.pk)


def test_a_member_sees_the_rows_of_the_own_account_only(people: Cast):
    mine, foreign = a_bot(people.acme), a_bot(people.rival)
    assert list(visible_to(Bot.objects.all(), people.owner)) == [mine]
    assert list(visible_to(Bot.objects.all(), people.stranger)) == [foreign]


def test_a_member_sees_the_own_account_only(people: Cast):
    assert list(visible_to(Account.objects.all(), people.viewer)) == [people.acme]


def test_rows_that_reach_their_account_through_others_are_narrowed_too(people: Cast):
    mine, foreign = a_message(a_conversation(people.acme)), a_message(a_conversation(people.rival))
    assert list(visible_to(Message.objects.all(), people.viewer)) == [mine]
    assert foreign in visible_to(Message.objects.all(), people.stranger)


def test_attempts_are_narrowed_too(people: Cast):
    mine, _foreign = an_attempt(an_exchange(people.acme)), an_attempt(an_exchange(people.rival))
    assert list(visible_to(Attempt.objects.all(), people.owner)) == [mine]


def test_an_operator_sees_every_account(people: Cast):
    assert set(visible_to(Account.objects.all(), people.operator)) == {people.acme, people.rival}


def test_somebody_of_two_accounts_sees_each_row_once(people: Cast):
    both = a_member(people.acme)
    Membership.objects.create(account=people.rival, user=both, role=Role.VIEWER)
    bots = {a_bot(people.acme), a_bot(people.rival)}
    seen = list(visible_to(Bot.objects.all(), both))
    assert set(seen) == bots
    assert len(seen) == 2


def test_rows_that_may_be_changed_follow_the_role_in_each_account(people: Cast):
    both = a_member(people.acme, Role.EDITOR)
    Membership.objects.create(account=people.rival, user=both, role=Role.VIEWER)
    mine, _foreign = a_bot(people.acme), a_bot(people.rival)
    assert list(visible_to(Bot.objects.all(), both, roles=OWNERS_AND_EDITORS)) == [mine]
    assert not visible_to(Bot.objects.all(), both, roles=OWNERS)


def test_somebody_without_an_account_sees_nothing(people: Cast):
    nobody = User.objects.create_user("nobody@nowhere.test")
    a_bot(people.acme)
    assert not visible_to(Bot.objects.all(), nobody)
    assert not has_role(nobody, EVERY_ROLE)


def test_nobody_who_is_not_logged_in_sees_anything(people: Cast):
    a_bot(people.acme)
    assert not visible_to(Bot.objects.all(), AnonymousUser())
    assert not has_role(AnonymousUser(), EVERY_ROLE, account=people.acme.pk)


@pytest.mark.parametrize("who", ["owner", "operator"])
def test_whoever_was_switched_off_sees_nothing(people: Cast, who: str):
    user: User = getattr(people, who)
    a_bot(people.acme)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert not visible_to(Bot.objects.all(), again(user))
    assert not has_role(again(user), EVERY_ROLE, account=people.acme.pk)


def test_a_membership_that_ended_ends_with_the_next_request(people: Cast):
    a_bot(people.acme)
    assert visible_to(Bot.objects.all(), people.owner)
    people.owner.memberships.all().delete()
    assert not visible_to(Bot.objects.all(), again(people.owner))


def test_rows_of_no_account_are_for_operators_only(people: Cast):
    assert not visible_to(User.objects.all(), people.owner)
    assert not visible_to(Heartbeat.objects.all(), people.owner)
    assert people.stranger in visible_to(User.objects.all(), people.operator)


@pytest.mark.parametrize(
    ("who", "roles", "may"),
    [
        ("owner", OWNERS, True),
        ("editor", OWNERS, False),
        ("editor", OWNERS_AND_EDITORS, True),
        ("viewer", OWNERS_AND_EDITORS, False),
        ("viewer", EVERY_ROLE, True),
        ("stranger", EVERY_ROLE, False),
        ("operator", OWNERS, True),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_role_counts_in_its_own_account(people: Cast, who: str, roles: frozenset[Role], *, may: bool):
    assert has_role(getattr(people, who), roles, account=people.acme.pk) is may


def test_asked_without_an_account_any_account_will_do(people: Cast):
    assert has_role(people.stranger, OWNERS)
    assert not has_role(people.viewer, OWNERS)


def test_every_row_says_its_account(people: Cast):
    exchange = an_exchange(people.acme)
    rows = [people.acme, exchange, exchange.conversation, exchange.messages.get(), a_bot(people.acme)]
    assert {account_of(row) for row in rows} == {people.acme.pk}
    assert account_of(None) is None
    assert account_of(people.owner) is None


def test_roles_are_asked_of_the_database_once_per_request(people: Cast, django_assert_num_queries):
    an_exchange(an_account())
    with django_assert_num_queries(1):
        for _ in range(5):
            has_role(people.owner, OWNERS, account=people.acme.pk)
            visible_to(Exchange.objects.all(), people.owner)
