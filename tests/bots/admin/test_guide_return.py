"""Forms and questions that were opened from a setup guide lead back to it, and nowhere else."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bots.admin.guide_return import from_guide
from bots.models import Account, Bot, Provider
from tests.cast import Cast, a_bot, a_provider
from tests.promises.pages import add_page, form_of, list_page, row_pages, submit

LINK = "Back to the setup guide"


def back_to(account: Account) -> str:
    return reverse("admin:bots_account_guide", args=[account.pk]) + "#next"


def new_provider(account: Account) -> dict[str, str]:
    return {"account": str(account.pk), "name": "main", "provider": "openai"}


def test_a_new_provider_leads_back_and_is_the_accounts(operator: Client, people: Cast):
    address = from_guide(add_page(Provider), people.acme, account=people.acme.pk)
    page = operator.get(address).content.decode()
    assert LINK in page
    assert form_of(page)["account"] == str(people.acme.pk)
    response = submit(operator, address, name="main", provider="openai")
    assert response.headers["Location"] == back_to(people.acme)
    assert Provider.objects.get().account == people.acme


def test_a_new_bot_leads_back(owner: Client, people: Cast):
    response = submit(owner, from_guide(add_page(Bot), people.acme), name="Sales", slug="sales", prompt="You answer.")
    assert response.headers["Location"] == back_to(people.acme)


@pytest.mark.parametrize("kind", ["account", "bot", "provider"])
def test_a_change_leads_back(owner: Client, people: Cast, kind: str):
    rows = {"account": people.acme, "bot": a_bot(people.acme), "provider": a_provider(people.acme)}
    address = from_guide(row_pages(rows[kind])["change"], people.acme)
    assert LINK in owner.get(address).content.decode()
    assert submit(owner, address).headers["Location"] == back_to(people.acme)


@pytest.mark.parametrize("button", ["_continue", "_addanother"])
def test_who_goes_on_keeps_the_way_back(owner: Client, people: Cast, button: str):
    address = from_guide(add_page(Provider), people.acme)
    response = submit(owner, address, **new_provider(people.acme), **{button: "1"})
    assert LINK in owner.get(response.headers["Location"]).content.decode()


@pytest.mark.parametrize("step", ["widget", "salesbot", "new-key"])
def test_a_question_shows_the_way_back(owner: Client, people: Cast, step: str):
    page = owner.get(from_guide(row_pages(people.acme)[step], people.acme)).content.decode()
    assert LINK in page
    assert page.count(back_to(people.acme)) == 2  # also behind Cancel
    assert LINK not in owner.get(row_pages(people.acme)[step]).content.decode()


def test_from_elsewhere_a_form_leads_to_its_list(owner: Client, people: Cast):
    assert LINK not in owner.get(add_page(Provider)).content.decode()
    assert submit(owner, add_page(Provider), **new_provider(people.acme)).headers["Location"] == list_page(Provider)


@pytest.mark.parametrize(
    "said",
    ["", "0", "x", "-1", "٣", "1 ", "9" * 18, "9" * 40, "https://elsewhere.example/", "//elsewhere.example", "%00"],
)
def test_what_names_no_guide_counts_as_not_said(owner: Client, people: Cast, said: str):
    address = f"{add_page(Provider)}?guide={said}"
    assert LINK not in owner.get(address).content.decode()
    assert submit(owner, address, **new_provider(people.acme)).headers["Location"] == list_page(Provider)


def test_the_guide_of_somebody_else_is_no_way_back(owner: Client, people: Cast):
    address = from_guide(add_page(Provider), people.rival)
    assert LINK not in owner.get(address).content.decode()
    response = submit(owner, address, **new_provider(people.acme))
    assert response.headers["Location"] == list_page(Provider)


def test_the_guide_links_to_pages_that_lead_back(owner: Client, people: Cast):
    def page() -> str:
        return owner.get(reverse("admin:bots_account_guide", args=[people.acme.pk])).content.decode()

    mark = f"guide={people.acme.pk}"
    for address in (add_page(Provider), add_page(Bot)):
        assert f'{address}?account={people.acme.pk}&amp;{mark}"' in page()
    rows: list[Any] = [a_bot(people.acme), a_provider(people.acme), people.acme]
    a_provider(people.rival, name="of-rival")
    for row in rows:
        assert f'{row_pages(row)["change"]}?{mark}"' in page()
    for step in ("widget", "salesbot"):
        assert f'{row_pages(people.acme)[step]}?{mark}"' in page()
    assert "of-rival" not in page()


# ---- an account may be entered before its integration exists


def an_entry(**changes: str) -> dict[str, str]:
    return {"name": "New", "subdomain": "newshop", "kommo_id": "4711", "client_id": "", "time_zone": "UTC"} | changes


def test_an_account_may_be_entered_without_its_integration_id_once(operator: Client, people: Cast):
    assert submit(operator, add_page(Account), **an_entry()).status_code == 302
    again = submit(operator, add_page(Account), **an_entry(subdomain="other"))
    assert "This Kommo account is entered already, without its integration id." in again.content.decode()
    assert submit(operator, add_page(Account), **an_entry(client_id="an-id")).status_code == 302
    assert sorted(Account.objects.filter(kommo_id=4711).values_list("client_id", flat=True)) == ["", "an-id"]


def test_an_integration_id_that_was_entered_is_not_emptied(owner: Client, people: Cast):
    response = submit(owner, row_pages(people.acme)["change"], client_id="")
    assert "This field is required." in response.content.decode()
