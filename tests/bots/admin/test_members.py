"""Members on the page of an account."""

from typing import Any

import pytest
from django.test import Client

from bots.models import Membership, User
from bots.scoping import Role
from tests.cast import Cast, a_user
from tests.promises.pages import errors_of, row_pages, submit

FIRST_NEW = "3"  # Acme has an editor, an owner and a viewer, in this order on the page


@pytest.fixture
def page(people: Cast) -> str:
    return row_pages(people.acme)["change"]


def add(client: Client, page: str, email: str, role: str = "viewer") -> Any:
    new = {f"memberships__{FIRST_NEW}__{name}": value for name, value in (("email", email), ("role", role), ("id", ""))}
    return submit(client, page, memberships__TOTAL_FORMS="4", **new)


def roles(people: Cast) -> dict[str, str]:
    return dict(people.acme.memberships.values_list("user__email", "role"))


def test_an_owner_adds_somebody_who_is_known_by_address(owner: Client, people: Cast, page: str):
    a_user("colleague@acme.test", name="Colleague")
    response = add(owner, page, " Colleague@ACME.test ", "editor")
    assert response.status_code == 302, errors_of(response)
    assert roles(people)["colleague@acme.test"] == "editor"


def test_an_owner_adds_somebody_who_is_new(owner: Client, people: Cast, page: str):
    add(owner, page, "new@acme.test")
    user = User.objects.get(email="new@acme.test")
    assert roles(people)["new@acme.test"] == "viewer"
    assert not user.has_usable_password()
    assert not user.is_superuser


def test_the_page_says_the_same_of_a_known_and_of_a_new_address(owner: Client, people: Cast, page: str):
    """Or an owner could ask who else has an account here."""
    known = add(owner, page, people.stranger.email)
    people.acme.memberships.filter(user=people.stranger).delete()
    new = add(owner, page, "brand-new@rival.test")
    assert known.status_code == new.status_code == 302
    messages = [owner.get(page).content.decode().count("alert") for _ in range(2)]
    assert messages[0] == messages[1]


def test_a_name_of_somebody_elses_account_is_not_told(owner: Client, people: Cast, page: str):
    User.objects.filter(pk=people.stranger.pk).update(name="Secretive Stranger")
    add(owner, page, people.stranger.email)
    assert "Secretive" not in owner.get(page).content.decode()


def test_a_role_is_changed(owner: Client, people: Cast, page: str):
    assert submit(owner, page, memberships__2__role="editor").status_code == 302
    assert roles(people)["viewer@acme.test"] == "editor"


def test_a_member_is_removed(owner: Client, people: Cast, page: str):
    assert submit(owner, page, memberships__2__DELETE="on").status_code == 302
    assert "viewer@acme.test" not in roles(people)
    assert User.objects.filter(email="viewer@acme.test").exists()


def test_an_address_cannot_be_exchanged_for_another(owner: Client, people: Cast, page: str):
    submit(owner, page, memberships__2__email="somebody@else.test")
    assert set(roles(people)) == {"owner@acme.test", "editor@acme.test", "viewer@acme.test"}


def test_a_member_is_not_added_twice(owner: Client, people: Cast, page: str):
    response = add(owner, page, "VIEWER@acme.test")
    assert "is a member already" in errors_of(response)
    assert Membership.objects.filter(account=people.acme).count() == 3


def test_one_address_on_two_new_lines_is_refused(owner: Client, people: Cast, page: str):
    lines: dict[str, str] = {}
    for number in (3, 4):
        lines |= {f"memberships__{number}__email": "twice@acme.test", f"memberships__{number}__role": "viewer"}
    response = submit(owner, page, memberships__TOTAL_FORMS="5", **lines)
    assert "stands here twice" in errors_of(response)
    assert "twice@acme.test" not in roles(people)


@pytest.mark.parametrize(
    "change", [{"memberships__1__role": "viewer"}, {"memberships__1__DELETE": "on"}], ids=["lowered", "removed"]
)
def test_the_last_owner_stays(owner: Client, people: Cast, page: str, change: dict[str, str]):
    response = submit(owner, page, **change)
    assert "needs an owner" in errors_of(response)
    assert roles(people)["owner@acme.test"] == "owner"


def test_an_owner_leaves_when_there_is_another(owner: Client, people: Cast, page: str):
    response = submit(owner, page, memberships__0__role="owner", memberships__1__role="viewer")
    assert response.status_code == 302, errors_of(response)
    assert roles(people)["owner@acme.test"] == "viewer"


def test_an_operator_may_leave_an_account_without_an_owner(operator: Client, people: Cast, page: str):
    response = submit(operator, page, memberships__1__DELETE="on")
    assert response.status_code == 302, errors_of(response)
    assert Role.OWNER not in roles(people).values()


def test_readers_see_who_belongs_to_the_account(viewer: Client, page: str):
    shown = viewer.get(page).content.decode()
    assert "editor@acme.test" in shown
    assert "stranger@rival.test" not in shown
