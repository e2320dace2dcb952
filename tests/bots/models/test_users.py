"""People who log in: one address, one user, whatever the case."""

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from bots.models import Membership, User
from tests.cast import an_account

pytestmark = pytest.mark.django_db


def test_an_address_is_kept_without_case_and_spaces():
    assert User.objects.create_user(" Owner@Acme.Test ").email == "owner@acme.test"


@pytest.mark.parametrize("email", ["owner@acme.test", "OWNER@acme.test", "Owner@Acme.TEST"])
def test_somebody_logs_in_whatever_the_case_of_the_address(email: str):
    user = User.objects.create_user("owner@acme.test", "a good long password")
    assert authenticate(username=email, password="a good long password") == user
    assert authenticate(username=email, password="A good long password") is None


def test_the_database_refuses_the_same_address_in_another_case():
    User.objects.create_user("owner@acme.test")
    other = User.objects.create_user("other@acme.test")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=other.pk).update(email="OWNER@acme.test")


def test_a_user_without_a_password_can_not_log_in():
    user = User.objects.create_user("owner@acme.test")
    assert not user.has_usable_password()
    assert authenticate(username="owner@acme.test", password="") is None


def test_a_user_who_is_switched_off_can_neither_log_in_nor_open_the_admin():
    user = User.objects.create_user("owner@acme.test", "a good long password", is_active=False)
    assert not user.is_staff
    assert authenticate(username="owner@acme.test", password="a good long password") is None


def test_an_operator_is_a_superuser_and_a_member_is_not():
    assert User.objects.create_superuser("root@acme.test", "a good long password").is_superuser
    assert not User.objects.create_user("owner@acme.test").is_superuser


def test_a_user_with_a_membership_is_not_deleted_by_accident():
    user = User.objects.create_user("owner@acme.test")
    Membership.objects.create(account=an_account(), user=user)
    with pytest.raises(ProtectedError):
        user.delete()
