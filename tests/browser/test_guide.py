"""The setup guide in a browser: it follows what happens elsewhere while it is open, folds, copies, and fits a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from bots.admin import guide
from bots.models import Account, Exchange, User
from bots.states import Outcome, State
from tests.bots.door import Door
from tests.browser.test_admin import is_as_wide_as_the_screen
from tests.browser.test_sandbox import faults_by_axe
from tests.browsing import DESKTOP, PHONE, a_page
from tests.cast import Cast, a_bot, a_model_choice, a_provider, an_exchange, the_cast
from tests.promises.pages import row_pages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOK_EVERY_MS = 200
SOON_MS = 15_000


@pytest.fixture
def acme() -> Account:
    """Give an account whose widget is built."""
    people: Cast = the_cast()
    a_model_choice(a_bot(people.acme), a_provider(people.acme))
    people.acme.widget_version, people.acme.widget_built_at = "1.0.1", timezone.now()
    people.acme.save()
    return people.acme


@pytest.fixture
def page(
    request: pytest.FixtureRequest, browser: Browser, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Iterator[Page]:
    """Give a page as wide as a desk unless a test asks for another; the bridge has a public address."""
    settings.PUBLIC_URL = "https://bridge.example.com"
    monkeypatch.setattr(guide, "LOOK_EVERY_MS", LOOK_EVERY_MS)
    # Playwright keeps a loop in this thread, and Django would refuse the database beside it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with a_page(browser, viewport=getattr(request, "param", DESKTOP)) as fresh:
        yield fresh


at_both_widths = pytest.mark.parametrize("page", [DESKTOP, PHONE], ids=["desk", "phone"], indirect=True)


def open_guide(page: Page, server: LiveServer, account: Account, *, email: str = "owner@acme.test") -> None:
    client = Client()
    client.force_login(User.objects.get(email=email))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server.url}])
    page.goto(server.url + row_pages(account)["guide"])


def folded(page: Page, code: str) -> bool:
    return page.locator(f"#step-{code} > details").get_attribute("open") is None


@at_both_widths
def test_a_request_and_its_reply_tick_their_steps_while_the_page_is_open(
    page: Page, live_server: LiveServer, acme: Account
):
    open_guide(page, live_server, acme)
    expect(page.get_by_text("5 of 10 done")).to_be_visible()
    expect(page.get_by_text("This page looks for news")).to_be_visible()
    page.evaluate("window.stayed = true")
    door = Door(acme)
    body = door.body(data={"message": "Do you have it in blue?", "widget": "1.0.1"})

    assert door.knock(body).status_code == 200

    expect(page.get_by_text("9 of 10 done")).to_be_visible(timeout=SOON_MS)
    expect(page.locator("#step-upload")).to_contain_text("from widget 1.0.1")
    expect(page.locator("#step-reply")).to_have_attribute("aria-current", "step")
    expect(page.locator("#step-reply")).to_contain_text("being answered right now")
    assert page.locator("[aria-current=step]").count() == 1
    assert (folded(page, "reply"), folded(page, "request"), folded(page, "upload")) == (False, True, True)

    Exchange.objects.update(state=State.DELIVERED, outcome=Outcome.SUCCESS, settled_at=timezone.now())

    expect(page.get_by_text("All steps are done: your Salesbot answers.")).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_text("This page looks for news")).to_be_hidden()
    assert page.locator("[aria-current=step]").count() == 0
    assert page.evaluate("window.stayed")


def test_what_somebody_reads_or_stands_on_stays_open_when_news_come(page: Page, live_server: LiveServer, acme: Account):
    open_guide(page, live_server, acme)
    page.locator("#step-secrets").get_by_text("Secret key and long-lived token").click()
    doesnt_work = page.locator("#step-upload").get_by_text("It doesn't work")
    doesnt_work.click()
    copy = page.locator("#step-account [data-copy] + button")

    Door(acme).knock()

    expect(page.get_by_text("9 of 10 done")).to_be_visible(timeout=SOON_MS)
    assert not folded(page, "secrets")
    assert not folded(page, "upload")  # its remark has the focus
    assert doesnt_work.evaluate("element => element === document.activeElement")
    assert copy.count() == 1


@at_both_widths
def test_steps_in_kommo_are_ticked_by_hand_one_after_the_other(page: Page, live_server: LiveServer, acme: Account):
    open_guide(page, live_server, acme)
    for code in ("upload", "settings", "salesbot"):
        assert not folded(page, code)
        page.locator(f"#step-{code}").get_by_role("button", name="I have done this").click()
        expect(page.locator(f"#step-{code}")).to_contain_text("Ticked by hand")
    expect(page.get_by_text("8 of 10 done")).to_be_visible()
    assert not folded(page, "request")
    page.locator("#step-salesbot summary").first.click()
    page.locator("#step-salesbot").get_by_role("button", name="Take the tick back").click()
    expect(page.get_by_text("7 of 10 done")).to_be_visible()


def test_the_address_is_copied_whole(page: Page, live_server: LiveServer, acme: Account):
    open_guide(page, live_server, acme)
    page.locator("#step-widget summary").first.click()
    page.locator("#step-widget").get_by_role("button", name="Copy").click()
    assert page.evaluate("getSelection().toString()") == acme.hook_url


def test_a_viewer_follows_it_without_a_button(page: Page, live_server: LiveServer, acme: Account):
    open_guide(page, live_server, acme, email="viewer@acme.test")
    assert page.get_by_role("button", name="I have done this").count() == 0
    Door(acme).knock()
    expect(page.get_by_text("9 of 10 done")).to_be_visible(timeout=SOON_MS)


@at_both_widths
def test_beside_the_accounts_steps_the_way_to_its_page_is_not_cut(page: Page, live_server: LiveServer, acme: Account):
    open_guide(page, live_server, acme)
    page.goto(live_server.url + row_pages(acme)["change"])
    way = page.locator("#header-inner h1 > a")
    expect(way.last).to_have_text("Acme")
    cut = way.evaluate_all("found => found.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.text)")
    assert cut == []


@at_both_widths
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_screen(
    page: Page, live_server: LiveServer, acme: Account, scheme: str
):
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
    an_exchange(acme, state=State.REJECTED, reason_text="Set a new long-lived token.", widget_version="1.0.0")
    open_guide(page, live_server, acme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert faults_by_axe(page) == []
    assert is_as_wide_as_the_screen(page)
    assert page.evaluate("[...document.images].every((one) => one.alt && one.naturalWidth > 0)")


def test_without_scripts_it_shows_the_same_after_a_reload(
    browser: Browser, page: Page, live_server: LiveServer, acme: Account
):
    open_guide(page, live_server, acme)
    plain = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    without = plain.new_page()
    address = live_server.url + row_pages(acme)["guide"]
    without.goto(address)
    assert without.locator("#step-upload > details").get_attribute("open") is not None
    Door(acme).knock()
    without.goto(address)
    assert "9 of 10 done" in (without.text_content(".kb-guide-count") or "")
    plain.close()
