"""Users: for operators."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from bots.models import User
from tests.cast import Cast, a_user
from tests.promises.pages import add_page, errors_of, list_page, row_pages, submit

LONG = "a-long-enough-passphrase"


def test_an_operator_adds_a_user_with_a_password(operator: Client):
    response = submit(operator, add_page(User), email="New@Acme.test", password1=LONG, password2=LONG)
    assert response.status_code == 302, errors_of(response)
    user = User.objects.get(email="new@acme.test")
    assert user.check_password(LONG)
    assert not user.is_superuser


@pytest.mark.parametrize("password", ["short", "password1234", "new@acme.test"], ids=["short", "common", "the address"])
def test_a_weak_password_is_refused(operator: Client, password: str):
    response = submit(operator, add_page(User), email="new@acme.test", password1=password, password2=password)
    assert response.status_code == 200
    assert not User.objects.filter(email="new@acme.test").exists()


def test_an_address_that_somebody_has_is_refused_in_any_case(operator: Client):
    response = submit(operator, add_page(User), email="OWNER@acme.test", password1=LONG, password2=LONG)
    assert response.status_code == 200
    assert User.objects.filter(email__iexact="owner@acme.test").count() == 1


def test_an_operator_makes_another_operator(operator: Client, people: Cast):
    response = submit(operator, row_pages(people.owner)["change"], is_superuser="on")
    assert response.status_code == 302, errors_of(response)
    assert User.objects.get(pk=people.owner.pk).is_superuser


def test_operators_cannot_lock_themselves_out(operator: Client, people: Cast):
    response = submit(operator, row_pages(people.operator)["change"], name="Me", is_active=None, is_superuser=None)
    assert response.status_code == 302, errors_of(response)
    stored = User.objects.get(pk=people.operator.pk)
    assert (stored.name, stored.is_active, stored.is_superuser) == ("Me", True, True)


def test_a_password_is_set_anew(operator: Client, people: Cast):
    response = operator.post(
        row_pages(people.owner)["password"], {"password1": LONG, "password2": LONG, "usable_password": "true"}
    )
    assert response.status_code == 302
    assert User.objects.get(pk=people.owner.pk).check_password(LONG)


def test_a_user_with_memberships_or_a_history_is_not_deleted(operator: Client, people: Cast):
    assert "is a member of accounts" in operator.get(row_pages(people.owner)["delete"]).content.decode()
    operator.post(row_pages(people.owner)["delete"], {"post": "yes"})
    submit(operator, row_pages(people.owner)["change"], name="Olga")
    operator.post(row_pages(people.operator)["delete"], {"post": "yes"})
    assert User.objects.filter(pk__in=[people.owner.pk, people.operator.pk]).count() == 2
    assert LogEntry.objects.filter(user=people.operator).exists()


def test_a_user_without_a_past_is_deleted(operator: Client):
    user = a_user("nobody@acme.test")
    operator.post(row_pages(user)["delete"], {"post": "yes"})
    assert not User.objects.filter(pk=user.pk).exists()


@pytest.mark.parametrize("who", ["owner", "editor", "viewer"])
def test_members_see_no_users(request: pytest.FixtureRequest, people: Cast, who: str):
    client: Client = request.getfixturevalue(who)
    assert client.get(list_page(User)).status_code == 403
    assert client.get(add_page(User)).status_code == 403
    assert client.get(row_pages(people.operator)["change"]).status_code == 404
    assert "/bots/user/" not in client.get("/admin/").content.decode()
