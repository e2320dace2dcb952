"""The admin in a browser, at the width of a desk and of a phone. An error on the console fails the test.

What the page's policy refuses is such an error, and so is a script of the theme that breaks.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from bots.models import Account, Bot, Exchange, Provider
from bots.scoping import Role
from bots.states import Outcome, State
from tests.browsing import DESKTOP, PHONE, a_page
from tests.cast import PASSWORD, Cast, a_bot, a_member, a_model_choice, a_provider, an_attempt, an_exchange, the_cast
from tests.promises.pages import add_page, every_page, list_page, row_pages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = "<img src=/nowhere onerror=\"console.error('it ran')\"><script>console.error('it ran')</script>"
NO_PAGES = ("/jsi18n/", "/search/")  # what scripts of the theme fetch


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desk", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    # Playwright keeps a loop in this thread, and Django would refuse the database beside it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with a_page(browser, viewport=request.param) as fresh:
        yield fresh


@pytest.fixture
def people() -> Cast:
    people = the_cast()
    people.owner.set_password(PASSWORD)
    people.owner.save()
    people.operator.set_password(PASSWORD)
    people.operator.save()
    return people


def log_in(page: Page, server: LiveServer, email: str) -> None:
    page.goto(f"{server.url}/admin/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def is_as_wide_as_the_screen(page: Page) -> bool:
    """Say whether nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_every_page_opens_without_an_error_and_fits_the_screen(page: Page, live_server: LiveServer, people: Cast):
    bot = a_bot(people.acme, name=HOSTILE[:100], prompt=HOSTILE, outputs=[{"name": "city", "description": HOSTILE}])
    provider = a_provider(people.acme)
    a_model_choice(bot, provider)
    texts: dict[str, Any] = {"text": HOSTILE, "reply_text": HOSTILE + "\n" + "long" * 300, "reason_text": HOSTILE}
    exchange = an_exchange(
        people.acme, state=State.DELIVERED, bot=bot, outcome=Outcome.FAIL, reason="no_reply", **texts
    )
    an_attempt(exchange, provider=provider, error_text=HOSTILE, received=HOSTILE, ok=False)
    Account.objects.filter(pk=people.acme.pk).update(name=HOSTILE[:100], trouble=HOSTILE)
    log_in(page, live_server, "operator@bridge.test")
    rows = [Account.objects.get(pk=people.acme.pk), bot, provider, exchange, exchange.conversation, people.owner]
    addresses = [address for address in every_page(rows) if not any(part in address for part in NO_PAGES)]
    forbidden = ("restore", *(add_page(model) for model in (Exchange, type(exchange.conversation))))
    unreadable = tuple(row_pages(row)["delete"] for row in (exchange, exchange.conversation))
    for address in addresses:
        if not any(part in address for part in forbidden + unreadable):
            response = page.goto(live_server.url + address)
            assert response is not None, address
            assert response.status == 200, address
            assert is_as_wide_as_the_screen(page), address


def test_an_owner_sets_up_provider_and_bot_and_finds_the_address(page: Page, live_server: LiveServer, people: Cast):
    log_in(page, live_server, "owner@acme.test")
    page.goto(live_server.url + add_page(Provider))
    page.get_by_label("Name").fill("main")
    page.get_by_label("Vendor").select_option("anthropic")
    page.get_by_label("API key").fill("sk-a-key-that-nobody-sees")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()

    page.goto(live_server.url + add_page(Bot))
    page.get_by_label("Name").press_sequentially("Sales Bot")
    expect(page.get_by_label("Slug")).to_have_value("sales-bot")
    page.get_by_label("Prompt").fill("You sell bicycles.\n\nBe short.")
    page.get_by_role("link", name="Add another Model").or_(page.get_by_text("Add another Model")).first.click()
    page.locator("[name=model_choices-0-provider]").select_option(label="main")
    page.locator("[name=model_choices-0-model]").fill("claude-haiku-4-5")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("is the account's first bot and its default")).to_be_visible()
    bot = Bot.objects.get()
    assert (bot.account, bot.slug, bot.model_choices.get().model) == (people.acme, "sales-bot", "claude-haiku-4-5")

    page.goto(live_server.url + row_pages(people.acme)["change"])
    expect(page.get_by_text(people.acme.hook_url)).to_be_visible()
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("getSelection().toString()") == people.acme.hook_url


