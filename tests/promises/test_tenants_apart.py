"""Nobody sees, finds or counts the rows of another account, on any page of the admin.

Pages, rows, actions, filters, choices and inlines are found by walking the registry: a page that is added without a
scope fails here. Rival's rows hold one word everywhere; Acme's people must never meet it, the operator must.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.admin import FieldListFilter, ModelAdmin
from django.contrib.admin.models import LogEntry
from django.db.models import ForeignKey, Model
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from bots.admin.scoped import ScopedAdmin, ScopedInline
from bots.models import Account, Membership, ModelChoice, User
from tests.cast import an_exchange
from tests.promises.pages import add_page, admin_of, every_page, list_page, registered, row_pages, site_pages
from tests.promises.world import MARK, World, a_world, as_, assert_silent, fill

pytestmark = pytest.mark.django_db


def rival_pages(world: World) -> Iterator[tuple[str, str]]:
    """Give the name and the address of every page of every row of Rival's."""
    for row in world.of_rival():
        yield from row_pages(row).items()


# ---- the registry


def test_every_page_of_a_tenants_model_descends_from_the_scoped_base():
    unscoped = [model for model in registered() if not isinstance(admin_of(model), ScopedAdmin)]
    assert unscoped == []


def test_every_inline_descends_from_the_scoped_base():
    inlines = [inline for model in registered() for inline in admin_of(model).inlines]
    assert [inline for inline in inlines if not issubclass(inline, ScopedInline)] == []
    assert inlines


def test_every_page_has_a_row_of_rivals_in_this_test(world: World):
    covered = {type(row) for row in world.of_rival()}
    assert set(registered()) - covered == set()


def test_no_page_of_another_app_is_there():
    assert {model._meta.app_label for model in registered()} == {"bots"}


def test_a_page_without_a_scope_fails_this_matrix(world: World, rf: RequestFactory):
    class Open(ModelAdmin[Any]):
        def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
            return True

    page = Open(Account, admin.site)
    request = rf.get(list_page(Account))
    request.user = world.people.owner
    view: Any = page.changelist_view
    response = view(request).render()
    with pytest.raises(AssertionError):
        assert_silent(response, "list")
    assert not isinstance(page, ScopedAdmin)


# ---- reading


def test_the_mark_is_on_the_pages_that_an_operator_sees(world: World):
    operator = as_(world.people.operator)
    for row in world.of_rival():
        if row_pages(row):
            assert MARK in operator.get(row_pages(row)["change"]).content.decode().lower(), row
            assert MARK in operator.get(row_pages(row)["history"]).content.decode().lower(), row


def test_no_page_of_the_site_and_no_list_tells_anything(world: World, member: Client):
    for address in [*site_pages(), *map(list_page, registered()), *map(add_page, registered())]:
        assert_silent(member.get(address), address)


def test_no_page_of_an_own_row_tells_anything(world: World, member: Client):
    for row in world.of_acme():
        for address in row_pages(row).values():
            assert_silent(member.get(address), address)


def test_a_foreign_row_is_answered_as_if_it_were_not_there(world: World, member: Client):
    for name, address in rival_pages(world):
        missing = member.get(re.sub(r"/\d+/", "/987654321/", address))
        response = member.get(address)
        assert response.status_code == missing.status_code == 404, (name, address)
        assert response.content == missing.content
        assert_silent(response, address)


def test_somebody_who_is_not_logged_in_is_sent_to_the_login_by_every_page(world: World):
    stranger = Client()
    for address in every_page([*world.of_rival(), *world.of_acme()]):
        response = stranger.get(address)
        assert response.status_code == 302, address
        assert response.headers["Location"].startswith(reverse("admin:login")), address
        assert_silent(response, address)


def test_somebody_who_belongs_nowhere_sees_nothing(world: World):
    nobody = as_(User.objects.create_user("nobody@nowhere.test"))
    for address in every_page([*world.of_rival(), *world.of_acme()]):
        response = nobody.get(address)
        assert_silent(response, address)
        assert "acmemark" not in response.content.decode().lower(), address


def test_a_member_who_was_switched_off_is_out_at_once(world: World, owner: Client):
    User.objects.filter(pk=world.people.owner.pk).update(is_active=False)
    for row in world.of_acme():
        for address in row_pages(row).values():
            assert owner.get(address).status_code == 302, address


def test_a_membership_that_ended_closes_every_page_at_once(world: World, owner: Client):
    world.people.owner.memberships.all().delete()
    for row in world.of_acme():
        for address in row_pages(row).values():
            assert owner.get(address).status_code in (403, 404), address
    for address in [*site_pages(), *map(list_page, registered())]:
        assert "acmemark" not in owner.get(address).content.decode().lower(), address


