"""Nobody changes the rows of another account, or more of the own one than the role allows.

What is sent is what a browser would send: the fields of the page as the operator gets it.
"""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client

from bots.models import Account, Bot, Membership, ModelChoice, Provider, User
from tests.promises.pages import add_page, admin_of, every_page, form_of, list_page, registered, row_pages
from tests.promises.world import World, as_, assert_silent, stored

pytestmark = pytest.mark.django_db

WITH_FORMS = (Account, Provider, Bot)


def pages_of(rows: list[Model]) -> list[tuple[str, str]]:
    """Give the name and the address of every page of every row."""
    return [page for row in rows for page in row_pages(row).items()]


def test_no_post_to_a_foreign_row_does_anything(world: World, member: Client):
    operator = as_(world.people.operator)
    before = stored(world.of_rival())
    for name, address in pages_of(world.of_rival()):
        page = operator.get(address)
        data = form_of(page.content.decode()) if page.status_code == 200 else {}
        response = member.post(address, {**data, "name": "taken over", "post": "yes", "_save": "1"})
        assert response.status_code == 404, (name, address)
        assert_silent(response, address)
    assert stored(world.of_rival()) == before


def test_no_action_touches_a_foreign_row(world: World, member: Client):
    before = stored(world.of_rival())
    tried = 0
    for model in registered():
        ids = [str(row.pk) for row in world.of_rival() if type(row) is model]
        actions = {
            *(getattr(action, "__name__", action) for action in admin_of(model).actions or ()),
            "delete_selected",
        }
        for action in actions:
            data = {"action": action, "_selected_action": ids, "select_across": "1", "index": "0", "post": "yes"}
            assert_silent(member.post(list_page(model), data, follow=True), f"{model} {action}")
            tried += 1
    assert stored(world.of_rival()) == before
    assert tried > len(registered())


def test_nothing_can_be_added_to_a_foreign_account(world: World, member: Client):
    rival = world.people.rival
    before = {
        model: model._default_manager.count() for model in (Account, Bot, Provider, Membership, ModelChoice, User)
    }
    for model in registered():
        page = as_(world.people.operator).get(add_page(model))
        data = form_of(page.content.decode()) if page.status_code == 200 else {}
        data |= {
            "account": str(rival.pk),
            "name": "taken-over",
            "slug": "taken-over",
            "prompt": "x",
            "provider": "openai",
        }
        response = member.post(add_page(model), data)
        assert response.status_code in (200, 403), model
        assert_silent(response, str(model))
    assert {model: model._default_manager.count() for model in before} == before


def test_no_own_row_can_be_moved_to_or_pointed_at_a_foreign_account(world: World):
    """With what a browser would send, and every reference in it replaced by a foreign one."""
    before = stored(world.of_rival())
    foreign = {type(row): str(row.pk) for row in world.of_rival()}
    for user in (world.people.owner, world.people.editor, world.people.operator):
        client = as_(user)
        for row in world.of_acme():
            if not isinstance(row, WITH_FORMS):
                continue
            address = row_pages(row)["change"]
            page = client.get(address)
            data = form_of(page.content.decode())
            data |= {
                "account": foreign[Account],
                "memberships-0-user": foreign[User],
                "memberships-0-account": foreign[Account],
            }
            data |= {name: foreign[Provider] for name in data if name.endswith("-provider")}
            data |= {name: foreign[ModelChoice] for name in data if re.fullmatch(r"model_choices-\d+-id", name)}
            client.post(address, data)
            now = type(row)._default_manager.get(pk=row.pk)
            assert getattr(now, "account_id", None) == getattr(row, "account_id", None), row
    assert stored(world.of_rival()) == before
    rival_choices = ModelChoice.objects.filter(bot__account=world.people.acme).exclude(
        provider__account=world.people.acme
    )
    assert not rival_choices.exists()


@pytest.mark.parametrize("who", ["editor", "viewer"])
def test_nobody_changes_more_than_the_role_allows(world: World, who: str):
    client = as_(getattr(world.people, who))
    operator = as_(world.people.operator)
    before = stored(world.of_acme())
    for row in world.of_acme():
        if who == "editor" and isinstance(row, Bot):
            continue
        for name, address in row_pages(row).items():
            if who == "editor" and name == "guide":
                continue  # an editor may tick its steps, and change nothing else by it
            page = operator.get(address)
            data = form_of(page.content.decode()) if page.status_code == 200 else {}
            data |= {
                "name": "changed",
                "new_access_token": "changed",
                "new_api_key": "changed",
                "enabled": "",
                "post": "yes",
            }
            response = client.post(address, data)
            assert name == "history" or response.status_code in (403, 404, 405), (name, address)
    assert stored(world.of_acme()) == before


def test_no_member_makes_themselves_an_operator(world: World, owner: Client):
    address = row_pages(world.people.owner)["change"]
    data = {"email": world.people.owner.email, "name": "", "is_active": "on", "is_superuser": "on"}
    assert owner.post(address, data).status_code == 404
    assert not User.objects.get(pk=world.people.owner.pk).is_superuser


def test_every_change_needs_the_token_against_forged_requests(world: World):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(world.people.operator)
    before = stored(world.of_rival())
    for _name, address in pages_of(world.of_rival()):
        assert careful.post(address, {"post": "yes", "_save": "1"}).status_code == 403, address
    for model in registered():
        assert careful.post(add_page(model), {}).status_code == 403
        assert careful.post(list_page(model), {"action": "switch_off"}).status_code == 403
    assert stored(world.of_rival()) == before


def test_no_page_changes_anything_when_it_is_only_looked_at(world: World):
    operator = as_(world.people.operator)
    before = stored(world.of_rival())
    history = LogEntry.objects.count()
    for address in every_page(world.of_rival()):
        operator.get(address)
    assert stored(world.of_rival()) == before
    assert LogEntry.objects.count() == history