def test_a_secret_typed_on_a_page_is_stored_and_never_shown_again(page: Page, live_server: LiveServer, people: Cast):
    log_in(page, live_server, "owner@acme.test")
    page.goto(live_server.url + row_pages(people.acme)["change"])
    page.get_by_label("Long-lived token").fill("a-token-of-acme-1234")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("set, ends in …1234")).to_be_visible()
    assert "a-token-of-acme" not in page.content()
    assert Account.objects.get(pk=people.acme.pk).access_token == "a-token-of-acme-1234"


def test_a_new_address_is_made_after_a_question(page: Page, live_server: LiveServer, people: Cast):
    old = people.acme.key
    log_in(page, live_server, "owner@acme.test")
    page.goto(live_server.url + row_pages(people.acme)["new-key"])
    page.get_by_role("button", name="Make a new address").click()
    expect(page.get_by_text("The address is new.")).to_be_visible()
    assert Account.objects.get(pk=people.acme.pk).key != old


def test_from_a_conversation_to_what_happened_and_back(page: Page, live_server: LiveServer, people: Cast):
    exchange = an_exchange(
        people.acme, state=State.DELIVERED, bot=a_bot(people.acme), text="Blue?", reply_text="Yes, blue."
    )
    an_attempt(exchange)
    log_in(page, live_server, "owner@acme.test")
    page.goto(live_server.url + row_pages(exchange.conversation)["change"])
    expect(page.get_by_text("Yes, blue.")).to_be_visible()
    page.get_by_role("link", name="What happened").click()
    expect(page.get_by_text("Kommo took the reply")).to_be_visible()
    page.get_by_text("1 message sent").click()
    expect(page.locator("pre", has_text="Blue?")).to_be_visible()
    page.get_by_role("link", name=str(exchange.conversation)).first.click()
    expect(page.get_by_text("Yes, blue.")).to_be_visible()


def test_filters_and_actions_of_a_list_work(page: Page, live_server: LiveServer, people: Cast):
    an_exchange(people.acme, state=State.DELIVERED, text="the delivered one")
    an_exchange(people.acme, state=State.GONE, text="the late one")
    bot = a_bot(people.acme)
    log_in(page, live_server, "owner@acme.test")
    page.goto(live_server.url + list_page(Exchange))
    page.get_by_text("Filters", exact=False).first.click()
    page.get_by_label("By state").select_option("gone")
    page.get_by_role("button", name="Apply Filters").click()
    expect(page.get_by_text("the late one")).to_be_visible()
    expect(page.get_by_text("the delivered one")).to_have_count(0)

    page.goto(live_server.url + list_page(Bot))
    page.locator("input.action-select").first.check()
    page.get_by_label("Select action to run").select_option("switch_off")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Switched off: 1.")).to_be_visible()
    assert Bot.objects.get(pk=bot.pk).enabled is False


def test_a_viewer_reads_and_finds_nothing_to_press(page: Page, live_server: LiveServer, people: Cast):
    viewer = a_member(people.acme, Role.VIEWER, email="reader@acme.test", password=PASSWORD)
    log_in(page, live_server, viewer.email)
    bot = a_bot(people.acme, outputs=[{"name": "city"}])
    for row in (bot, people.acme):
        page.goto(live_server.url + row_pages(row)["change"])
        expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)
        assert page.locator("input[type=password]").count() == 0


def test_the_login_tells_of_a_wrong_password(page: Page, live_server: LiveServer, people: Cast):
    page.goto(f"{live_server.url}/admin/")
    page.get_by_label("E-mail").fill("owner@acme.test")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Please enter the correct e-mail and password")).to_be_visible()