# ---- asking in other ways


def test_no_search_finds_a_foreign_row(world: World, member: Client):
    numbers = [getattr(row, name, "") for row in world.of_rival() for name in ("continue_id", "entity_id", "kommo_id")]
    terms = [MARK, "Rival", *{str(number) for number in numbers if number}]
    for model in registered():
        for term in terms:
            response = member.get(list_page(model), {"q": term})
            told = response.content.decode().lower().replace(f'value="{term.lower()}"', "")
            assert MARK not in told or term == MARK, (model, term)
            cl = response.context["cl"] if response.context and "cl" in response.context else None
            foreign = {row.pk for row in world.of_rival() if type(row) is model}
            assert cl is None or foreign.isdisjoint(row.pk for row in cl.result_list), (model, term)


def test_no_filter_reaches_a_foreign_row(world: World, member: Client):
    asked = 0
    for model in registered():
        filters: Any = admin_of(model).list_filter
        for item in filters:
            for value in [*{str(row.pk) for row in world.of_rival() if row_pages(row)}, MARK, "%"]:
                response = member.get(list_page(model), {str(item.parameter_name): value})
                told = response.content.decode().lower().replace(MARK if value == MARK else "\0", "")
                assert MARK not in told, (model, item, value)
                asked += 1
    assert asked


def test_no_choice_of_a_filter_is_a_foreign_row(world: World, member: Client):
    for model in registered():
        response = member.get(list_page(model))
        if response.status_code == 200:
            for spec in response.context["cl"].filter_specs:
                assert not isinstance(spec, FieldListFilter), "the theme's own filters know no scope"
                assert MARK not in str(list(spec.lookup_choices)).lower(), (model, spec)


@pytest.mark.parametrize(
    "lookup",
    [
        "name__startswith=z",
        "account__name__startswith=z",
        "account__access_token__contains=enc",
        "access_token__contains=enc",
        "client_secret__isnull=0",
        "memberships__user__password__startswith=pbkdf2",
        "conversation__account__name__contains=z",
        "account__in=1,2,3",
    ],
)
def test_no_lookup_beyond_the_filters_is_taken(world: World, member: Client, lookup: str):
    for model in registered():
        response = member.get(f"{list_page(model)}?{lookup}")
        assert response.status_code in (400, 403), (model, lookup)


def test_no_page_number_or_order_reaches_a_foreign_row(world: World, member: Client):
    for model in registered():
        for query in ("p=0", "p=2", "p=999999", "all=", "o=1.-2.3", "o=99", "_popup=1", "_to_field=id", "_facets=True"):
            response = member.get(f"{list_page(model)}?{query}", follow=True)
            assert_silent(response, f"{model} {query}")


def test_autocompletion_offers_no_foreign_row(world: World, member: Client):
    asked = 0
    sources: list[type[Model]] = [*registered(), Membership, ModelChoice]
    for model in sources:
        for column in model._meta.get_fields():
            if isinstance(column, ForeignKey) and column.related_model in admin.site._registry:
                names = {"app_label": "bots", "model_name": str(model._meta.model_name), "field_name": column.name}
                for term in ("", MARK, "z"):
                    response = member.get(reverse("admin:autocomplete"), {**names, "term": term})
                    assert response.status_code in (200, 403, 404)
                    assert_silent(response, f"{names} {term}")
                    asked += 1
    assert asked > 10


def test_the_recent_actions_of_others_are_nowhere(world: World, member: Client):
    assert LogEntry.objects.filter(object_repr=MARK).exists()
    assert_silent(member.get(reverse("admin:index")), "index")


# ---- counting


@time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=False)
def test_nothing_that_a_member_reads_changes_when_another_account_grows():
    world = a_world(rival_mark=MARK)
    owner = as_(world.people.owner)
    pages = [*site_pages(), *map(list_page, registered()), *map(add_page, registered())]
    pages += [address for row in world.of_acme() for address in row_pages(row).values()]
    pages += [f"{list_page(model)}?q=z" for model in registered()]
    before = {address: without_tokens(owner.get(address)) for address in pages}
    grow(world)
    after = {address: without_tokens(owner.get(address)) for address in pages}
    assert [address for address in pages if before[address] != after[address]] == []


def grow(world: World) -> None:
    """Give Rival more of everything, the newest rows of all."""
    for number in range(3):
        fill(world.people.rival, f"{MARK}{number}", [world.people.stranger])
    for _ in range(60):
        an_exchange(world.people.rival, received_at=datetime.now(UTC) + timedelta(seconds=1))


def without_tokens(response: Any) -> str:
    """Give a page without what is new each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", response.content.decode())
